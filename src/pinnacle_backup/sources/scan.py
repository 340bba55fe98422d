"""
Walking the sources: every path once, in path order, by descriptors, at any depth.

Memory is bounded by the names in the folders on the way to the current path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import Final, NamedTuple

from pinnacle_backup.errors import SourceError
from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache
from pinnacle_backup.model.entry import DIRECTORY, TYPE_OF_MODE
from pinnacle_backup.model.paths import EXTERNAL, INTERNAL, order_key, parent, printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.section import Section
from pinnacle_backup.sources.selection import select

EVERYTHING: Final = Section()
_NOTHING_THERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_CACHE_TAG: Final = "CACHEDIR.TAG"
_CACHE_SIGNATURE: Final = b"Signature: 8a477f597d28d172789f06886806bc55"


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
    What a scan leaves out below the sources; what is named as a source is always in.

    Attributes:
        exclude: The administrator's patterns.
        exclude_caches: Whether folders marked with CACHEDIR.TAG keep only the mark (bford.info/cachedir).
        one_file_system: Whether other file systems than the source's own are not entered.
        skip: Absolute paths that are never looked at, whatever name leads to them.
    """

    exclude: Excluder = field(default_factory=Excluder)
    exclude_caches: bool = True
    one_file_system: bool = False
    skip: Collection[str] = ()


def scan(
    root: str,
    sources: Iterable[str],
    *,
    rules: Rules,
    problems: list[Problem],
    section: Section = EVERYTHING,
) -> Iterator[Found]:
    """
    Yield all that the sources hold, in path order.

    Folders between the root and a source are yielded too, so that a restore makes them as they were.
    Sockets are passed over: they mean nothing without the process that listens.

    Args:
        root: The studio root, absolute.
        sources: Paths relative to the root, or absolute; they may overlap.
        rules: What is left out.
        problems: Receives what cannot be read.
        section: Only paths of this section of path order.

    Raises:
        SourceError: A source does not exist, or vanishes: an empty backup must not look like a good one.
    """
    selected = select(root, sources)
    inside = _Walk(root, "", rules, problems, section).walk(selected.inside)
    if not selected.outside:
        return inside
    outside = _Walk("/", EXTERNAL + "/", rules, problems, section).walk(selected.outside)
    return merge(inside, outside, key=lambda found: order_key(found.path))


def found_at(folders: DirectoryCache, path: str) -> Found | None:
    """Return what is at one path below a folder; None where nothing is."""
    try:
        folder, name = folders.parent(path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return None
        raise
    return Found(path, TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode), "other"), status)


