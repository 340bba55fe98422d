"""Retention: golden cases, and what holds for any repository and any policy."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.engine.retention import RetentionPolicy, plan, suspicious
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.results import CleanupPlan

CASES = json.loads((Path(__file__).parent / "retention_cases.json").read_text())
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def info(name: str, created: str, **facts: Any) -> BackupInfo:
    base = facts.get("base", "")
    return BackupInfo(
        name=name,
        header=BackupHeader(
            repository=facts.get("repository", "r"),
            id=facts.get("id", name),
            type=INCREMENTAL if base else FULL,
            created=created,
            base=base,
            safety=facts.get("safety", False),
        ),
        totals=BackupTotals(
            entries=facts.get("entries", 100),
            references=tuple(facts.get("references", ())),
            shrunk=facts.get("shrunk", False),
        ),
        stored=1000,
        pinned=facts.get("pinned", False),
        verified=facts.get("verified", ""),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["promise"] for case in CASES])
def test_golden(case: dict[str, Any]) -> None:
    """Every case's verdicts, word by word."""
    backups = [info(**facts) for facts in case["backups"]]
    now = datetime.fromisoformat(case["now"]).replace(tzinfo=ZoneInfo(case["zone"]))
    made = plan(backups, RetentionPolicy(**case["policy"]), now)
    assert made.suspended.startswith(case["suspended"]) if "suspended" in case else not made.suspended
    assert {v.backup.name: list(v.reasons) for v in made.verdicts if v.keep} == case["kept"]
    assert {v.backup.name: list(v.reasons) for v in made.verdicts if not v.keep} == case["deleted"]
    assert [v.backup.name for v in made.verdicts] == [facts["name"] for facts in case["backups"]]


def test_a_time_without_zone_is_refused() -> None:
    """Whose midnight ends a day is never guessed."""
    with pytest.raises(UsageError, match="time zone"):
        plan([], RetentionPolicy(), datetime(2026, 1, 1))


def test_both_ways_out_of_a_suspension_are_named() -> None:
    """A person who reads why nothing was deleted also reads what to do."""
    shrunk = plan([info("a", "2026-11-20T00:00:00Z", shrunk=True)], RetentionPolicy(), NOW)
    assert "--despite-shrink" in shrunk.suspended
    future = plan([info("a", "2027-11-20T00:00:00Z")], RetentionPolicy(), NOW)
    assert "set the clock right" in future.suspended


def test_the_suspicious_backup_is_named_so_that_it_can_be_acknowledged() -> None:
    """The id of what a person looked at is what ends the wait."""
    backups = [info("b", "2026-11-20T00:00:00Z", shrunk=True, entries=3), info("a", "2026-11-19T00:00:00Z")]
    found = suspicious(backups)
    assert found is not None
    assert found.name == "b"
    assert suspicious(backups, [found.header.id]) is None


FACTS = st.tuples(
    st.integers(0, 24 * 60),
    st.integers(0, 255),
    st.integers(0, 200),
    st.lists(st.integers(0, 9), max_size=2),
)


@st.composite
def repositories(draw: st.DrawFn) -> list[BackupInfo]:
    """Any backups: chains, references, copies, missing archives, equal times, odd clocks."""
    backups: list[BackupInfo] = []
    for number, (hours, bits, entries, needs) in enumerate(draw(st.lists(FACTS, max_size=9))):
        others = [f"{min(need, number - 1):02}" if number else "gone" for need in needs]
        name = f"{number:02}"
        if bits & 7 == 7 and backups:
            backups.append(msgspec.structs.replace(backups[-1], name=name, pinned=bool(bits & 32)))
            continue
        backups.append(
            info(
                name,
                (NOW - timedelta(hours=hours)).isoformat(),
                base=others[0] if others and bits & 1 else "",
                references=[*others, *(["gone"] if bits & 64 and bits & 128 else [])],
                safety=bits & 24 == 24,
                pinned=bits & 40 == 40,
                verified="2026-01-01T00:00:00Z" if bits & 4 else "",
                shrunk=bits & 96 == 96,
                entries=entries,
            )
        )
    return backups


policies = st.builds(
    RetentionPolicy,
    retention_days=st.integers(0, 60),
    incremental_days=st.integers(0, 60),
    daily=st.integers(0, 3),
    weekly=st.integers(0, 3),
    monthly=st.integers(0, 3),
    yearly=st.integers(0, 3),
    despite_shrink=st.booleans(),
)
moments = st.sampled_from([NOW, NOW - timedelta(days=10), NOW + timedelta(days=9)])


