"""
Carrying out a restore's plan.

Databases that programs have open come first, then folders, then files by the workers, then links,
then what is to go, and last the metadata of folders, deepest first: nothing that is done later disturbs
what was done before.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

import msgspec

from pinnacle_backup.engine.grouping import Item, group
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.places import Places
from pinnacle_backup.engine.restore_files import Written, restore_files
from pinnacle_backup.engine.restore_live import DatabaseInUse, staged
from pinnacle_backup.engine.restore_plan import Fate, Fates
from pinnacle_backup.engine.unordered import Unordered
from pinnacle_backup.engine.workers import Workers
from pinnacle_backup.errors import PinnacleError, RestoreError
from pinnacle_backup.files.target import TargetTree
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FILE, SYMLINK, Entry
from pinnacle_backup.model.paths import order_key, parent, printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.sources.sqlite import replace_content

_WRITES: Final = frozenset({Fate.CREATE, Fate.OVERWRITE})
_STAYS: Final = frozenset({Fate.UNCHANGED, Fate.METADATA})

Action = Callable[[TargetTree, str], list[str] | None]


@dataclass
class Execution:
    """
    Carries out one plan.

    Attributes:
        entries: What is restored: what ``Selection.entries`` yields.
        fates: What happens to each of these.
        places: Where to.
        workers, opener: For writing files.
        live: Databases that are changed while programs have them open.
        scratch: Folder for temporary files.
        wait: Seconds to wait for those programs.
        restored, removed, nbytes: What was done.
        problems: Paths that failed.
        notes: What could not be applied.
    """

    entries: Iterable[Item]
    fates: Fates
    places: Places
    workers: Workers
    opener: OpenByName
    _: KW_ONLY
    live: tuple[DatabaseInUse, ...]
    scratch: str
    wait: float
    restored: int = 0
    removed: int = 0
    nbytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    _trees: dict[str, TargetTree] = field(default_factory=dict)
    _folders: list[Entry] = field(default_factory=list)
    _links: list[tuple[str, str]] = field(default_factory=list)
    _last: list[Entry] = field(default_factory=list)
    _removals: list[str] = field(default_factory=list)
    _groups: dict[str, str] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)
    """Folders in which something has changed."""

    def carry_out(self, progress: Progress) -> None:
        self._tree(self.places.target)
        progress.phase("restore", total_bytes=self.fates.nbytes)
        try:
            self._write_files(progress)
            self._make_links()
            self._remove()
            self._finish_folders()
            progress.phase("sync")
            self._sync()
        except OSError as error:
            raise RestoreError(
                f"the restore stopped: {printable(self.places.target)}: {os.strerror(error.errno or 0)}",
                hint="what was restored so far is whole; make room, then run the same command again",
            ) from error
        finally:
            for tree in self._trees.values():
                tree.close()

    def _write_files(self, progress: Progress) -> None:
        """Have the workers write all files, in whatever order they are done; tell of them in path order."""

        def done(written: Written) -> None:
            self.restored += written.done
            self.nbytes += written.nbytes
            self.problems += written.problems
            self.notes += written.notes
            progress.advance(items=written.done, path=written.last)

        with Unordered(self.workers, lambda count: progress.advance(nbytes=count)) as tasks:
            self._change_live(tasks, progress, done)
            for items in group(self._files(), total=self.fates.nbytes):
                tasks.call(done, restore_files, self.places, Packed(items), self.opener)
        for told in (self.problems, self.notes):
            told.sort(key=lambda problem: order_key(problem.path))

    def _change_live(self, tasks: Unordered, progress: Progress, done: Callable[[Written], None]) -> None:
        """Change what is in use: all of it is read and checked before the first is touched."""
        if not self.live:
            return
        with staged(self.live, self.scratch, tasks, self.opener, done) as contents:
            for used, content in contents:
                progress.advance(path=used.path)
                try:
                    replace_content(used.absolute, content, seconds=self.wait, advance=progress.advance)
                except PinnacleError as error:
                    self.restored -= 1
                    self.problems.append(Problem(printable(used.path), error.message))
                else:
                    self.notes.append(used.note())

    def _files(self) -> Iterator[Item]:
        """Make folders on the way; yield the files to write."""
        live = {used.path for used in self.live}
        for (entry, archives), fate in zip(self.entries, self.fates.codes, strict=True):
            if entry.type == ABSENT:
                if fate == Fate.REMOVE:
                    self._removals.append(entry.path)
            elif entry.type == DIRECTORY:
                self._folder(entry, fate)
            elif fate in _WRITES and entry.path not in live:
                if entry.type == FILE and not self._is_later_name(entry):
                    self._touched.add(parent(entry.path))
                    yield entry, archives
                elif entry.type != FILE:
                    self._last.append(entry)
            elif fate == Fate.METADATA:
                self.restored += self._guarded(entry.path, _on_entry(TargetTree.apply_metadata, entry))
            if entry.group and fate in _STAYS:
                self._groups.setdefault(entry.group, entry.path)

    def _folder(self, entry: Entry, fate: int) -> None:
        if fate in _WRITES:
            self.restored += self._guarded(entry.path, TargetTree.open_folder)
        if fate in _WRITES or fate in (Fate.METADATA, Fate.UNCHANGED):
            self._folders.append(entry)

    def _is_later_name(self, entry: Entry) -> bool:
        if not entry.group:
            return False
        first = self._groups.setdefault(entry.group, entry.path)
        if first == entry.path:
            return False
        self._links.append((entry.path, first))
        return True

    def _make_links(self) -> None:
        failed = {problem.path for problem in self.problems}
        for path, first in self._links:
            if printable(first) in failed:  # what has that name now is not what was backed up
                reason = f"is the same file as {printable(first)}, which was not restored"
                self.problems.append(Problem(printable(path), reason))
            else:
                self.restored += self._guarded(path, _link_to(self.places.of(first)[1]))
        for entry in self._last:
            make = TargetTree.symlink if entry.type == SYMLINK else TargetTree.fifo
            self.restored += self._guarded(entry.path, _on_entry(make, entry))

    def _remove(self) -> None:
        """Remove deepest paths first, so that folders are empty when their turn comes."""
        for path in sorted((*self._removals, *self.fates.extras), reverse=True):
            self.removed += self._guarded(path, _remove_one)

    def _finish_folders(self) -> None:
        for entry in reversed(self._folders):
            self._guarded(entry.path, _on_entry(TargetTree.finish_folder, entry))
        for tree in self._trees.values():  # the targets themselves are no entries
            tree.sweep("")

    def _sync(self) -> None:
        """Make all durable, also in folders that are no entries of this restore: these may be other disks."""
        for folder in self._touched.difference(entry.path for entry in self._folders):
            root, place = self.places.of(folder)
            with suppress(OSError, PinnacleError):  # gone, or never reached: that was told of its paths
                self._tree(root).will_sync(place)
        for tree in self._trees.values():
            tree.sync()

    def _guarded(self, path: str, action: Action) -> bool:
        """Do something to one path, and tell whether it went well; its failure is that path's alone."""
        root, place = self.places.of(path)
        try:
            notes = action(self._tree(root), place)
        except (OSError, PinnacleError) as error:
            reason = error.message if isinstance(error, PinnacleError) else os.strerror(error.errno or 0)
            self.problems.append(Problem(printable(path), reason))
            return False
        self.notes += [Problem(printable(path), note) for note in notes or ()]
        self._touched.add(parent(path))
        return True

    def _tree(self, root: str) -> TargetTree:
        if root not in self._trees:
            self._trees[root] = TargetTree.open(root)
        return self._trees[root]


def _remove_one(tree: TargetTree, path: str) -> None:
    """Remove a path; a folder that still holds something stays."""
    status = tree.stat(path)
    if status is None:
        return
    if stat.S_ISDIR(status.st_mode):
        tree.remove_folder_if_empty(path)
    else:
        tree.remove(path)


def _on_entry(method: Callable[[TargetTree, Entry], list[str]], entry: Entry) -> Action:
    """Return the action that does something with an entry at its place in the target."""

    def action(tree: TargetTree, path: str) -> list[str]:
        return method(tree, entry if entry.path == path else msgspec.structs.replace(entry, path=path))

    return action


def _link_to(first: str) -> Action:
    return lambda tree, path: tree.link(path, first)
