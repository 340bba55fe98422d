"""What is wrong with a configuration, in one line: where, what was expected, what was found; no secrets."""

from __future__ import annotations

import difflib
import json
import re
from typing import Final

import msgspec

from pinnacle_backup.config.redact import Redactor, one_line
from pinnacle_backup.config.settings import OBJECT, Setting
from pinnacle_backup.config.values import Values, walk
from pinnacle_backup.errors import ConfigError

_PLACE: Final = re.compile(r"(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<key>.*)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)

HINT: Final = "docs/reference/configuration.md lists every key and what it may be"


def explain(error: msgspec.ValidationError, values: Values) -> ConfigError:
    """Return the error for people that says what the schema's check found."""
    match = _PLACE.fullmatch(str(error))
    if match is None:  # what the whole says of its sections
        return ConfigError(f"{values.name}: {error}", hint=HINT)
    what, path = match["what"], match["path"]
    if unknown := _UNKNOWN.fullmatch(what):
        return ConfigError(f"{values.name}: {_unknown(unknown['key'], path, values)}", hint=HINT)
    if missing := _MISSING.fullmatch(what):
        return ConfigError(f"{values.name}: {path}.{missing['key']}: is missing", hint=HINT)
    setting = values.setting(path)
    assert setting is not None, path
    if setting.kind == OBJECT and isinstance(error.__cause__, ValueError):
        return ConfigError(
            f"{values.name}: {path}.{what}", hint=HINT
        )  # what the section itself says of a key
    return ConfigError(f"{values.name}: {path}: {_unexpected(setting, path, values)}", hint=HINT)


def _unknown(key: str, path: str, values: Values) -> str:
    nearest = _nearest(key, path, values.known)
    suggestion = f"; did you mean {nearest}?" if nearest else ""
    return f"{path}.{one_line(key, limit=60)}: unknown key{suggestion}"


def _nearest(key: str, path: str, known: dict[str, Setting]) -> str:
    """Return the path of the most similar key beside the place, else of the same key anywhere; or nothing."""
    beside = [
        each.rpartition(".")[2] for each in known if each.rpartition(".")[0] == path and "[" not in each
    ]
    if close := difflib.get_close_matches(key, beside, 1):
        return f"{path}.{close[0]}"
    return next((each for each in known if each.rpartition(".")[2] == key), "")


def _unexpected(setting: Setting, path: str, values: Values) -> str:
    origin = values.origin(path)
    # Where a section is expected, the text found may be the password that belongs inside it.
    shown = not setting.secret and setting.kind != OBJECT and (origin is None or origin.shown)
    source = f" (from {origin.label})" if origin else ""
    return f"expected {setting.expected}, found {_found(walk(values.data, path), shown=shown)}{source}"


def _found(value: object, *, shown: bool) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None:
        return "null"
    if not shown:
        return _kind_of(value)
    return one_line(f'"{Redactor()(value)}"' if isinstance(value, str) else json.dumps(value), limit=60)


def _kind_of(value: object) -> str:
    if isinstance(value, str):
        return "text" if value.isprintable() else "text with unusual characters"
    return "true or false" if isinstance(value, bool) else "a number"
