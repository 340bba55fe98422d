"""
Every call that the local store makes of the operating system, one method each.

It is the seam for tests: a double fails the Nth call, or ends the process there.
It decides nothing and translates no error.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator
from typing import Final

from pinnacle_backup.model.streams import Buffer

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1
_NOT_SUPPORTED: Final = frozenset((errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK))


class System:
    """The real operating system. Has no state, so that stores can be pickled."""

    def open(self, path: str, flags: int) -> int:
        """Open a file that is ours alone; never through a link, never inherited by programs we start."""
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def stat(self, target: int | str) -> os.stat_result:
        """Return what is known of an open file, or of a path without following it."""
        return os.stat(target) if isinstance(target, int) else os.lstat(target)

    def read(self, fd: int, length: int, offset: int) -> bytes:
        """Read at a place; may return less."""
        return os.pread(fd, length, offset)

    def write(self, fd: int, data: Buffer) -> int:
        """Append; may take less than it is given."""
        return os.write(fd, data)

    def write_at(self, fd: int, data: Buffer, offset: int) -> int:
        """Overwrite at a place; may take less than it is given."""
        return os.pwrite(fd, data, offset)

    def sync(self, fd: int) -> None:
        """Make a file or a folder durable."""
        os.fsync(fd)

    def drop_cache(self, fd: int, offset: int = 0, length: int = 0) -> None:
        """Give back the pages of memory that hold a file's durable bytes; length 0 means to its end."""
        os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)

    def rename(self, source: str, target: str) -> None:
        """Rename, and replace what has the name."""
        os.replace(source, target)

    def rename_new(self, source: str, target: str) -> None:
        """
        Rename unless the name is taken.

        The kernel does it in one step; where a file system cannot (NFS), two names for a moment do no harm,
        and where it has no links either (some FUSE ones), the writer lock keeps others away.
        """
        try:
            _rename_noreplace(source, target)
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
            _link_instead(source, target)

    def unlink(self, path: str) -> None:
        """Remove a name."""
        os.unlink(path)

    def make_folder(self, path: str) -> None:
        """Make a folder that is ours alone, and the folders above it."""
        os.makedirs(path, 0o700)

    def scan(self, path: str) -> Iterator[os.DirEntry[str]]:
        """Yield what is in a folder; an error in the middle is raised, not taken for the end."""
        with os.scandir(path) as entries:
            yield from entries

    def free(self, path: str) -> int:
        """Return how many bytes an ordinary user can still write there."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize


@contextlib.contextmanager
def opened(system: System, path: str, flags: int) -> Iterator[int]:
    """Hold a file or folder open."""
    fd = system.open(path, flags)
    try:
        yield fd
    finally:
        system.close(fd)


def _rename_noreplace(source: str, target: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), target)
    paths = _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target)
    if libc.renameat2(*paths, ctypes.c_uint(_RENAME_NOREPLACE)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def _link_instead(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
        os.rename(source, target)
    else:
        os.unlink(source)
