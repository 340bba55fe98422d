"""What is generated from the schema is current, and says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pinnacle_backup.config.json_schema import json_schema
from pinnacle_backup.config.reference import files, main
from pinnacle_backup.config.settings import settings

DOCUMENTATION = Path(__file__).parents[3] / "docs/reference"


@pytest.mark.parametrize(("name", "content"), list(files()))
def test_the_stored_file_is_current(name: str, content: str):
    """Else: python -m pinnacle_backup.config.reference docs/reference."""
    assert (DOCUMENTATION / name).read_text() == content


def test_the_command_writes_both_files(tmp_path: Path):
    main(str(tmp_path))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.schema.json", "configuration.md"]


def test_every_setting_stands_in_the_reference_once():
    text = (DOCUMENTATION / "configuration.md").read_text()

    for path, setting in settings().items():
        if "[" not in path:
            row = f"\n## {path}\n" if setting.kind == "object" else f"\n| `{path}` |"
            assert text.count(row) == 1, path


def test_every_setting_stands_in_the_json_schema():
    schema = json_schema()

    for path in settings():
        if "[" not in path:
            assert _place(schema, path), path


def test_the_json_schema_stands_alone():
    """Every reference leads to a definition, and patterns are those of JSON Schema, not of Python."""
    schema = json_schema()
    text = json.dumps(schema)

    assert set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', text)) == set(schema["$defs"])
    assert "\\\\Z" not in text
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "additionalProperties" not in schema


def test_an_editor_gets_meaning_default_and_limits():
    assert _place(json_schema(), "notifications.smtp.port") == {
        "description": "Port of the mail server.",
        "default": 587,
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"$ref": "#/$defs/reference"},
        ],
    }
    assert _place(json_schema(), "backup.encryption.key")["anyOf"] == [
        {"type": "string", "writeOnly": True},
        {"type": "null"},
        {"$ref": "#/$defs/reference"},
    ]


def _place(schema: dict, path: str) -> dict:
    node = schema
    for key in path.split("."):
        if "anyOf" in node:
            node = schema["$defs"][node["anyOf"][0]["$ref"].rpartition("/")[2]]
        node = node["properties"][key]
    return node
