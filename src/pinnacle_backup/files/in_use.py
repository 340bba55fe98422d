"""Which processes have a file open (Linux, proc(5)); those of other users are only seen by root."""

from __future__ import annotations

import os
from collections.abc import Collection


def users_of(inodes: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[str]]:
    """
    Return the processes that have files open, as ``python start_server.py (process 123)``.

    Args:
        inodes: (device, inode) of the files.
    """
    found: dict[tuple[int, int], list[str]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for inode in _open_files(pid) & set(inodes):
            found.setdefault(inode, []).append(f"{_command(pid)} (process {pid})")
    return found


def _open_files(pid: str) -> set[tuple[int, int]]:
    inodes = set()
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return set()
    for name in names:
        try:
            status = os.stat(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        inodes.add((status.st_dev, status.st_ino))
    return inodes


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "a program"
