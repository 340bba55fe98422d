"""
Patterns for paths of a backup: ``*`` and ``?`` stay within a folder, ``**`` crosses folders.

``[abc]``, ``[a-z]`` and ``[!abc]`` are one character. A pattern covers the whole path, from the root on.
There is no escape character, since a name may hold any: ``[*]`` is the star itself.
"""

from __future__ import annotations

import re
from typing import Final

_MAGIC: Final = re.compile(r"[*?[]")


class PathPattern:
    """
    One pattern.

    Args:
        pattern: The pattern.
        ignore_case: Whether capital letters are like small ones.

    Attributes:
        literal: Whether it is a plain path, and matches that one only.
        folder: The path that every match equals or lies below; empty for the root.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        self._pattern = clean(pattern)
        self.literal = not is_pattern(pattern) and not ignore_case
        self.folder = self._pattern if self.literal else _fixed_part(self._pattern, ignore_case=ignore_case)
        self._regex = re.compile(
            _translate(self._pattern), re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG)
        )

    def matches(self, path: str) -> bool:
        """Tell whether the whole path matches."""
        return path == self._pattern if self.literal else self._regex.fullmatch(path) is not None


def is_pattern(text: str) -> bool:
    """Tell whether the text can mean more than one path."""
    return _MAGIC.search(text) is not None


def quoted(path: str) -> str:
    """Return the pattern that means just this path, whatever characters it has."""
    return _MAGIC.sub(lambda found: f"[{found[0]}]", path)


def clean(path: str) -> str:
    """Return a path as backups name it: without ``./`` before and ``/`` after it."""
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    path = path.rstrip("/")
    return "" if path == "." else path


def _fixed_part(pattern: str, *, ignore_case: bool) -> str:
    """Return the folders before the first special character; none where their case is not known."""
    if ignore_case:
        return ""
    first = _MAGIC.search(pattern)
    assert first is not None
    return pattern[: first.start()].rpartition("/")[0]


def _translate(pattern: str) -> str:
    parts = pattern.split("/")
    regex = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            regex += ".+" if last else "(?:[^/]+/)*"
        else:
            regex += _translate_name(part) + ("" if last else "/")
    return regex


def _translate_name(name: str) -> str:
    regex = ""
    rest = name
    while rest:
        bracket = re.match(r"\[(!?)(\]?[^\]]*)\]", rest)
        if bracket and bracket[2]:
            regex += f"(?!/)[{'^' if bracket[1] else ''}{_escape_class(bracket[2])}]"
            rest = rest[bracket.end() :]
            continue
        regex += {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0]))
        rest = rest[1:]
    return regex


def _escape_class(characters: str) -> str:
    """Escape all that is special between brackets but the dash of a range that goes upwards."""
    escaped = ""
    rest = characters
    while rest:
        if len(rest) > 2 and rest[1] == "-" and rest[0] <= rest[2]:
            escaped += f"{re.escape(rest[0])}-{re.escape(rest[2])}"
            rest = rest[3:]
        else:
            escaped += re.escape(rest[0])
            rest = rest[1:]
    return escaped
