"""
Paths as backups name them, and the one order that everything is sorted by.

A path is relative to the studio root, with ``/`` between its parts. It is a ``str``
decoded as UTF-8 with ``surrogateescape``, so that it carries any bytes a file system does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNSAFE = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")

EXTERNAL = ".pinnacle/root"
"""The folder of a backup in which sources outside the studio root lie, by their absolute paths."""

INTERNAL = ".pinnacle"
"""Names below this folder of an archive are ours: manifest, chunks, sources outside the root."""


def to_bytes(path: str) -> bytes:
    """Return the bytes that the file system knows the path by."""
    return path.encode("utf-8", "surrogateescape")


def from_bytes(path: bytes) -> str:
    """Return the path of these file-system bytes."""
    return path.decode("utf-8", "surrogateescape")


def order_key(path: str) -> bytes:
    """
    Return the key of *path order*: part by part, each by its bytes.

    A folder is followed at once by what it holds, as in a sorted walk: ``/`` sorts
    before every byte that a name can hold.
    """
    return to_bytes(path).replace(b"/", b"\0")


def is_safe(path: str) -> bool:
    """Tell whether the path stays below the folder it is joined to."""
    return _UNSAFE.search(path) is None


def parent(path: str) -> str:
    """Return the path of the folder that holds it; empty at the top."""
    return path.rpartition("/")[0]


def with_parents(path: str) -> Iterator[str]:
    """Yield the path and the folders above it, deepest first."""
    while path:
        yield path
        path = parent(path)


def printable(path: str) -> str:
    """Return the path for people: escapes what would break or fake a line of output."""
    text = to_bytes(path).decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
