"""What an error of the operating system means for a store, in words for people."""

from __future__ import annotations

import errno
import os
from typing import Final

from pinnacle_backup.errors import ObjectExists, ObjectNotFound, StoreDenied, StoreError, StoreFull
from pinnacle_backup.model.paths import printable

_FULL: Final = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than its file system or a limit of this process allows",
}
_FULL_HINT: Final = {
    errno.ENOSPC: "`df -h` and `df -i` show what is short; free some, run cleanup, or use another folder",
    errno.EDQUOT: "`quota` shows the limits; free some space, run cleanup, or use another folder",
    errno.EFBIG: "see `ulimit -f`, or use a folder on a file system that takes large files",
}
_PERMISSION_HINT: Final = "check with `ls -ld` that this user may read and write the folder and what is in it"
_HINT: Final = {
    errno.EIO: "the disk reports errors: look at `dmesg`, and move the backups to a sound one",
    errno.EACCES: _PERMISSION_HINT,
    errno.EPERM: _PERMISSION_HINT,
    errno.EROFS: "the file system is mounted read-only: mount it for writing, or use another folder",
    errno.ENOTDIR: "the configured path leads through a file: name a folder",
    errno.ELOOP: "links are not followed: put the file itself into the folder",
    errno.EMFILE: "this process has too many files open: raise `ulimit -n`",
    errno.ESTALE: "the network file system lost the folder: mount it again",
    errno.ENOLCK: "the file system cannot lock files: use a folder on another",
    errno.EOPNOTSUPP: "the file system cannot do this: use a folder on another",
}


def store_error(error: OSError, doing: str, path: str, *, written: int = 0) -> StoreError:
    """
    Return the error to raise.

    Args:
        error: From the operating system.
        doing: What was tried, as a verb: ``read``.
        path: On what.
        written: Bytes of it that were taken before.
    """
    number, path = error.errno or 0, printable(path)
    if number in _FULL:
        return StoreFull(f"{path}: {_FULL[number]} after {written:,} bytes", hint=_FULL_HINT[number])
    if number == errno.ENOENT:
        return ObjectNotFound(f"cannot {doing} {path}: there is no such file or folder")
    if number == errno.EEXIST:
        return ObjectExists(f"cannot {doing} {path}: the name is taken")
    reason = os.strerror(number) if number else str(error)
    kind = StoreDenied if number in (errno.EACCES, errno.EPERM) else StoreError
    return kind(f"cannot {doing} {path}: {reason}", hint=_HINT.get(number, ""))
