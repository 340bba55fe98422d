"""Compare two backups, or a backup and the files as they are now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pinnacle_backup.app.opening import Opened, open_backup
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.protection import outside, present_sources, rules_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.differences import diff
from pinnacle_backup.engine.live import diff_live
from pinnacle_backup.engine.places import Places
from pinnacle_backup.engine.sections import Unread
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.queries import Difference
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.scan import Found, scan


@dataclass(frozen=True)
class Compared:
    """
    Two states side by side.

    Attributes:
        first: The backup.
        second: The other one; None for the files as they are now.
        differences: In path order; read once.
    """

    first: BackupInfo
    second: BackupInfo | None
    differences: Iterator[Difference]


@contextmanager
def compare(
    studio: Studio,
    first: str,
    second: str | None,
    *,
    paths: tuple[str, ...],
    passwords: PasswordSource,
) -> Iterator[Compared]:
    """
    Give what differs, for the time of the block.

    Raises:
        BackupNotFound: There is no such backup.
    """
    with ExitStack() as stack:
        one = open_backup(studio, first, passwords)
        before = _state(stack, one)
        if second is None:
            yield Compared(one.info, None, _with_disk(studio, before, paths))
            return
        other = open_backup(studio, second, passwords)
        yield Compared(one.info, other.info, diff(before, _state(stack, other), paths=paths))


def _state(stack: ExitStack, opened: Opened) -> State:
    state = opened.state()
    stack.callback(state.close)
    return state


def _with_disk(studio: Studio, state: State, paths: tuple[str, ...]) -> Iterator[Difference]:
    problems: list[Problem] = []
    wanted = [path for path in paths if os.path.lexists(os.path.join(studio.root, path))]
    sources = wanted if paths else present_sources(studio)
    found: Iterator[Found] = iter(())
    if sources:
        found = scan(studio.root, sources, rules=rules_of(studio), problems=problems)
    places = Places(studio.root, outside(studio))
    return diff_live(state, places, found, paths=paths, unread=Unread(problems).covers)