def kept(made: CleanupPlan) -> list[BackupInfo]:
    return [verdict.backup for verdict in made.verdicts if verdict.keep]


@given(repositories(), policies, moments)
def test_what_a_kept_backup_needs_is_kept(
    backups: list[BackupInfo], policy: RetentionPolicy, now: datetime
) -> None:
    """Whatever is deleted, each backup that stays can be restored as well as before."""
    reach = Reach(backups)
    staying = kept(plan(backups, policy, now))
    after = Reach(staying)
    for backup in staying:
        assert after.missing(backup) == reach.missing(backup)


@given(repositories(), policies, moments)
def test_the_newest_good_full_is_kept(
    backups: list[BackupInfo], policy: RetentionPolicy, now: datetime
) -> None:
    """The newest full, and the newest that is whole and verified, never go."""
    names = {backup.name for backup in kept(plan(backups, policy, now))}
    reach = Reach(backups)
    past = [b for b in backups if datetime.fromisoformat(b.header.created) <= now]
    fulls = [b for b in past if b.header.type == FULL and not b.header.safety]
    newest_first = sorted(
        fulls, key=lambda b: (datetime.fromisoformat(b.header.created), b.name), reverse=True
    )
    whole = [b for b in newest_first if not b.totals.shrunk and not reach.missing(b)]
    verified = [b for b in whole if b.verified]
    assert {b.name for some in (newest_first, whole, verified) for b in some[:1]} <= names


@given(repositories(), policies, moments)
def test_a_second_cleanup_finds_nothing(
    backups: list[BackupInfo], policy: RetentionPolicy, now: datetime
) -> None:
    """What stays once stays again, as long as no time passes."""
    staying = kept(plan(backups, policy, now))
    again = plan(staying, policy, now)
    assert [backup.name for backup in kept(again)] == [backup.name for backup in staying]


@given(repositories(), policies, moments, st.integers(0, 30))
def test_more_days_keep_more(
    backups: list[BackupInfo], policy: RetentionPolicy, now: datetime, more: int
) -> None:
    """Raising a number of days never deletes what stayed before."""
    longer = RetentionPolicy(
        **{
            **vars(policy),
            "retention_days": policy.retention_days + more,
            "incremental_days": policy.incremental_days + more,
        }
    )
    names = {backup.name for backup in kept(plan(backups, policy, now))}
    assert names <= {backup.name for backup in kept(plan(backups, longer, now))}


@given(repositories(), policies, moments)
def test_every_verdict_has_a_reason_and_stands_once(
    backups: list[BackupInfo], policy: RetentionPolicy, now: datetime
) -> None:
    """A plan speaks of every backup, and says why."""
    made = plan(backups, policy, now)
    assert sorted(v.backup.name for v in made.verdicts) == sorted(backup.name for backup in backups)
    assert all(verdict.reasons for verdict in made.verdicts)
    assert all(len(set(verdict.reasons)) == len(verdict.reasons) for verdict in made.verdicts)
    if made.suspended:
        assert all(verdict.keep for verdict in made.verdicts)


@given(repositories())
def test_dependents_go_first(backups: list[BackupInfo]) -> None:
    """In the order of deletion nothing goes before what needs it."""
    reach = Reach(backups)
    gone: set[str] = set()
    for backup in reach.dependents_first(backups):
        gone.add(backup.name)
        for other in backups:
            if other.name not in gone and other.header.id != backup.header.id:
                in_a_circle = other.header.id in reach.needs(backup)
                assert backup.header.id not in reach.needs(other) or in_a_circle


def test_backups_of_another_studio_stay_and_stand_in_for_none_of_ours() -> None:
    """Two studios in one bucket: each has its newest, and neither goes by the days of the other."""
    backups = [
        info("ours", "2026-01-02T00:00:00Z"),
        info("older", "2026-01-01T00:00:00Z"),
        info("theirs", "2026-11-21T00:00:00Z", repository="s", shrunk=True),
        info("their-older", "2026-01-01T00:00:00Z", repository="s"),
    ]
    made = plan(backups, RetentionPolicy(repository="r"), NOW)
    assert not made.suspended, "what they lost is no matter of ours"
    assert {v.backup.name: v.reasons for v in made.verdicts if v.keep} == {
        "ours": ("the newest full backup",),
        "theirs": ("of another studio",),
        "their-older": ("of another studio",),
    }
