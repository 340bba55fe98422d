"""
Backups in a folder of this machine.

Write order: ``NAME.partial``, its bytes, fsync, rename to ``NAME``, fsync of the folder. An object exists
when it has its final name. After a failed fsync nothing is tried again: the kernel may have dropped the
bytes and forgotten the error, so the file is given up.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from pinnacle_backup.errors import ObjectNotFound, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import ByteSink, ByteSource
from pinnacle_backup.store.base import PARTIAL, StoredObject, check_name
from pinnacle_backup.store.failures import store_error
from pinnacle_backup.store.locks import lock
from pinnacle_backup.store.streams import FileSink, FileSource, sync_folder
from pinnacle_backup.store.system import System, opened


@dataclass(frozen=True)
class LocalStore:
    """
    A folder whose ordinary files are objects. See ``store.base.Store`` for what each method promises.

    Attributes:
        directory: Absolute path of the folder; made, for its owner alone, when something is stored.
        system: The operating system.
    """

    directory: str
    system: System = field(default_factory=System)

    def __post_init__(self) -> None:
        if not os.path.isabs(self.directory):
            raise UsageError(f"{printable(self.directory)} is not an absolute path")

    @property
    def reads_at_once(self) -> int:
        """One: the disk does not answer sooner when it is asked for more."""
        return 1

    @property
    def address(self) -> str:
        """The path of the folder."""
        return self.directory

    def list(self) -> Iterator[StoredObject]:
        """List the ordinary files but hidden and unfinished ones."""
        try:
            for entry in self.system.scan(self.directory):
                if not entry.name.startswith(".") and not entry.name.endswith(PARTIAL):
                    with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                        yield from _regular(entry)
        except OSError as error:
            raise store_error(error, "list", self.directory) from error

    def open(self, name: str) -> ByteSource:
        """Open a file for reading at any place."""
        return FileSource(self.system, self._path(name))

    def create(self, name: str, *, size: int = 0) -> ByteSink:  # noqa: ARG002 - files grow as needed
        """Begin ``NAME.partial``."""
        return self._sink(name, replace=False)

    def put(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """Store a small file; an empty one needs no second name, and so no lock."""
        if not data:
            self._put_empty(name, replace=replace)
            return
        sink = self._sink(name, replace=replace)
        sink.write(data)
        sink.commit()

    def patch(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes inside a file, durably."""
        path = self._path(name)
        with self._failures("change", path), opened(self.system, path, os.O_WRONLY) as fd:
            if offset < 0 or offset + len(data) > self.system.stat(fd).st_size:
                raise UsageError(f"{printable(path)}: bytes {offset} to {offset + len(data)} are not inside")
            view = memoryview(data)
            while view:
                count = self.system.write_at(fd, view, offset)
                view, offset = view[count:], offset + count
            self.system.sync(fd)

    def delete(self, name: str) -> None:
        """Remove a file, durably."""
        path = self._path(name)
        with self._failures("delete", path):
            self.system.unlink(path)
            sync_folder(self.system, self.directory)

    def exists(self, name: str) -> bool:
        """Tell whether there is such an ordinary file."""
        try:
            self.stat(name)
        except ObjectNotFound:
            return False
        return True

    def stat(self, name: str) -> StoredObject:
        """Return size and time of an ordinary file."""
        path = self._path(name)
        with self._failures("look for", path):
            status = self.system.stat(path)
            if not stat.S_ISREG(status.st_mode):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return StoredObject(name, status.st_size, status.st_mtime_ns)

    def protected_until(self, name: str) -> None:
        """Files can always be deleted, but missing ones."""
        self.stat(name)

    def sweep(self, belongs: Callable[[str], bool]) -> tuple[str, ...]:
        """Remove the ``.partial`` files that are ours and return their names."""
        with self._failures("sweep", self.directory):
            entries = [entry for entry in self.system.scan(self.directory) if entry.name.endswith(PARTIAL)]
            files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
            left = tuple(name for name in files if belongs(name.removesuffix(PARTIAL)))
            for name in left:
                self.system.unlink(os.path.join(self.directory, name))
        return left

    def read_note(self) -> bytes:
        """Return nothing: what is on a disk is read as quickly as a note of it."""
        return b""

    def write_note(self, data: bytes) -> None:
        """Leave none; see ``read_note``."""

    def drop_cache(self, name: str) -> None:
        """Have the next reads of a durable file come from the disk."""
        path = self._path(name)
        with self._failures("read", path), opened(self.system, path, os.O_RDONLY) as fd:
            self.system.drop_cache(fd)

    def free_bytes(self) -> int:
        """Return how many more bytes the file system takes from an ordinary user."""
        with self._failures("measure", self.directory):
            return self.system.free(_existing(self.directory))

    def lock(
        self, name: str, *, shared: bool, wait_seconds: float, owner: str
    ) -> AbstractContextManager[None]:
        """Hold the lock file ``.NAME.lock`` of the folder."""
        if not shared:
            self._make_folder()
        return lock(self.directory, name, shared=shared, wait_seconds=wait_seconds, owner=owner)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, check_name(name))

    def _sink(self, name: str, *, replace: bool) -> FileSink:
        path = self._path(name)
        if not replace and self.exists(name):
            raise store_error(FileExistsError(errno.EEXIST, ""), "create", path)
        self._make_folder()
        return FileSink(self.system, path, replace=replace)

    def _put_empty(self, name: str, *, replace: bool) -> None:
        path, how = self._path(name), os.O_TRUNC if replace else os.O_EXCL
        self._make_folder()
        with self._failures("create", path):
            with opened(self.system, path, os.O_WRONLY | os.O_CREAT | how) as fd:
                self.system.sync(fd)
            sync_folder(self.system, self.directory)

    def _make_folder(self) -> None:
        made = _missing(self.directory.rstrip("/"))
        with self._failures("make the folder", self.directory), contextlib.suppress(FileExistsError):
            self.system.make_folder(self.directory)
            for folder in made:
                sync_folder(self.system, os.path.dirname(folder))

    @contextlib.contextmanager
    def _failures(self, doing: str, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise store_error(error, doing, path) from error


def _regular(entry: os.DirEntry[str]) -> Iterator[StoredObject]:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        yield StoredObject(entry.name, status.st_size, status.st_mtime_ns)


def _missing(folder: str) -> list[str]:
    """Return the folder and those above it that do not exist, the uppermost first."""
    missing = []
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    return missing[::-1]


def _existing(folder: str) -> str:
    """Return the folder, or the nearest one above it that exists."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
