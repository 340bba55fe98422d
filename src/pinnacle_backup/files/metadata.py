"""Metadata: reading extended attributes, and giving a path the owner, mode, attributes and times of an entry."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from pinnacle_backup.model.entry import SYMLINK, Entry

_UNSUPPORTED: Final = frozenset({errno.ENOTSUP, errno.EPERM, errno.ENOENT, errno.ENODATA, errno.ELOOP})
_NOT_OURS: Final = ("security.selinux", "security.ima", "security.evm", "system.nfs4_acl")
_CLAMPED: Final = (-(1 << 63), (1 << 63) - 1)


def read_xattrs(target: int, name: str = "") -> dict[str, bytes]:
    """
    Return the extended attributes, ACLs and capabilities among them.

    Args:
        target: An open file, or the folder that holds ``name``.
        name: A name in the folder; a link is not followed.
    """
    path: int | str = _by_descriptor(target, name) if name else target
    follow = not name
    try:
        names = os.listxattr(path, follow_symlinks=follow)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return {}
        raise
    found: dict[str, bytes] = {}
    for key in names:
        if key.startswith(_NOT_OURS):
            continue
        try:
            found[key] = os.getxattr(path, key, follow_symlinks=follow)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
    return found


def apply(target: int, name: str, entry: Entry, *, privileged: bool) -> list[str]:
    """
    Give a path the metadata of an entry, in the order in which the kernel keeps all of it.

    Changing the owner drops setuid and capabilities, changing the content drops capabilities,
    and everything changes the times: so owner, mode, attributes, times.

    Args:
        target: An open file or folder, or with ``name`` the folder that holds it.
        name: Of a symlink or FIFO; empty for an open file.
        entry: What it shall be.
        privileged: Whether this process may give files away.

    Returns:
        What could not be applied, in words.
    """
    notes: list[str] = []
    link = entry.type == SYMLINK
    own = _set_owner(target, name, entry, notes)
    mode = entry.mode
    if not own and not privileged and mode & (stat.S_ISUID | stat.S_ISGID):
        mode &= ~(stat.S_ISUID | stat.S_ISGID)
        notes.append("setuid and setgid are not set for another owner's file")
    if not link:
        _set_mode(target, name, mode, notes)
    _set_xattrs(target, name, entry, notes)
    _set_times(target, name, entry, notes)
    return notes


def _set_owner(target: int, name: str, entry: Entry, notes: list[str]) -> bool:
    try:
        if name:
            os.chown(name, entry.uid, entry.gid, dir_fd=target, follow_symlinks=False)
        else:
            os.fchown(target, entry.uid, entry.gid)
    except OSError as error:
        notes.append(f"owner {entry.uid}:{entry.gid} is not applied: {os.strerror(error.errno or 0)}")
        return False
    return True


def _set_mode(target: int, name: str, mode: int, notes: list[str]) -> None:
    try:
        if name:  # not by the name: it could have become a link
            descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target)
            try:
                os.chmod(f"/proc/self/fd/{descriptor}", mode)
            finally:
                os.close(descriptor)
        else:
            os.fchmod(target, mode)
    except OSError as error:
        notes.append(f"mode {mode:o} is not applied: {os.strerror(error.errno or 0)}")


def _set_xattrs(target: int, name: str, entry: Entry, notes: list[str]) -> None:
    """Remove what the entry does not have, set what differs."""
    existing = read_xattrs(target, name)
    if existing == entry.xattrs:
        return
    path: int | str = _by_descriptor(target, name) if name else target
    follow = not name
    for key in existing.keys() - entry.xattrs.keys():
        try:
            os.removexattr(path, key, follow_symlinks=follow)
        except OSError as error:
            notes.append(f"attribute {key} stays: {os.strerror(error.errno or 0)}")
    for key, value in entry.xattrs.items():
        if existing.get(key) == value:
            continue
        try:
            os.setxattr(path, key, value, follow_symlinks=follow)
        except OSError as error:
            notes.append(f"attribute {key} is not applied: {os.strerror(error.errno or 0)}")


def _set_times(target: int, name: str, entry: Entry, notes: list[str]) -> None:
    nanoseconds = min(max(entry.mtime_ns, _CLAMPED[0]), _CLAMPED[1])
    times = (nanoseconds, nanoseconds)
    try:
        if name:
            os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)
        else:
            os.utime(target, ns=times)
    except (OSError, OverflowError) as error:
        notes.append(f"time of modification is not applied: {error}")


def _by_descriptor(folder: int, name: str) -> str:
    """Return a path that leads to a name in an open folder: xattr calls know no folder descriptors."""
    return f"/proc/self/fd/{folder}/{name}"
