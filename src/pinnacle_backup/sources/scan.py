"""
Walking the sources: every path once, in path order, by descriptors, at any depth.

Memory is bounded by the entries of the folders on the way to the current path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from pinnacle_backup.errors import SourceError
from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache
from pinnacle_backup.model.entry import DIRECTORY, TYPE_OF_MODE
from pinnacle_backup.model.paths import EXTERNAL, order_key, printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.exclude import Excluder

_CACHE_TAG: Final = "CACHEDIR.TAG"
_CACHE_SIGNATURE: Final = b"Signature: 8a477f597d28d172789f06886806bc55"
_MOST_OPEN: Final = 256


class Found(NamedTuple):
    """
    One path that exists.

    Attributes:
        path: As the backup names it.
        type: As in ``model.entry``.
        status: What ``lstat`` says of it.
    """

    path: str
    type: str
    status: os.stat_result

    @property
    def mode(self) -> int:
        """Permission bits."""
        return stat.S_IMODE(self.status.st_mode)

    @property
    def inode(self) -> tuple[int, int]:
        """Device and inode number: the same for all names of a file."""
        return self.status.st_dev, self.status.st_ino


@dataclass(frozen=True, kw_only=True)
class Rules:
    """
    What a scan leaves out.

    Attributes:
        exclude: The administrator's patterns.
        exclude_caches: Whether folders marked with CACHEDIR.TAG keep only the mark (bford.info/cachedir).
        one_file_system: Whether other file systems are not entered.
        skip: Absolute paths that are never looked at.
    """

    exclude: Excluder
    exclude_caches: bool = True
    one_file_system: bool = False
    skip: Collection[str] = ()


def scan(root: str, sources: Iterable[str], *, rules: Rules, problems: list[Problem]) -> Iterator[Found]:
    """
    Yield all that the sources hold, in path order.

    Folders between the root and a source are yielded too, so that a restore makes them as they were.

    Args:
        root: The studio root, absolute.
        sources: Paths relative to the root, or absolute; they may overlap.
        rules: What is left out.
        problems: Receives what cannot be read.

    Raises:
        SourceError: A source does not exist: an empty backup must not look like a good one.
    """
    tops = _tops(root, sources)
    walker = _Walker(root, rules, problems)
    given: set[str] = set()
    for top in tops:
        yield from walker.ancestors(top, given)
        yield from walker.walk(top)


def found_at(folders: DirectoryCache, path: str) -> Found | None:
    """Return what is at one path below a folder; None where nothing is, or nothing that is backed up."""
    try:
        folder, name = folders.parent(path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    kind = TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode), "other")
    return Found(path, kind, status)


def _tops(root: str, sources: Iterable[str]) -> list[str]:
    """Return the sources as a backup's paths, in path order, without those inside others."""
    absolutes = {os.path.normpath(os.path.join(root, source)): source for source in sources}
    for absolute, source in absolutes.items():
        _require(absolute, source, absolutes)
    inside = root.rstrip("/") + "/"
    paths = (_relative(absolute, inside) for absolute in absolutes)
    tops: list[str] = []
    for path in sorted(paths, key=order_key):
        if not tops or not (tops[-1] == "" or path.startswith(tops[-1] + "/")):
            tops.append(path)
    return tops


def _relative(absolute: str, inside: str) -> str:
    if absolute + "/" == inside:
        return ""
    return absolute[len(inside) :] if absolute.startswith(inside) else EXTERNAL + absolute


def _require(absolute: str, source: str, others: Collection[str]) -> None:
    """Refuse a source that is missing, or is a link to a folder that no source covers."""
    try:
        status = os.lstat(absolute)
    except OSError as error:
        raise SourceError(
            f"the source {printable(source)!r} cannot be read: {os.strerror(error.errno or 0)}",
            hint="create it, mount it, or take it out of backup.paths in config.json",
        ) from error
    target = os.path.realpath(absolute)
    if stat.S_ISLNK(status.st_mode) and os.path.isdir(target) and not _is_below(target, others):
        raise SourceError(
            f"the source {printable(source)!r} is a link, and the folder it leads to would not be in the backup",
            hint=f"add {printable(target)!r} to backup.paths in config.json",
        )


