"""What became of each day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pinnacle_backup.app.calendar import Past, days_of
from pinnacle_backup.model.runs import Origin, Run, RunFacts

DAY = date(2026, 11, 20)


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC) + timedelta(days=day)


def run(
    number: int, moment: datetime, outcome: str = "good", *, verb: str = "create", message: str = ""
) -> Run:
    iso = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Run(
        id=number,
        verb=verb,
        detail="full" if verb == "create" else "",
        origin=Origin(),
        outcome=outcome,
        message=message,
        started=iso,
        ended=iso,
        facts=RunFacts(backup=f"b{number}" if outcome in ("good", "warnings") else ""),
    )


def judged(past: Past, day: date = DAY, last: date | None = None) -> tuple[str, str]:
    found = days_of(day, last or day, past)[0]
    return found.state, found.sentence


def test_each_day_from_the_first_to_the_last_has_its_mark() -> None:
    days = days_of(DAY, DAY + timedelta(days=3), Past())

    assert [each.day for each in days] == [DAY + timedelta(days=n) for n in range(4)]
    assert {each.state for each in days} == {"idle"}
    assert [each.sentence for each in days][2:] == ["nothing was due", "nothing was due yet"]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run(1, at(2))], ("good", "1 backup, good")),
        ([run(1, at(2)), run(2, at(3))], ("good", "2 backups, all good")),
        ([run(1, at(2), "warnings", message="a file was left out")], ("warning", "1 backup; full backup had warnings: a file was left out")),
        ([run(1, at(2), "failed", message="no room")], ("failed", "full backup failed: no room")),
        ([run(1, at(2), "killed", message="gone")], ("failed", "full backup failed: gone")),
        ([run(1, at(2), "failed", message="no room"), run(2, at(3))], ("warning", "1 backup; full backup failed, and went well later: no room")),
        ([run(1, at(2)), run(2, at(3), "failed", message="no room")], ("failed", "full backup failed: no room")),
        ([run(1, at(2)), run(2, at(4), "failed", verb="verify", message="damaged")], ("other-failed", "1 backup; verify failed: damaged")),
        ([run(1, at(2)), run(2, at(3), "failed", verb="drill", message="no room"), run(3, at(4), "failed", verb="copy", message="gone")], ("other-failed", "1 backup; drill failed: no room; copy failed: gone")),
        ([run(1, at(2)), run(2, at(4), "failed", verb="drill", message="no room"), run(3, at(5), verb="drill")], ("warning", "1 backup; drill failed, and went well later: no room")),
        ([run(1, at(2), "failed", message="no room"), run(2, at(4), "failed", verb="drill", message="none")], ("failed", "full backup failed: no room")),
        ([run(1, at(4), "failed", verb="drill", message="damaged")], ("failed", "no backup; drill failed: damaged")),
        ([run(1, at(2)), run(2, at(4), "failed", verb="restore", message="stopped")], ("good", "1 backup, good")),
        ([run(1, at(2), "cancelled")], ("idle", "nothing was due yet")),
        ([run(1, at(2), verb="cleanup")], ("good", "cleanup: good")),
    ],
)  # fmt: skip
def test_the_last_attempt_decides_and_what_went_wrong_before_stays_in_sight(
    runs: list[Run], expected: tuple[str, str]
) -> None:
    assert judged(Past(runs=runs)) == expected


def test_what_was_due_and_not_made_is_missed() -> None:
    assert judged(Past(due=[at(2)])) == ("missed", "the backup due at 02:00 was not made")


def test_what_else_failed_does_not_hide_a_missed_backup() -> None:
    past = Past(due=[at(2)], runs=[run(1, at(4), "failed", verb="drill", message="damaged")])

    assert judged(past) == ("missed", "the backup due at 02:00 was not made; drill failed: damaged")


def test_a_backup_before_its_time_is_not_the_one_that_was_due() -> None:
    past = Past(made={"b": at(1)}, due=[at(2)])

    assert judged(past)[0] == "missed"


def test_a_backup_that_is_late_is_not_missed() -> None:
    """Neither on the same day, nor in the night behind a late evening."""
    assert judged(Past(made={"b": at(21)}, due=[at(2)]))[0] == "good"
    assert judged(Past(made={"b": at(3, day=1)}, due=[at(23)]), last=DAY + timedelta(days=1))[0] == "idle"
    assert judged(Past(made={"b": at(6, day=1)}, due=[at(23)]), last=DAY + timedelta(days=1))[0] == "missed"


def test_backups_count_once_whether_the_record_or_the_catalog_knows_them() -> None:
    past = Past(runs=[run(1, at(2)), run(2, at(3))], made={"b2": at(3), "copied": at(5)})

    found = days_of(DAY, DAY, past)[0]
    assert (found.backups, found.last_run) == (3, 2)


def test_days_are_those_of_the_zone() -> None:
    past = Past(zone=ZoneInfo("Pacific/Auckland"), runs=[run(1, at(12))])

    found = days_of(DAY, DAY + timedelta(days=1), past)
    assert [each.backups for each in found] == [0, 1]


def test_nothing_of_a_message_breaks_the_line() -> None:
    past = Past(runs=[run(1, at(2), "failed", message="two\nlines \x1b[31m")])

    assert judged(past)[1] == "full backup failed: two\\nlines \\x1b[31m"
