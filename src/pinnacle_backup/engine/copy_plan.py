"""Which backups are copied to another place, which are there already, and which go there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.copies import (
    COPY,
    DELETE,
    DIFFERS,
    LEFT_OUT,
    STAYS,
    THERE,
    CopyPlan,
    PlannedCopy,
)
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.listing import Listing

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def plan(
    source: Listing,
    target: Listing,
    *,
    unwanted: Mapping[str, str] = _NONE,
    delete: bool = False,
    despite_half: bool = False,
) -> CopyPlan:
    """
    Decide for each backup in either place what becomes of it.

    A name that is taken there is never overwritten. What belongs to another studio never goes.

    Args:
        source: What there is here.
        target: What there is there.
        unwanted: Names of backups that would not stay there, and why.
        delete: Whether backups go there that are no longer here.
        despite_half: Whether even more than half of what is there may go.
    """
    decisions = list(_here(source, target, unwanted))
    gone = _Gone(source, target)
    suspended = gone.objection(despite_half=despite_half) if delete else ""
    decisions += gone.decisions(delete=delete and not suspended)
    return CopyPlan(backups=tuple(decisions), damaged=source.problems, suspended=suspended)


def _here(source: Listing, target: Listing, unwanted: Mapping[str, str]) -> Iterator[PlannedCopy]:
    there = {info.name: info for info in target.backups}
    broken = {problem.path: problem.reason for problem in target.problems}
    for info in needed_first(source.backups):
        if info.name in there:
            yield _compared(info, there[info.name])
        elif printable(info.name) in broken:
            yield _planned(info, DIFFERS, f"cannot be read there: {broken[printable(info.name)]}")
        elif info.name in unwanted:
            yield _planned(info, LEFT_OUT, unwanted[info.name])
        else:
            yield _planned(info, COPY, "not there yet")


def _compared(info: BackupInfo, other: BackupInfo) -> PlannedCopy:
    if other.header.repository != info.header.repository:
        advice = "give each studio a folder or prefix of its own"
        return _planned(info, DIFFERS, f"a backup of another studio has its name there: {advice}")
    if other.header.id != info.header.id:
        return _planned(info, DIFFERS, "another backup has its name there")
    if other.stored != info.stored:
        return _planned(info, DIFFERS, f"has {other.stored:,} bytes there, {info.stored:,} here")
    return _planned(info, THERE, "in both places")


def needed_first(backups: Iterable[BackupInfo]) -> Iterator[BackupInfo]:
    """
    Yield the newest first, but each only after all that it needs.

    So the newest state is safe first, and no backup is ever in a place without those that it needs.
    """
    listed = tuple(backups)
    reach, by_id = Reach(listed), _by_id(listed)
    seen: set[str] = set()
    for info in listed:
        needed = [other for identity in reach.needs(info) for other in by_id.get(identity, ())]
        for each in (*reversed(reach.dependents_first(needed)), info):
            if each.name not in seen:
                seen.add(each.name)
                yield each


class _Gone:
    """What is there and no longer here."""

    def __init__(self, source: Listing, target: Listing) -> None:
        self._source, self._target = source, target
        names = {info.name for info in source.backups}
        self._extra = tuple(info for info in target.backups if info.name not in names)
        self._studios = {info.header.repository for info in source.backups}
        self._stays = self._reasons()

    def objection(self, *, despite_half: bool) -> str:
        """Return why nothing goes; empty when it may."""
        if not self._source.backups:
            return "there is no backup here: that looks like a loss, not like a clean-up"
        if self._source.problems:
            return "not all archives here can be read"
        going = [info for info in self._extra if info.name not in self._stays]
        ours = [info for info in self._target.backups if info.header.repository in self._studios]
        if len(going) * 2 > len(ours) and not despite_half:
            return (
                f"{len(going)} of {len(ours)} backups there would go, more than half: add --yes if they may"
            )
        return ""

    def decisions(self, *, delete: bool) -> Iterator[PlannedCopy]:
        """Yield what becomes of each, dependents first."""
        for info in Reach(self._target.backups).dependents_first(self._extra):
            if reason := self._stays.get(info.name):
                yield _planned(info, STAYS, reason)
            elif delete:
                yield _planned(info, DELETE, "no longer here")
            else:
                yield _planned(info, STAYS, "no longer here, and nothing is deleted there")

    def _reasons(self) -> dict[str, str]:
        reasons = {info.name: reason for info in self._extra if (reason := self._own_reason(info))}
        going = {info.name for info in self._extra} - reasons.keys()
        kept = [info for info in self._target.backups if info.name not in going]
        for info, users in Reach(self._target.backups).needed_by(kept):
            if info.name in going:
                reasons[info.name] = f"needed there by {printable(users[0].name)}"
        return reasons

    def _own_reason(self, info: BackupInfo) -> str:
        if info.header.repository not in self._studios:
            return "of another studio"
        return "pinned there" if info.pinned else ""


def _by_id(backups: Iterable[BackupInfo]) -> dict[str, list[BackupInfo]]:
    found: dict[str, list[BackupInfo]] = {}
    for info in backups:
        found.setdefault(info.header.id, []).append(info)
    return found


def _planned(info: BackupInfo, action: str, reason: str) -> PlannedCopy:
    return PlannedCopy(backup=info, action=action, reason=reason)
