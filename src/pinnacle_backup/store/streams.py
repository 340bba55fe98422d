"""Reading and writing one file of a local store."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from pinnacle_backup.errors import DamagedError, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.store.base import PARTIAL
from pinnacle_backup.store.failures import store_error
from pinnacle_backup.store.read_back import ReadBack
from pinnacle_backup.store.system import System, opened


def sync_folder(system: System, path: str) -> None:
    """Make the names in a folder durable, where the file system can."""
    itself = os.path.join(path, ".")  # the folder may be reached by a link
    with opened(system, itself, os.O_RDONLY | os.O_DIRECTORY) as fd:
        try:
            system.sync(fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise


class FileSource:
    """An ordinary file, read at any place. See ``ByteSource``."""

    def __init__(self, system: System, path: str) -> None:
        self._system, self._path, self._fd = system, path, -1
        try:
            self._fd = system.open(path, os.O_RDONLY)
            status = system.stat(self._fd)
        except OSError as error:
            self.close()
            raise store_error(error, "open", path) from error
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise StoreError(f"cannot open {printable(path)}: it is not an ordinary file")
        self._size = status.st_size

    @property
    def size(self) -> int:
        """How many bytes there were when it was opened."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes; the range is checked before memory is asked for."""
        if offset < 0 or length < 0 or offset + length > self._size:
            end = f"it ends at {self._size:,}"
            raise DamagedError(f"{printable(self._path)}: no bytes {offset:,} to {offset + length:,}: {end}")
        parts = []
        while length:
            part = self._read(offset, length)
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            part = self._system.read(self._fd, length, offset)
        except OSError as error:
            raise store_error(error, "read", self._path) from error
        if not part:
            raise DamagedError(f"{printable(self._path)} was cut at {offset:,} bytes while it was read")
        return part

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):  # nothing was written, so nothing can be lost
                self._system.close(fd)


class FileSink:
    """A file that appears under its name all at once, or never. See ``ByteSink``."""

    def __init__(self, system: System, path: str, *, replace: bool) -> None:
        self._system, self._path, self._partial = system, path, path + PARTIAL
        self._replace, self._written = replace, 0
        self._read_back = ReadBack(system, self._partial)
        self._fd = -1
        self._unfinished = True
        try:
            self._fd = self._open()
        except OSError as error:
            raise self._error(error, "create") from error

    def write(self, data: Buffer) -> None:
        """Append; a failure gives up the file."""
        view = memoryview(data).cast("B")
        try:
            while view:
                count = self._take(view)
                view, self._written = view[count:], self._written + count
            self._read_back.follow(self._written)
        except OSError as error:
            self.abort()
            raise self._error(error, "write") from error

    def check(self, sha256: str) -> None:
        """Make the bytes durable, have the kernel forget them, and read what the disk has."""
        try:
            self._system.sync(self._fd)
            found = self._read_back.finish()
        except OSError as error:
            self.abort()
            raise self._error(error, "read back") from error
        if found != sha256:
            self.abort()
            raise DamagedError(
                f"{printable(self._path)}: the disk gave back other bytes than were written",
                hint="check the disk and its cables; the backup was not kept",
            )

    def commit(self) -> None:
        """Make the bytes durable, then give them their name, then make the name durable."""
        try:
            self._system.sync(self._fd)
            self._close()
            rename = self._system.rename if self._replace else self._system.rename_new
            rename(self._partial, self._path)
        except OSError as error:
            self.abort()
            raise self._error(error, "store") from error
        self._unfinished = False
        self._sync_name()

    def abort(self) -> None:
        """Remove the unfinished file; what cannot be removed now is swept by the next run."""
        if self._unfinished:
            self._unfinished = False
            with contextlib.suppress(OSError):
                self._close()
            with contextlib.suppress(OSError):
                self._system.unlink(self._partial)

    def _take(self, view: memoryview) -> int:
        count = self._system.write(self._fd, view)
        if not count:  # or the loop would never end
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return count

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return self._system.open(self._partial, flags)
        except FileExistsError:  # of a run that died: the caller holds the writer lock
            self._system.unlink(self._partial)
            return self._system.open(self._partial, flags)

    def _sync_name(self) -> None:
        try:
            sync_folder(self._system, os.path.dirname(self._path))
        except OSError as error:
            if not self._replace:
                with contextlib.suppress(OSError):
                    self._system.unlink(self._path)
            raise self._error(error, "store") from error

    def _close(self) -> None:
        self._read_back.stop()
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._system.close(fd)

    def _error(self, error: OSError, doing: str) -> StoreError:
        return store_error(error, doing, self._path, written=self._written)
