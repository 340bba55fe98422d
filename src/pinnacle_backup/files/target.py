"""
What a restore writes through: one folder, and nothing outside it.

Every call works on descriptors reached part by part without following links; new content
appears under a temporary name and is renamed, so that no name ever holds half a file.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache
from pinnacle_backup.files.metadata import apply
from pinnacle_backup.files.pending import PendingFile
from pinnacle_backup.files.removal import make_usable, remove_tree
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import parent, printable

__all__ = ["PendingFile", "TargetTree"]

_TEMPORARY: Final = re.compile(r"\.pinnacle-([0-9a-f]{8})-\d+\.tmp")


class TargetTree:
    """
    A folder that is restored into. For one thread.

    Whatever stands at a path is replaced, a folder with all that it holds: who plans a restore
    has to have saved that before.

    Args:
        root: Its absolute path; made where it is missing.
    """

    def __init__(self, root: str) -> None:
        os.makedirs(root, 0o700, exist_ok=True)
        self.root = root
        self._folders = DirectoryCache.open(root)
        self._privileged = os.geteuid() == 0
        self._token = secrets.token_hex(4)
        self._count = 0
        self._file_systems: dict[int, int] = {}
        self.will_sync("")

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
        return PendingFile(
            self._folders,
            path,
            self._temporary(),
            privileged=self._privileged,
            take_name=self._take_name,
        )

    def open_folder(self, path: str) -> None:
        """Make a folder if there is none, in place of whatever else has its name."""
        folder, name = self._folders.parent(path, create=True)
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                self._replace_by_folder(folder, name)
            elif not self._privileged:
                make_usable(folder, name)

    def finish_folder(self, entry: Entry) -> list[str]:
        """Give a folder its metadata, when all in it is done; return what could not be applied."""
        self.will_sync(entry.path)
        descriptor = self._open_listed(entry.path)
        if descriptor is None:
            return self.apply_metadata(entry)
        try:
            self._sweep(entry.path, descriptor)
            return apply(descriptor, "", entry, privileged=self._privileged)
        finally:
            os.close(descriptor)

    def symlink(self, entry: Entry) -> list[str]:
        """Make a symlink, in place of whatever has its name."""
        if not entry.target or "\0" in entry.target:
            raise RestoreError(
                f"{printable(entry.path)}: {printable(entry.target)!r} cannot be a link's target"
            )
        return self._place(entry, lambda name, folder: os.symlink(entry.target, name, dir_fd=folder))

    def fifo(self, entry: Entry) -> list[str]:
        """Make a FIFO, in place of whatever has its name."""
        return self._place(entry, lambda name, folder: os.mkfifo(name, 0o600, dir_fd=folder))

    def link(self, path: str, first: str) -> None:
        """Make ``path`` another name of the file ``first``."""
        folder, name = self._folders.parent(first)
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise RestoreError(f"{printable(first)} is not an ordinary file")
        first_folder = os.dup(folder)
        try:
            folder, _ = self._folders.parent(path, create=True)
            temporary = self._temporary()
            os.link(name, temporary, src_dir_fd=first_folder, dst_dir_fd=folder, follow_symlinks=False)
            try:
                self._take_name(path, temporary, folder)
            finally:  # between two names of one inode, rename does nothing
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
        finally:
            os.close(first_folder)

    def apply_metadata(self, entry: Entry) -> list[str]:
        """
        Give what is there the metadata of the entry; return what could not be applied.

        Raises:
            FileNotFoundError: Nothing of the entry's type is there.
        """
        folder, name = self._folders.parent(entry.path)
        return apply(folder, name, entry, privileged=self._privileged)

    def remove(self, path: str) -> None:
        """Remove a path, a folder with all that it holds; nothing where there is nothing."""
        remove_tree(self._folders, path)

    def remove_folder_if_empty(self, path: str) -> bool:
        """Remove a folder that holds nothing; tell whether it is gone."""
        try:
            folder, name = self._folders.parent(path)
            os.rmdir(name, dir_fd=folder)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def sweep(self, path: str) -> None:
        """Remove what a killed restore left in a folder."""
        descriptor = self._open_listed(path)
        if descriptor is not None:
            try:
                self._sweep(path, descriptor)
            finally:
                os.close(descriptor)

    def will_sync(self, path: str) -> None:
        """Have ``sync`` reach a folder's file system; it reaches the root's and those of finished folders."""
        folder = self._folders.folder(path)
        device = os.fstat(folder).st_dev
        if device not in self._file_systems:
            self._file_systems[device] = os.open(".", FOLDER_FLAGS, dir_fd=folder)

    def sync(self) -> None:
        """Make all that was written durable, in every file system that it lies in."""
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
            return
        for descriptor in self._file_systems.values():
            if syncfs(descriptor):
                reason = os.strerror(ctypes.get_errno())
                raise RestoreError(f"{printable(self.root)}: what was restored is not durable: {reason}")

    def close(self) -> None:
        """Close all descriptors; harmless when called twice."""
        self._folders.close()
        for descriptor in self._file_systems.values():
            os.close(descriptor)
        self._file_systems.clear()

    def _open_listed(self, path: str) -> int | None:
        """Open a folder for listing; None where that is not allowed, as then nobody restored into it."""
        try:
            return os.open(".", FOLDER_FLAGS, dir_fd=self._folders.folder(path))
        except PermissionError:
            return None

    def _sweep(self, path: str, descriptor: int) -> None:
        for name in os.listdir(descriptor):
            match = _TEMPORARY.fullmatch(name)
            if match and match[1] != self._token:
                self.remove(f"{path}/{name}" if path else name)

    def _place(self, entry: Entry, make: Callable[[str, int], None]) -> list[str]:
        """Make something that has no content, complete it, and give it its name."""
        folder, _ = self._folders.parent(entry.path, create=True)
        temporary = self._temporary()
        make(temporary, folder)
        try:
            notes = apply(folder, temporary, entry, privileged=self._privileged)
            self._take_name(entry.path, temporary, folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        return notes

    def _take_name(self, path: str, temporary: str, folder: int) -> None:
        """Rename what is complete, in place of whatever has its name."""
        name = path.rpartition("/")[2]
        try:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except IsADirectoryError:
            aside = self._temporary()
            os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
            try:
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
                raise
            above = parent(path)
            self.remove(f"{above}/{aside}" if above else aside)

    def _replace_by_folder(self, folder: int, name: str) -> None:
        """Put an empty folder in place of what is not one; that stays if no folder can be made."""
        temporary = self._temporary()
        os.mkdir(temporary, 0o700, dir_fd=folder)
        os.unlink(name, dir_fd=folder)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _temporary(self) -> str:
        self._count += 1
        return f".pinnacle-{self._token}-{self._count}.tmp"
