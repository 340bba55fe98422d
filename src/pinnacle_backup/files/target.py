"""
What a restore writes through: one folder, and nothing outside it.

Every call works on descriptors reached part by part without following links; new content
appears under a temporary name and is renamed, so that no name ever holds half a file.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import stat
from typing import Final, Self

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache
from pinnacle_backup.files.metadata import apply
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import Buffer

_TEMPORARY: Final = ".pinnacle-restore-"
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class TargetTree:
    """
    A folder that is restored into.

    Args:
        root: Its absolute path; made where it is missing.
    """

    def __init__(self, root: str) -> None:
        os.makedirs(root, 0o700, exist_ok=True)
        self.root = root
        self._folders = DirectoryCache.open(root, create=True)
        self._privileged = os.geteuid() == 0
        self._swept: set[str] = set()
        self._prefix = f"{_TEMPORARY}{secrets.token_hex(4)}-"
        self._count = 0

    @classmethod
    def open(cls, root: str) -> Self:
        """Return the tree of an absolute path."""
        return cls(root)

    def stat(self, path: str) -> os.stat_result | None:
        """Return what is there, links not followed; None where there is nothing."""
        try:
            folder, name = self._folders.parent(path)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def create_file(self, path: str) -> PendingFile:
        """Begin a file that takes its name when it is committed."""
        folder, name = self._folders.parent(path)
        temporary = self._temporary()
        descriptor = os.open(temporary, _CREATE, 0o600, dir_fd=folder)
        return PendingFile(self, os.dup(folder), descriptor, temporary, name)

    def open_folder(self, path: str) -> None:
        """Make a folder if there is none. What else has its name is removed first."""
        folder, name = self._folders.parent(path)
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=folder)
                os.mkdir(name, 0o700, dir_fd=folder)

    def finish_folder(self, entry: Entry) -> list[str]:
        """Give a folder its metadata; return what could not be applied."""
        return apply(self._folders.folder(entry.path), "", entry, privileged=self._privileged)

    def symlink(self, entry: Entry) -> list[str]:
        """Make a symlink, in place of whatever file has its name."""
        folder, name = self._folders.parent(entry.path)
        temporary = self._temporary()
        os.symlink(entry.target, temporary, dir_fd=folder)
        return self._place(folder, temporary, name, entry)

    def fifo(self, entry: Entry) -> list[str]:
        """Make a FIFO, in place of whatever file has its name."""
        folder, name = self._folders.parent(entry.path)
        temporary = self._temporary()
        os.mkfifo(temporary, 0o600, dir_fd=folder)
        return self._place(folder, temporary, name, entry)

    def link(self, path: str, first: str) -> None:
        """Make ``path`` another name of the file ``first``."""
        folder, name = self._folders.parent(first)
        folder = os.dup(folder)
        temporary = self._temporary()
        try:
            if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise RestoreError(f"{printable(first)} is not an ordinary file")
            own, own_name = self._folders.parent(path)
            os.link(name, temporary, src_dir_fd=folder, dst_dir_fd=own, follow_symlinks=False)
            os.rename(temporary, own_name, src_dir_fd=own, dst_dir_fd=own)
            if _exists(own, temporary):  # between two names of one inode, rename does nothing
                os.unlink(temporary, dir_fd=own)
        finally:
            os.close(folder)

    def apply_metadata(self, entry: Entry) -> list[str]:
        """Give what is there the metadata of the entry; return what could not be applied."""
        folder, name = self._folders.parent(entry.path)
        try:
            descriptor = os.open(
                name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
            )
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENXIO, errno.EACCES):
                raise
            return apply(folder, name, entry, privileged=self._privileged)
        try:
            return apply(descriptor, "", entry, privileged=self._privileged)
        finally:
            os.close(descriptor)

    def remove(self, path: str) -> None:
        """Remove a path, a folder with all that it holds; nothing where there is nothing."""
        try:
            folder, name = self._folders.parent(path)
            _remove(folder, name)
        except (FileNotFoundError, NotADirectoryError):
            return
        self._folders.forget()

    def remove_folder_if_empty(self, path: str) -> bool:
        """Remove a folder that holds nothing; tell whether it is gone."""
        try:
            folder, name = self._folders.parent(path)
            os.rmdir(name, dir_fd=folder)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        self._folders.forget()
        return True

    def sweep(self, path: str) -> None:
        """Remove what a killed restore left in a folder."""
        folder = self._folders.folder(path)
        for name in os.listdir(folder):
            if name.startswith(_TEMPORARY) and not name.startswith(self._prefix):
                _remove(folder, name)

    def sync(self) -> None:
        """Make all that was written durable."""
        folder = self._folders.folder("")
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "syncfs"):
            os.sync()
        elif libc.syncfs(folder):
            code = ctypes.get_errno()
            raise RestoreError(
                f"{printable(self.root)}: what was restored is not durable: {os.strerror(code)}"
            )

    def close(self) -> None:
        """Close all descriptors."""
        self._folders.close()

    def commit(self, pending: PendingFile, entry: Entry) -> list[str]:
        """Give a new file its metadata, then its name."""
        notes = apply(pending.descriptor, "", entry, privileged=self._privileged)
        try:
            os.rename(pending.temporary, pending.name, src_dir_fd=pending.folder, dst_dir_fd=pending.folder)
        except IsADirectoryError:
            _remove(pending.folder, pending.name)
            os.rename(pending.temporary, pending.name, src_dir_fd=pending.folder, dst_dir_fd=pending.folder)
        return notes

    def _place(self, folder: int, temporary: str, name: str, entry: Entry) -> list[str]:
        notes = apply(folder, temporary, entry, privileged=self._privileged)
        try:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except IsADirectoryError:
            _remove(folder, name)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return notes

    def _temporary(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"


class PendingFile:
    """A file without its name yet. Close it by ``commit`` or ``abort``."""

    def __init__(self, tree: TargetTree, folder: int, descriptor: int, temporary: str, name: str) -> None:
        self._tree = tree
        self.folder = folder
        self.descriptor = descriptor
        self.temporary = temporary
        self.name = name
        self._position = 0

    def write(self, data: Buffer) -> None:
        """Append content."""
        view = memoryview(data)
        while view:
            written = os.write(self.descriptor, view)
            view = view[written:]

    def skip(self, length: int) -> None:
        """Leave a hole."""
        os.lseek(self.descriptor, length, os.SEEK_CUR)

    def set_size(self, size: int) -> None:
        """End the file there; what was not written is a hole."""
        os.ftruncate(self.descriptor, size)

    def commit(self, entry: Entry) -> list[str]:
        """Give the file its metadata and its name; return what could not be applied."""
        try:
            return self._tree.commit(self, entry)
        except BaseException:
            self._discard()
            raise
        finally:
            self._close()

    def abort(self) -> None:
        """Forget the file."""
        if self.descriptor >= 0:
            self._discard()
            self._close()

    def _discard(self) -> None:
        try:
            os.unlink(self.temporary, dir_fd=self.folder)
        except FileNotFoundError:
            return

    def _close(self) -> None:
        os.close(self.descriptor)
        os.close(self.folder)
        self.descriptor = -1


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _remove(folder: int, name: str) -> None:
    """Remove a name, and if it is a folder all below it, without recursion and without following links."""
    try:
        os.unlink(name, dir_fd=folder)
        return
    except IsADirectoryError:
        pass
    except PermissionError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise
    _empty(os.open(name, FOLDER_FLAGS, dir_fd=folder))
    os.rmdir(name, dir_fd=folder)


def _empty(descriptor: int) -> None:
    """Remove all that a folder holds, and close its descriptor."""
    stack = [(descriptor, os.listdir(descriptor))]
    while stack:
        current, names = stack[-1]
        if not names:
            os.close(current)
            stack.pop()
            if stack:
                above, waiting = stack[-1]
                os.rmdir(waiting.pop(), dir_fd=above)
            continue
        name = names[-1]
        if stat.S_ISDIR(os.stat(name, dir_fd=current, follow_symlinks=False).st_mode):
            inner = os.open(name, FOLDER_FLAGS, dir_fd=current)
            stack.append((inner, os.listdir(inner)))
        else:
            os.unlink(names.pop(), dir_fd=current)
