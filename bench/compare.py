"""Compare two trees: names, types, contents, modes, times, link targets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 1 << 20


@dataclass(frozen=True)
class _Kept:
    """What a tool keeps of times."""

    nanoseconds: bool
    folders: bool


def differences(
    expected: str, found: str, *, nanoseconds: bool = True, folders: bool = True
) -> Iterator[str]:
    """
    Name what differs between two folders; nothing where they are equal.

    Args:
        nanoseconds: Whether times must agree in full and not only in seconds.
        folders: Whether modes and times of folders count.
    """
    kept = _Kept(nanoseconds, folders)
    names = set(os.listdir(expected)), set(os.listdir(found))
    yield from (f"{os.path.join(expected, name)}: only in one" for name in sorted(names[0] ^ names[1]))
    for name in sorted(names[0] & names[1]):
        yield from _entry(os.path.join(expected, name), os.path.join(found, name), kept)


def _entry(expected: str, found: str, kept: _Kept) -> Iterator[str]:
    here, there = os.lstat(expected), os.lstat(found)
    if stat.S_ISDIR(here.st_mode) and stat.S_ISDIR(there.st_mode) and not kept.folders:
        yield from differences(expected, found, nanoseconds=kept.nanoseconds, folders=False)
        return
    if here.st_mode != there.st_mode:
        yield f"{expected}: mode {there.st_mode:o} and not {here.st_mode:o}"
        return
    if stat.S_ISLNK(here.st_mode):
        if os.readlink(expected) != os.readlink(found):
            yield f"{expected}: links elsewhere"
        return
    unit = 1 if kept.nanoseconds else 10**9
    if here.st_mtime_ns // unit != there.st_mtime_ns // unit:
        yield f"{expected}: time {there.st_mtime_ns} and not {here.st_mtime_ns}"
    if stat.S_ISDIR(here.st_mode):
        yield from differences(expected, found, nanoseconds=kept.nanoseconds)
    elif here.st_size != there.st_size or not _same_content(expected, found):
        yield f"{expected}: other content"


def _same_content(expected: str, found: str) -> bool:
    with open(expected, "rb", buffering=0) as here, open(found, "rb", buffering=0) as there:
        while True:
            block = here.read(BLOCK)
            if block != there.read(BLOCK):
                return False
            if not block:
                return True


def size_of(path: str) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(
        os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names
    )
