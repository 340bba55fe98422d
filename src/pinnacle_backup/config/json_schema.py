"""The JSON Schema (draft 2020-12) of ``config.json``, for editors that check and complete while one types."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pinnacle_backup.config.schema import SECTIONS, Configuration
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.config.values import ENVIRONMENT, FILE

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

REFERENCE: Final = "reference"
"""Name of the definition for a value that stands elsewhere."""


def json_schema() -> dict[str, Any]:
    """Return the schema: that of our sections; what else a studio keeps in the file is free."""
    made = msgspec.json.schema(Configuration, schema_hook=_secret)
    definitions: dict[str, Any] = _portable(made["$defs"])
    properties = definitions.pop(Configuration.__name__)["properties"]
    for definition in definitions.values():
        if not definition["required"]:
            del definition["required"]  # not every dialect knows an empty list
        definition["properties"] = {
            key: _or_reference(value) for key, value in definition["properties"].items()
        }
    return {
        "$schema": DIALECT,
        "title": "Pinnacle Backup configuration",
        "type": "object",
        "properties": {section: _or_reference(properties[section]) for section in SECTIONS},
        "$defs": definitions | {REFERENCE: _reference()},
    }


def _secret(type_: type) -> dict[str, Any]:
    if type_ is not Secret:
        raise NotImplementedError(type_.__name__)
    return {"type": "string", "writeOnly": True}


def _portable(node: Any) -> Any:
    r"""Return the schema with patterns of ECMA 262: it knows no ``\Z``, and its ``$`` means just that."""
    if isinstance(node, list | tuple):
        return [_portable(each) for each in node]
    if isinstance(node, dict):
        return {
            key: value.replace(r"\Z", "$")
            if key == "pattern" and isinstance(value, str)
            else _portable(value)
            for key, value in node.items()
        }
    return node


def _or_reference(value: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that may stand elsewhere; what is said of it stays at its top."""
    said = {key: value[key] for key in ("description", "default") if key in value and "$ref" not in value}
    own = {key: each for key, each in value.items() if key not in ("description", "default")}
    choices = own.get("anyOf", [own])
    return said | {"anyOf": [*choices, {"$ref": f"#/$defs/{REFERENCE}"}]}


def _reference() -> dict[str, Any]:
    return {
        "description": "A value from a variable of the environment, or from a file (from the studio root).",
        "type": "object",
        "properties": {ENVIRONMENT: {"type": "string"}, FILE: {"type": "string"}},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
