"""
Writes what people and editors read about the configuration, from the schema.

``python -m pinnacle_backup.config.reference docs/reference`` brings both files up to date.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Final

from pinnacle_backup.config.json_schema import json_schema
from pinnacle_backup.config.settings import ARRAY, OBJECT, Setting, settings

_INTRODUCTION: Final = """\
# Configuration

<!-- Generated from the schema: python -m pinnacle_backup.config.reference docs/reference -->

The configuration is `config.json`. Its folder is the *studio root*; relative paths count from
there. Every key may be left out and then has the default below. A misspelt key, or a value that
cannot be, is an error that names the place. Other top-level sections belong to the studio and are
left alone. [`config.schema.json`](config.schema.json) lets an editor complete and check while you
type: add `"$schema": "docs/reference/config.schema.json"`.

## Values from elsewhere

Any value may be `{"$env": "NAME"}`, a variable of the environment, or `{"$file": "PATH"}`, a file
whose last line end is dropped. Use them for passwords and keys, with a file that only its owner can
read (`chmod 600 PATH`).

Every key can also be overridden by a variable: `PINNACLE_`, then the path in capitals with `__`
between its parts, so `PINNACLE_CLOUD_STORAGE__ACCESS_KEY` is `cloud_storage.access_key`. Texts are
taken as they are, all else as JSON.

## The password of encrypted backups

The first that is there is used: the value of `--encrypt` or `--decrypt`; `--password-file`; the
file that `PINNACLE_PASSWORD_FILE` names; `PINNACLE_PASSWORD`; `backup.encryption.key`. Every user
of the machine can see the arguments of a command while it runs; files and variables of the
environment stay private.
"""


def reference() -> str:
    """Return ``configuration.md``: a table of keys for every section."""
    known = settings()
    sections = (_section(setting, known) for setting in known.values() if setting.kind == OBJECT)
    return "\n".join([_INTRODUCTION, *sections])


def _section(section: Setting, known: dict[str, Setting]) -> str:
    keys = [each for each in known.values() if each.path.rpartition(".")[0] == section.path]
    rows = [_row(each, known) for each in keys if each.kind != OBJECT and not each.path.endswith("[]")]
    table = ["| key | value | default | meaning |", "|---|---|---|---|", *rows] if rows else []
    return "\n".join([f"## {section.path}", "", section.description, "", *table, *([""] if table else [])])


def _row(setting: Setting, known: dict[str, Setting]) -> str:
    item = f" (each {known[setting.path + '[]'].expected})" if setting.kind == ARRAY else ""
    meaning = f"{setting.description} Secret." if setting.secret else setting.description
    default = "required" if setting.required else f"`{json.dumps(setting.default)}`"
    cells = (f"`{setting.path}`", setting.expected + item, default, meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def files() -> Iterator[tuple[str, str]]:
    """Yield name and content of every generated file."""
    yield "config.schema.json", json.dumps(json_schema(), indent=2) + "\n"
    yield "configuration.md", reference()


def main(folder: str) -> None:
    """Write the generated files into the folder."""
    for name, content in files():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)


if __name__ == "__main__":
    main(sys.argv[1])
