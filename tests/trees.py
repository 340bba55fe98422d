"""Folders as values, so that two of them can be compared with ``==``; independent of the code under test."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from typing import Any

Tree = dict[bytes, tuple[Any, ...]]


def describe(root: str | os.PathLike[str], *, leave_out: Collection[bytes] = ()) -> Tree:
    """
    Return all that a folder holds, with every piece of metadata that a backup promises to keep.

    Args:
        root: The folder; itself it is not described.
        leave_out: Paths in it that do not count, nor what is below them.
    """
    top = os.fsencode(root)
    tree: Tree = {}
    names: dict[tuple[int, int], bytes] = {}
    for path in sorted(_walk(top, b"", frozenset(leave_out))):
        tree[path] = _facts(os.path.join(top, path), path, names)
    return tree


def differences(one: Tree, other: Tree) -> dict[bytes, tuple[Any, Any]]:
    """Return what differs, for the message of a test that fails."""
    paths = sorted(one.keys() | other.keys())
    return {path: (one.get(path), other.get(path)) for path in paths if one.get(path) != other.get(path)}


def _walk(top: bytes, folder: bytes, leave_out: frozenset[bytes]) -> Iterator[bytes]:
    for entry in os.scandir(os.path.join(top, folder)):
        path = os.path.join(folder, entry.name)
        if path in leave_out:
            continue
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(top, path, leave_out)


def _facts(path: bytes, name: bytes, names: dict[tuple[int, int], bytes]) -> tuple[Any, ...]:
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    xattrs = {
        key: os.getxattr(path, key, follow_symlinks=False)
        for key in os.listxattr(path, follow_symlinks=False)
    }
    metadata = (
        kind,
        oct(stat.S_IMODE(status.st_mode)),
        status.st_uid,
        status.st_gid,
        status.st_mtime_ns,
        xattrs,
    )
    if kind == stat.S_IFLNK:
        return (*metadata, os.readlink(path))
    if kind != stat.S_IFREG:
        return metadata
    first = names.setdefault((status.st_dev, status.st_ino), name)
    return (*metadata, status.st_size, _sha256(path), first, _segments(path, status))


def _sha256(path: bytes) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _segments(path: bytes, status: os.stat_result) -> tuple[tuple[int, int], ...]:
    """Return where a file has data; one without holes has it everywhere."""
    if status.st_blocks * 512 >= status.st_size:
        return ((0, status.st_size),)
    segments: list[tuple[int, int]] = []
    position = 0
    with open(path, "rb") as file:
        while position < status.st_size:
            try:
                start = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            position = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            segments.append((start, position))
    return tuple(segments)
