"""Files by a pattern of the configuration: what ``glob`` finds, but ``**`` passes by links to folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import filter as matching
from glob import has_magic
from typing import Final

_ANY_DEPTH: Final = "**"


def files(root: str, pattern: str) -> Iterator[str]:
    """
    Yield the paths below a folder that a pattern fits, and that are files or links to files.

    ``**`` stands for any number of folders. Links to folders are none of them: two that lead back to where
    they lie would make more paths than anybody can look at. As in a shell, wildcards fit no leading dot.

    Args:
        root: Absolute path of the folder.
        pattern: Relative to it, or absolute.
    """
    top = "/" if pattern.startswith("/") else root
    yield from _below(top, [part for part in pattern.split("/") if part])


def _below(folder: str, parts: Sequence[str]) -> Iterator[str]:
    if not parts:
        if os.path.isfile(folder):
            yield folder
        return
    part, *rest = parts
    if part == _ANY_DEPTH:
        yield from _at_any_depth(folder, rest)
    elif not has_magic(part):
        yield from _below(os.path.join(folder, part), rest)
    else:
        names = matching((entry.name for entry in _entries(folder)), part)
        for name in names:
            if part.startswith(".") or not name.startswith("."):
                yield from _below(os.path.join(folder, name), rest)


def _at_any_depth(folder: str, rest: Sequence[str]) -> Iterator[str]:
    yield from _below(folder, rest or ["*"])
    for entry in _entries(folder):
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield from _at_any_depth(entry.path, rest)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:  # it is none, or not to be read: there nothing fits
        return []
