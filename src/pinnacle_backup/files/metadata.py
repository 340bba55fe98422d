"""Metadata: reading extended attributes, and giving a path what an entry says of it."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from pinnacle_backup.model.entry import SYMLINK, TYPE_OF_MODE, Entry

_UNSUPPORTED: Final = frozenset({errno.ENOTSUP, errno.EPERM, errno.ENOENT, errno.ENODATA, errno.ELOOP})
_NOT_OURS: Final = ("security.selinux", "security.ima", "security.evm", "system.nfs4_acl")
_SET_ID: Final = stat.S_ISUID | stat.S_ISGID
_NOBODY: Final = (1 << 32) - 1
"""To ``chown`` this number, like -1, means to leave the owner as it is."""

_SURELY_EXACT: Final = range(1 << 31)
"""Seconds since 1970 that every file system can store; others may be clamped without an error."""


def read_xattrs(target: int, name: str = "") -> dict[str, bytes]:
    """
    Return the extended attributes, ACLs and capabilities among them.

    Args:
        target: An open file, or the folder that holds ``name``.
        name: A name in the folder; a link is not followed.
    """
    path: int | str = f"/proc/self/fd/{target}/{name}" if name else target
    return _xattrs(path, follow=not name)


def apply(target: int, name: str, entry: Entry, *, privileged: bool) -> list[str]:
    """
    Give a path the metadata of an entry, in the order in which the kernel keeps all of it.

    Changing the owner drops setuid and capabilities, an ACL changes the mode, a mode may forbid to set
    attributes, and everything changes the times: so owner, attributes, mode, times.

    Args:
        target: An open file or folder, or with ``name`` the folder that holds it.
        name: A name in the folder; a link is not followed. Empty for an open file.
        entry: What it shall be.
        privileged: Whether this process may give files away.

    Returns:
        What could not be applied, in words.

    Raises:
        FileNotFoundError: The name is gone, or names something of another type.
    """
    if not name:
        return _apply(target, entry, privileged=privileged)
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target)
    try:
        if TYPE_OF_MODE.get(stat.S_IFMT(os.fstat(descriptor).st_mode)) != entry.type:
            raise FileNotFoundError(errno.ENOENT, f"is not a {entry.type}", name)
        return _apply(f"/proc/self/fd/{descriptor}", entry, privileged=privileged)
    finally:
        os.close(descriptor)


def _apply(path: int | str, entry: Entry, *, privileged: bool) -> list[str]:
    """
    Apply to what is open already: by its descriptor, or by the kernel's name of that (proc_pid_fd(5)).

    So whatever happens to names meanwhile, it is applied to nothing else.
    """
    notes: list[str] = []
    foreign = _set_owner(path, entry, notes, privileged=privileged)
    _set_xattrs(path, entry.xattrs, notes)
    if entry.type != SYMLINK:
        _set_mode(path, entry.mode & 0o7777, foreign, notes)
    _set_times(path, entry.mtime_ns, notes)
    return notes


def _set_owner(path: int | str, entry: Entry, notes: list[str], *, privileged: bool) -> int:
    """Set owner and group; return the bits of the mode that would act for an owner who is another now."""
    status = os.stat(path)
    if (status.st_uid, status.st_gid) == (
        entry.uid,
        entry.gid,
    ):  # most new files: a look costs less than a change
        return 0
    if not (0 <= entry.uid < _NOBODY and 0 <= entry.gid < _NOBODY):
        notes.append(f"owner {entry.uid}:{entry.gid} is not applied: there is no such number")
        return _SET_ID
    try:
        os.chown(path, entry.uid, entry.gid)
    except OSError as error:
        reason = error.strerror
    else:
        return 0
    group_is_right = not privileged and _set_group(path, entry.gid)
    owner_is_right = os.stat(path).st_uid == entry.uid
    notes.append(f"owner {entry.uid}:{entry.gid} is not applied: {reason}")
    return (0 if owner_is_right else stat.S_ISUID) | (0 if group_is_right else stat.S_ISGID)


def _set_group(path: int | str, gid: int) -> bool:
    """Set the group alone: everybody may choose among the groups that they are in."""
    try:
        os.chown(path, -1, gid)
    except OSError:
        return False
    return True


def _set_mode(path: int | str, mode: int, foreign: int, notes: list[str]) -> None:
    if mode & foreign:
        mode &= ~foreign
        notes.append("setuid and setgid are not set for another owner")
    try:
        os.chmod(path, mode)
    except OSError as error:
        notes.append(f"mode {mode:o} is not applied: {error.strerror}")


def _set_xattrs(path: int | str, wanted: dict[str, bytes], notes: list[str]) -> None:
    """Remove what the entry does not have, set what differs."""
    existing = _xattrs(path, follow=True)
    if existing == wanted:
        return
    for key in sorted(existing.keys() - wanted.keys()):
        try:
            os.removexattr(path, key)
        except OSError as error:
            notes.append(f"attribute {key} stays: {error.strerror}")
    for key, value in wanted.items():
        if existing.get(key) == value:
            continue
        try:
            os.setxattr(path, key, value)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            notes.append(f"attribute {key} is not applied: {reason}")


def _xattrs(path: int | str, *, follow: bool) -> dict[str, bytes]:
    try:
        names = os.listxattr(path, follow_symlinks=follow)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return {}
        raise
    found: dict[str, bytes] = {}
    for name in names:
        if name.startswith(_NOT_OURS):
            continue
        try:
            found[name] = os.getxattr(path, name, follow_symlinks=follow)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
    return found


def _set_times(path: int | str, mtime_ns: int, notes: list[str]) -> None:
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns))
        if mtime_ns // 1_000_000_000 not in _SURELY_EXACT and os.stat(path).st_mtime_ns != mtime_ns:
            notes.append("time of modification is not exact: the file system cannot store it")
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        notes.append(f"time of modification is not applied: {reason}")
