"""
Changes one value in the text of a JSON document and leaves every other character as it is.

The text must be valid JSON already (``strict_json.parse``); the standard library's scanner finds the places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_SPACE: Final = " \t\r\n"


class _Member(NamedTuple):
    """Offsets of one member of an object: after the ``{`` or ``,`` before it, of its key, of its value."""

    name: str
    lead: int
    key: int
    key_end: int
    value: int
    end: int


def splice(text: str, path: Sequence[str], value: object) -> str:
    """
    Return the text with the value at the path; objects on the way that are missing are added.

    Args:
        text: A valid JSON document whose top is an object.
        path: Keys from the top down; at least one.
        value: A JSON value.
    """
    start = _skip(text, 0)
    for depth, key in enumerate(path):
        members = _members(text, start)
        found = next((member for member in members if member.name == key), None)
        rest = _nested(path[depth + 1 :], value)
        if found is None:
            return _insert(text, start, members, key, rest)
        if depth == len(path) - 1 or text[found.value] != "{":
            return text[: found.value] + _dump(rest, text, found.key) + text[found.end :]
        start = found.value
    raise ValueError("the path is empty")


def _nested(keys: Sequence[str], value: object) -> object:
    for key in reversed(keys):
        value = {key: value}
    return value


def _members(text: str, start: int) -> list[_Member]:
    """Return the members of the object that begins at ``start``."""
    decoder, members, lead = json.JSONDecoder(), list[_Member](), start + 1
    while text[key := _skip(text, lead)] != "}":
        name, key_end = decoder.raw_decode(text, key)
        value = _skip(text, _skip(text, key_end) + 1)  # over the colon
        _, end = decoder.raw_decode(text, value)
        members.append(_Member(name, lead, key, key_end, value, end))
        after = _skip(text, end)
        lead = after + 1 if text[after] == "," else after
    return members


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _insert(text: str, start: int, members: list[_Member], key: str, value: object) -> str:
    """Add a member after the last one, laid out like it; an empty object is laid out anew."""
    if members:
        last = members[-1]
        space, colon = text[last.lead : last.key], text[last.key_end : last.value]
        return (
            f"{text[: last.end]},{space}{_quoted(key)}{colon}{_dump(value, text, last.key)}{text[last.end :]}"
        )
    end = _skip(text, start + 1)
    body = _dump({key: value}, text, start)
    return f"{text[:start]}{body}{text[end + 1 :]}"


def _dump(value: object, text: str, position: int) -> str:
    """Return the value as JSON, in the document's indentation, for a place on the line of ``position``."""
    unit, newline = _layout(text)
    if not unit:
        return _quoted(value)
    line = text.rfind("\n", 0, position) + 1
    margin = text[line : _skip(text, line)] if text[line:position].strip() or line else ""
    return _quoted(value, indent=unit).replace("\n", newline + margin)


def _layout(text: str) -> tuple[str, str]:
    """Return the document's unit of indentation, empty where it is all on one line, and its line end."""
    first = re.search(r'\n([ \t]+)"', text)
    newline = "\r\n" if "\r\n" in text else "\n"
    return (first[1] if first else "  " if "\n" in text.strip() else ""), newline


def _quoted(value: object, **layout: Any) -> str:
    return json.dumps(value, ensure_ascii=_has_surrogates(value), **layout)


def _has_surrogates(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
