"""Entries of a backup, one a line as ``ls -l`` shows them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.text import local, size
from pinnacle_backup.model.entry import DIRECTORY, FIFO, FILE, SYMLINK, Entry
from pinnacle_backup.model.paths import printable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {FILE: stat.S_IFREG, DIRECTORY: stat.S_IFDIR, SYMLINK: stat.S_IFLNK, FIFO: stat.S_IFIFO}


def entry_line(out: Output, entry: Entry) -> str:
    """Return mode, owner, size, time and path."""
    owner = f"{entry.uid}:{entry.gid}"
    shown = size(entry.size) if entry.type == FILE else "-"
    folder = entry.type == DIRECTORY
    name = out.style(printable(entry.path) + ("/" if folder else ""), "strong" if folder else "")
    target = f" -> {printable(entry.target)}" if entry.target else ""
    return f"{mode_text(entry)}  {owner:>11}  {shown:>6}  {modified(entry)}  {name}{target}"


def mode_text(entry: Entry) -> str:
    """Return ``-rw-r--r--``."""
    return stat.filemode(_KINDS.get(entry.type, 0) | entry.mode)


def modified(entry: Entry) -> str:
    """Return when it was last modified; times that no calendar knows as they are."""
    try:
        return local(_EPOCH + timedelta(microseconds=entry.mtime_ns // 1000))
    except (OverflowError, ValueError):
        return f"@{entry.mtime_ns // 10**9:<15}"