def _is_below(path: str, folders: Collection[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


class _Walker:
    """Walks one studio."""

    def __init__(self, root: str, rules: Rules, problems: list[Problem]) -> None:
        self._root = root
        self._rules = rules
        self._problems = problems
        self._excluding = bool(rules.exclude)
        inside = root.rstrip("/") + "/"
        self._skip = {_relative(os.path.normpath(path), inside) for path in rules.skip}

    def ancestors(self, top: str, given: set[str]) -> Iterator[Found]:
        """Yield the folders above a source that were not yielded yet."""
        parts = top.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if path in given or path == EXTERNAL or EXTERNAL.startswith(path + "/"):
                continue
            given.add(path)
            yield Found(path, DIRECTORY, os.stat(self._absolute(path)))

    def walk(self, top: str) -> Iterator[Found]:
        """Yield a source and all below it."""
        if not top:
            yield from self._walk_folder("", os.open(self._root, FOLDER_FLAGS))
            return
        absolute = self._absolute(top)
        status = os.lstat(absolute)
        kind = self._kind(top, status)
        if not kind or self._left_out(top, folder=kind == DIRECTORY):
            return
        yield Found(top, kind, status)
        if kind == DIRECTORY:
            descriptor = self._open(absolute, None, top)
            if descriptor >= 0:
                yield from self._walk_folder(top, descriptor)

    def _walk_folder(self, top: str, descriptor: int) -> Iterator[Found]:
        """Yield all below an open folder, whose descriptor is closed."""
        stack = [_Folder(top, descriptor, self._names(top, descriptor))]
        try:
            while stack:
                folder = stack[-1]
                name = next(folder.names, None)
                if name is None:
                    stack.pop().close()
                    continue
                if folder.descriptor < 0:
                    folder.descriptor = self._open_again(folder.path)
                found = self._look(folder, name)
                if found is None:
                    continue
                yield found
                if found.type == DIRECTORY and (inner := self._enter(folder, name, found)) is not None:
                    stack.append(inner)
                    if len(stack) > _MOST_OPEN:
                        stack[-_MOST_OPEN].close()
        finally:
            for folder in stack:
                folder.close()

    def _open_again(self, path: str) -> int:
        """Open a folder high above, whose descriptor was given back on the way down."""
        external = path.startswith(EXTERNAL + "/")
        with DirectoryCache.open("/" if external else self._root) as folders:
            return os.dup(folders.folder(path.removeprefix(EXTERNAL + "/") if external else path))

    def _look(self, folder: _Folder, name: str) -> Found | None:
        path = f"{folder.path}/{name}" if folder.path else name
        try:
            status = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._problems.append(Problem(printable(path), os.strerror(error.errno or 0)))
            return None
        kind = TYPE_OF_MODE.get(status.st_mode & 0o170000) or self._kind(path, status)
        if not kind:
            return None
        if path in self._skip or (self._excluding and self._left_out(path, folder=kind == DIRECTORY)):
            return None
        return Found(path, kind, status)

    def _enter(self, folder: _Folder, name: str, found: Found) -> _Folder | None:
        if self._rules.one_file_system and found.status.st_dev != os.fstat(folder.descriptor).st_dev:
            return None
        descriptor = self._open(name, folder.descriptor, found.path)
        if descriptor < 0:
            return None
        return _Folder(found.path, descriptor, self._names(found.path, descriptor))

    def _names(self, path: str, descriptor: int) -> Iterator[str]:
        try:
            names = os.listdir(descriptor)
        except OSError as error:
            self._problems.append(Problem(printable(path), os.strerror(error.errno or 0)))
            return iter(())
        if self._rules.exclude_caches and _CACHE_TAG in names and _is_cache(descriptor):
            names = [_CACHE_TAG]
        names.sort(key=None if "".join(names).isascii() else to_bytes)
        return iter(names)

    def _open(self, name: str, folder: int | None, path: str) -> int:
        try:
            return os.open(name, FOLDER_FLAGS, dir_fd=folder)
        except FileNotFoundError:
            return -1
        except OSError as error:
            self._problems.append(Problem(printable(path), os.strerror(error.errno or 0)))
            return -1

    def _kind(self, path: str, status: os.stat_result) -> str:
        kind = TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode), "")
        if not kind and not stat.S_ISSOCK(status.st_mode):
            self._problems.append(Problem(printable(path), "is a device; devices are not backed up"))
        return kind

    def _left_out(self, path: str, *, folder: bool) -> bool:
        return path in self._skip or self._rules.exclude.excludes(path, folder=folder)

    def _absolute(self, path: str) -> str:
        if path.startswith(EXTERNAL + "/"):
            return path[len(EXTERNAL) :]
        return os.path.join(self._root, path) if path else self._root


class _Folder:
    """An open folder with the names that are still to come."""

    def __init__(self, path: str, descriptor: int, names: Iterator[str]) -> None:
        self.path = path
        self.descriptor = descriptor
        self.names = names

    def close(self) -> None:
        """Give back the descriptor."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _is_cache(folder: int) -> bool:
    try:
        descriptor = os.open(
            _CACHE_TAG, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(_CACHE_SIGNATURE), 0) == _CACHE_SIGNATURE
    except OSError:
        return False
    finally:
        os.close(descriptor)