class _Walk:
    """
    Walks sources below one folder.

    Args:
        base: Absolute path of the folder.
        prefix: What the backup puts before paths below it.
        rules: What is left out.
        problems: Receives what cannot be read.
        section: What is looked at.
    """

    def __init__(
        self, base: str, prefix: str, rules: Rules, problems: list[Problem], section: Section
    ) -> None:
        self._base = base
        self._prefix = prefix
        self._rules = rules
        self._problems = problems
        self._skip = frozenset(_inodes(rules.skip))
        self._section = section
        self._before = section.above()

    def walk(self, tops: Iterable[str]) -> Iterator[Found]:
        """Yield the sources, which are in path order and not inside one another, with all around them."""
        last = ""
        with DirectoryCache.open(self._base) as self._folders:
            for top in tops:
                for above in _folders_above(top):
                    if not last.startswith(above + "/") and self._section.covers(self._prefix + above):
                        yield self._must_find(above)
                if self._section.touches(self._prefix + top if top else ""):
                    yield from self._walk_source(top)
                last = top

    def _walk_source(self, top: str) -> Iterator[Found]:
        if not top:
            status = os.fstat(self._folders.folder(""))
        else:
            source = self._must_find(top)
            status = source.status
            if (status.st_dev, status.st_ino) in self._skip or not self._is_kept(source):
                return
            if self._section.covers(source.path):
                yield source
            if source.type != DIRECTORY:
                return
        yield from self._walk_folder(top, status.st_dev)
        if self._must_find(top).status.st_dev != status.st_dev:
            raise self._missing(top, "its file system went away while it was read")

    def _walk_folder(self, top: str, device: int) -> Iterator[Found]:
        """Yield all below a folder, without recursion."""
        levels = self._level(top)
        while levels:
            folder, names = levels[-1]
            for found in self._look(folder, names):
                if found.path not in self._before:
                    yield found
                if found.type == DIRECTORY and not (
                    self._rules.one_file_system and found.status.st_dev != device
                ):
                    levels += self._level(found.path[len(self._prefix) :])
                    break
            else:
                levels.pop()

    def _look(self, folder: str, names: Iterator[str]) -> Iterator[Found]:
        """Yield the names of one folder that are to be backed up."""
        try:
            descriptor = self._folders.folder(folder)
        except OSError as error:
            self._note(folder, error)
            return
        above = self._prefix + folder + "/" if folder else self._prefix
        excludes = self._rules.exclude.excludes if self._rules.exclude else None
        for name in names:
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError as error:
                self._note(f"{folder}/{name}" if folder else name, error)
                continue
            found = Found(above + name, TYPE_OF_MODE.get(status.st_mode & 0o170000, ""), status)
            if not found.type and not self._is_kept(found):
                continue
            if self._skip and (status.st_dev, status.st_ino) in self._skip:
                continue
            if excludes and excludes(found.path[len(self._prefix) :], folder=found.type == DIRECTORY):
                continue
            yield found

    def _level(self, folder: str) -> list[tuple[str, Iterator[str]]]:
        """Return a folder with the names in it, in path order; nothing where it cannot be read."""
        try:
            descriptor = os.open(".", FOLDER_FLAGS, dir_fd=self._folders.folder(folder))
            try:
                names = os.listdir(descriptor)
                if self._rules.exclude_caches and _CACHE_TAG in names and _is_cache(descriptor):
                    names = [_CACHE_TAG]
            finally:
                os.close(descriptor)
        except OSError as error:
            self._note(folder, error)
            return []
        if not folder and not self._prefix and INTERNAL in names:
            names.remove(INTERNAL)  # its place in a backup is taken
        if self._section is not EVERYTHING:
            names = self._section.narrow((self._prefix + folder).rstrip("/"), names)
        names.sort(key=None if "".join(names).isascii() else to_bytes)
        return [(folder, iter(names))]

    def _must_find(self, path: str) -> Found:
        """Return a source, or a folder above one."""
        try:
            if not path:
                return Found("", DIRECTORY, os.stat(self._base))
            found = found_at(self._folders, path)
        except OSError as error:
            raise self._missing(path, error.strerror or "unknown error") from error
        if found is None:
            raise self._missing(path, "it went away while it was read")
        return found._replace(path=self._prefix + path)

    def _is_kept(self, found: Found) -> bool:
        """Tell whether a path is of a type that is backed up."""
        if stat.S_ISBLK(found.status.st_mode) or stat.S_ISCHR(found.status.st_mode):
            self._problems.append(Problem(printable(found.path), "is a device; devices are not backed up"))
        return stat.S_IFMT(found.status.st_mode) in TYPE_OF_MODE

    def _note(self, path: str, error: OSError) -> None:
        """Report what cannot be read; what has gone since its folder was listed is no problem."""
        if error.errno != errno.ENOENT:
            reason = error.strerror or "unknown error"
            self._problems.append(Problem(printable(self._prefix + path) or ".", reason))

    def _missing(self, path: str, reason: str) -> SourceError:
        return SourceError(
            f"the source {printable(os.path.join(self._base, path))!r} cannot be read: {reason}",
            hint="see to it, or take it out of backup.paths in config.json",
        )


def _folders_above(path: str) -> list[str]:
    above: list[str] = []
    while path := parent(path):
        above.append(path)
    return above[::-1]


def _inodes(paths: Iterable[str]) -> Iterator[tuple[int, int]]:
    for path in paths:
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        yield status.st_dev, status.st_ino


def _is_cache(folder: int) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(_CACHE_TAG, flags, dir_fd=folder)
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(_CACHE_SIGNATURE), 0) == _CACHE_SIGNATURE
    except OSError:
        return False
    finally:
        os.close(descriptor)
