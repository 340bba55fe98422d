"""
Which backups stay, and why. Pure: nothing is read and nothing deleted; ``cleanup.py`` carries plans out.

When in doubt a backup stays, and where the doubt is about all of them (a wrong clock, sources that may have
been lost) the plan is suspended: it says what would go, and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import CleanupPlan, Verdict
from pinnacle_backup.repository.listing import created_at

SAFETY_DAYS: Final = 7
"""How long what a restore saved first stays for ``undo``."""


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """
    How long backups stay.

    Attributes:
        retention_days: Days that a full backup stays.
        incremental_days: Days that an incremental stays.
        daily, weekly, monthly, yearly: Of how many such periods the last full backup stays beyond that.
        acknowledged: Ids of backups that a person has looked at: what was lost before them is no loss.
        protected: Names of backups that the store lets nobody delete, and until when, in words.
        repository: The one whose backups this is about: others beside them stay. Empty for all.
        despite_shrink: Whether a person has just looked, and says that nothing was lost.
    """

    retention_days: int = 30
    incremental_days: int = 7
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    acknowledged: Collection[str] = ()
    protected: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    despite_shrink: bool = False


def plan(backups: Sequence[BackupInfo], policy: RetentionPolicy, now: datetime) -> CleanupPlan:
    """
    Decide for each backup whether it stays.

    Args:
        backups: Everything that the repository holds.
        policy: How long backups stay.
        now: The time, with the zone whose days, weeks, months and years count.

    Raises:
        UsageError: ``now`` has no zone.
    """
    if now.tzinfo is None:
        raise UsageError("cleanup needs to know in which time zone the days begin")
    newest_first = _newest_first(backups)
    ours = [info for info in newest_first if policy.repository in ("", info.header.repository)]
    reasons = _Reasons(ours, policy, now).all()
    suspended = suspension(ours, policy, now)
    others = ("of another studio",)
    return CleanupPlan(
        verdicts=tuple(
            _verdict(info, reasons.get(info.name, others), policy, suspended) for info in newest_first
        ),
        suspended=suspended,
    )


def suspension(backups: Iterable[BackupInfo], policy: RetentionPolicy, now: datetime) -> str:
    """Return why nothing at all is deleted; empty when cleanup may go on."""
    newest_first = _newest_first(backups)
    return _wrong_clock(newest_first, now) or _lost_sources(newest_first, policy)


def suspicious(backups: Iterable[BackupInfo], acknowledged: Collection[str] = ()) -> BackupInfo | None:
    """
    Return the backup that cleanup waits for: one that is marked as shrunk and that nobody has looked at.

    One that came back to its former size since does not count: then the sources were only away for a while.

    Args:
        backups: Everything that the repository holds.
        acknowledged: Ids of backups that a person has looked at: they and all before them are right.
    """
    states = [info for info in _newest_first(backups) if not info.header.safety]
    for place, info in enumerate(states):
        if info.header.id in acknowledged:
            return None
        if info.totals.shrunk:
            before = states[place + 1].totals.entries if place + 1 < len(states) else 0
            halfway = (before + info.totals.entries) / 2
            if place == 0 or states[0].totals.entries < halfway:
                return info
    return None


def newest_good(backups: Iterable[BackupInfo], now: datetime) -> dict[str, str]:
    """
    Return the full backups that nothing deletes, by name, and what each of them is.

    They are the newest that is whole, and the newest that was read back without a fault.
    """
    return _Reasons(_newest_first(backups), RetentionPolicy(), now).good()


class _Reasons:
    """Collects the reasons why backups stay."""

    def __init__(self, newest_first: Sequence[BackupInfo], policy: RetentionPolicy, now: datetime) -> None:
        self._backups = newest_first
        self._policy = policy
        self._now = now
        self._reach = Reach(newest_first)
        self._found: dict[str, list[str]] = {info.name: [] for info in newest_first}

    def all(self) -> dict[str, list[str]]:
        """Return the reasons by name; none for what may go."""
        for info in self._backups:
            self._add_own(info)
        self._add_newest()
        self._add_periods()
        self._add_needed()
        return self._found

    def good(self) -> dict[str, str]:
        """Return the newest full backups that are good, and what each of them is."""
        whole = [info for info in self._fulls() if self._is_whole(info)]
        self._keep_first(whole, "the newest full backup that is whole")
        self._keep_first([info for info in whole if info.verified], "the newest verified full backup")
        return {name: " and ".join(reasons) for name, reasons in self._found.items() if reasons}

    def _add_own(self, info: BackupInfo) -> None:
        age = self._now - created_at(info.header)
        if info.pinned:
            self._keep(info, "pinned")
        if info.name in self._policy.protected:
            self._keep(info, f"protected until {self._policy.protected[info.name]}")
        if age < timedelta(0):
            self._keep(info, "dated in the future")
        elif age < timedelta(days=days_of(info, self._policy)):
            self._keep(info, f"{_kind(info)}not older than {_days(days_of(info, self._policy))}")

    def _add_newest(self) -> None:
        """Keep the newest full backup, and if it may not be a good one, the newest that is."""
        fulls = list(self._fulls())
        whole = [info for info in fulls if self._is_whole(info)]
        verified = [info for info in whole if info.verified]
        if whole[:1] != fulls[:1]:
            self._keep_first(whole, "the newest full backup that is whole")
        self._keep_first(fulls, "the newest full backup")
        self._keep_first(verified, "the newest verified full backup")

    def _keep_first(self, infos: Sequence[BackupInfo], reason: str) -> None:
        for info in infos[:1]:
            self._keep(info, reason)

    def _is_whole(self, info: BackupInfo) -> bool:
        return not info.totals.shrunk and not self._reach.missing(info)

    def _add_periods(self) -> None:
        policy = self._policy
        for count, word, period in (
            (policy.daily, "day", "%Y-%m-%d"),
            (policy.weekly, "week", "%G-W%V"),
            (policy.monthly, "month", "%Y-%m"),
            (policy.yearly, "year", "%Y"),
        ):
            seen: set[str] = set()
            for info in self._fulls():
                of = created_at(info.header).astimezone(self._now.tzinfo).strftime(period)
                if of not in seen and len(seen) < count:
                    self._keep(info, f"the last of {word} {of}")
                seen.add(of)

    def _fulls(self) -> Iterable[BackupInfo]:
        """Return the full backups, newest first; what the clock says of future ones is not to be trusted."""
        for info in self._backups:
            past = created_at(info.header) <= self._now
            if past and info.header.type == FULL and not info.header.safety:
                yield info

    def _add_needed(self) -> None:
        kept = [info for info in self._backups if self._found[info.name]]
        for info, users in self._reach.needed_by(kept):
            self._keep(info, f"needed by {_names(users)}")

    def _keep(self, info: BackupInfo, reason: str) -> None:
        self._found[info.name].append(reason)


def days_of(info: BackupInfo, policy: RetentionPolicy) -> int:
    """Return how many days the policy keeps a backup of this kind."""
    if info.header.safety:
        return SAFETY_DAYS
    return policy.retention_days if info.header.type == FULL else policy.incremental_days


def _newest_first(backups: Iterable[BackupInfo]) -> list[BackupInfo]:
    return sorted(backups, key=lambda info: (created_at(info.header), info.name), reverse=True)


def _verdict(info: BackupInfo, reasons: Sequence[str], policy: RetentionPolicy, suspended: str) -> Verdict:
    if reasons:
        return Verdict(backup=info, keep=True, reasons=tuple(reasons))
    age = f"{_kind(info)}older than {_days(days_of(info, policy))}"
    if suspended:
        return Verdict(backup=info, keep=True, reasons=(f"cleanup is suspended; else it would go: {age}",))
    return Verdict(backup=info, keep=False, reasons=(age,))


def _wrong_clock(newest_first: Sequence[BackupInfo], now: datetime) -> str:
    if not newest_first or created_at(newest_first[0].header) <= now:
        return ""
    newest = newest_first[0]
    return (
        f"{printable(newest.name)} is dated {newest.header.created}, later than now: a clock was wrong; "
        "set the clock right, or move that archive elsewhere if it was made under the wrong time"
    )


def _lost_sources(newest_first: Sequence[BackupInfo], policy: RetentionPolicy) -> str:
    shrunk = None if policy.despite_shrink else suspicious(newest_first, policy.acknowledged)
    if shrunk is None:
        return ""
    count = f"{shrunk.totals.entries:,} entries"
    return (
        f"{printable(shrunk.name)} holds suspiciously little ({count}): files may have been lost before it "
        "was made; look at it, and if it is right run cleanup with --despite-shrink"
    )


def _kind(info: BackupInfo) -> str:
    if info.header.safety:
        return "saved before a restore, "
    return "" if info.header.type == FULL else "incremental, "


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _names(users: Sequence[BackupInfo]) -> str:
    shown = ", ".join(printable(info.name) for info in users[:2])
    return shown if len(users) <= 2 else f"{shown} and {len(users) - 2} more"
