"""From runs to the outbox: what is told, what is remembered, and that nothing of it ever raises."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.app.announcing import (
    announce_on_time,
    announce_overdue,
    announce_run,
    announce_start,
    deliver,
    tell_of,
    weekly_digest,
)
from pinnacle_backup.app.channels import Letter
from pinnacle_backup.app.place import find_place
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.model.runs import FAILED, GOOD, KILLED, SCHEDULE, WARNINGS, Origin, Run, RunFacts
from pinnacle_backup.state.conditions import Conditions
from pinnacle_backup.state.messages import Messages
from pinnacle_backup.state.runs import Ending
from pinnacle_backup.store.locks import lock
from pinnacle_backup.store.processes import this_process

from ...mail_servers import MailServer, PingServer, free_port

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
"""A Friday."""


class Clock:
    """A clock that stands until it is moved."""

    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Studio]]:
    """Open a studio with these notifications."""
    opened: list[Studio] = []

    def call(**notifications: Any) -> Studio:
        (tmp_path / "config.json").write_text(json.dumps({"notifications": notifications}))
        (tmp_path / "config.json").chmod(0o600)
        warned: list[str] = []
        place = find_place(root=str(tmp_path), config=None, start="/", home=None, environ={})
        studio = open_studio(place, command="test", warn=warned.append)
        studio = dataclasses.replace(studio, clock=clock)
        object.__setattr__(studio, "told_to_the_person", warned)
        opened.append(studio)
        return studio

    yield call
    for studio in opened:
        studio.state.close()
        studio.logs.close()


def smtp(port: int, **more: object) -> dict[str, object]:
    return {
        "enabled": True,
        "server": "127.0.0.1",
        "port": port,
        "use_tls": False,
        "timeout_seconds": 3,
        **more,
    }


def ended(studio: Studio, outcome: str, *lines: tuple[str, str], **attributes: Any) -> Run:
    """Record a run that has ended, and return it."""
    origin = attributes.pop("origin", Origin(user="anna"))
    verb = attributes.pop("verb", "create")
    number = studio.runs.begin(verb, "full", origin, studio.now(), this_process())
    for level, text in lines:
        studio.runs.add_line(number, studio.now(), level, text)
    code = {GOOD: 0, WARNINGS: 1, KILLED: None}.get(outcome, 2)
    values = {
        "outcome": outcome,
        "exit_code": code,
        "ended": studio.iso_now(),
        "seconds": 185.0,
        **attributes,
    }
    studio.runs.end(number, Ending(**values))
    run = studio.runs.get(number)
    assert run is not None
    return run


def queued(studio: Studio, channel: str = "smtp") -> list[Letter]:
    rows = studio.state.read("SELECT content FROM message WHERE channel = ? ORDER BY id", (channel,))
    return [msgspec.json.decode(str(row[0]), type=Letter) for row in rows]


def log(studio: Studio) -> str:
    path = Path(studio.root, "logs", "ultra_pinnacle.log")
    return path.read_text() if path.exists() else ""


def test_where_no_channel_is_set_up_nothing_is_queued_but_conditions_are_remembered(make):
    for notifications in ({}, {"enabled": False, "smtp": smtp(25), "ping_url": "http://x/y"}):
        studio = make(**notifications)
        announce_run(studio, ended(studio, FAILED, message="full"))

        assert Messages(studio.state).waiting().count == 0
        known = Conditions(studio.state).get("create")
        assert (known.level, known.told) == ("bad", "good")


def test_a_failure_is_told_with_everything_a_person_needs(make):
    studio = make(smtp=smtp(25))
    origin = Origin(kind=SCHEDULE, job="daily-full", slot="2026-11-20T02:00:00.000000Z", attempt=2)
    facts = RunFacts(type="full", entries=12_345, read=1_600_000_000)
    run = ended(
        studio,
        FAILED,
        ("info", "started: full"),
        ("error", "store-full: no space left"),
        origin=origin,
        message="no space left on /srv/backups",
        code="store-full",
        facts=facts,
    )

    announce_run(studio, run)

    (letter,) = queued(studio)
    message = letter.message
    told = dict(message.facts)
    assert message.level == "bad"
    assert message.subject.startswith("Backup failed (daily-full): ")
    assert message.headline == "The full backup failed after 3 min 5 s: no space left on /srv/backups."
    assert told["Outcome"] == "failed (exit code 2)"
    assert told["Took"] == "3 min 5 s"
    assert told["Read"] == "1.6 GB in 12,345 entries"
    assert told["Started by"].startswith("the scheduler, job daily-full, due 2026-11-20 ")
    assert told["Started by"].endswith(", attempt 2")
    assert told["Studio"] == studio.root
    assert told["Machine"] == os.uname().nodename
    assert "Make room" in message.advice
    assert f"runs show {run.id}" in message.advice
    program = shlex.split(message.advice.partition("The whole log: ")[2])[0]
    assert Path(program).is_absolute()
    assert os.access(program, os.X_OK)
    assert message.details[-1].endswith("error: store-full: no space left")


@pytest.mark.parametrize("outcome", [FAILED, KILLED])
@pytest.mark.parametrize("verb", ["create", "restore", "undo", "verify", "cleanup", "copy", "drill"])
def test_what_is_bad_always_comes_with_advice(outcome: str, verb: str, make):
    studio = make(smtp=smtp(25))

    announce_run(studio, ended(studio, outcome, verb=verb))

    (letter,) = queued(studio)
    assert letter.message.advice
    assert letter.message.headline.endswith(".")


def test_warnings_are_told_with_the_lines_that_warn(make):
    studio = make(smtp=smtp(25))
    run = ended(
        studio, WARNINGS, ("info", "started"), ("warning", "a.txt: unreadable"), message="a.txt: unreadable"
    )

    announce_run(studio, run)

    message = queued(studio)[0].message
    assert message.level == "warning"
    assert message.headline == "The full backup is done, with 1 warning: a.txt: unreadable."
    assert [line[9:] for line in message.details] == ["warning: a.txt: unreadable"]


def test_recovery_says_since_when_it_had_failed(make, clock: Clock):
    studio = make(smtp=smtp(25))
    announce_run(studio, ended(studio, FAILED, message="no space left"))
    clock.now += timedelta(hours=5)
    announce_run(studio, ended(studio, GOOD))
    announce_run(studio, ended(studio, GOOD))

    _, letter = queued(studio)
    assert letter.message.subject.startswith("Backup works again: ")
    assert dict(letter.message.facts)["Before"].startswith("failed since 2026-11-20 ")
    assert dict(letter.message.facts)["Before"].endswith(": no space left")
    assert letter.message.level == "good"


def test_jobs_have_conditions_of_their_own(make):
    studio = make(smtp=smtp(25))
    for job in ("daily-full", "hourly-incremental", "daily-full"):
        announce_run(studio, ended(studio, FAILED, origin=Origin(kind=SCHEDULE, job=job)))

    assert len(queued(studio)) == 2
    assert [each.subject for each in Conditions(studio.state).all()] == [
        "job daily-full",
        "job hourly-incremental",
    ]


def test_every_channel_that_people_read_gets_the_message(make):
    studio = make(smtp=smtp(25), urls=["json://h/a", "json://h/b"], ping_url="http://127.0.0.1:1/x")

    announce_run(studio, ended(studio, FAILED, verb="verify"))

    assert [len(queued(studio, name)) for name in ("smtp", "urls[0]", "urls[1]", "ping")] == [1, 1, 1, 0]


def test_no_secret_is_in_the_outbox_though_the_log_may_name_it(make):
    studio = make(
        smtp=smtp(25, username="u", password="canary-password"), ping_url="http://127.0.0.1:1/canary-ping"
    )
    run = ended(studio, FAILED, ("error", "canary-password in a line"), message="saw canary-password")

    announce_run(studio, run)
    deliver(studio)

    content = "\n".join(str(row) for row in studio.state.read("SELECT * FROM message"))
    assert "********" in content
    assert "canary" not in content


def test_overdue_is_told_once_and_so_is_its_end(make, clock: Clock):
    studio = make(smtp=smtp(25))
    announce_on_time(studio)
    for _ in range(3):
        announce_overdue(studio, "the backup due today at 02:00 (daily-full) was not made")
        clock.now += timedelta(minutes=1)
    for _ in range(3):
        announce_on_time(studio)

    late, again = (letter.message for letter in queued(studio))
    assert late.subject.startswith("Backup overdue: ")
    assert late.headline == "The backup due today at 02:00 (daily-full) was not made."
    assert dict(late.facts)["Newest backup"] == "there is none"
    assert dict(late.facts)["Scheduler"] == "not running"
    assert "--start-scheduler" in late.advice
    assert again.subject.startswith("Backups are on time again: ")


def test_all_being_well_writes_nothing(make, tmp_path: Path):
    studio = make(smtp=smtp(25))
    announce_on_time(studio)
    before = (tmp_path / ".pinnacle/state.db").stat().st_mtime_ns
    for _ in range(3):
        announce_on_time(studio)

    assert (tmp_path / ".pinnacle/state.db").stat().st_mtime_ns == before


def test_the_start_and_the_end_of_a_backup_have_one_id(make):
    with PingServer() as server:
        studio = make(ping_url=f"{server.url}/uuid")
        run = ended(studio, GOOD, ("info", "started: full"))
        announce_start(studio, run)
        announce_run(studio, run)
        assert deliver(studio) == 0
        announce_run(studio, ended(studio, FAILED))
        deliver(studio)

    start, success, fail = server.pings
    assert start.path.startswith("/uuid/start?rid=")
    assert success.path == start.path.replace("/start", "")
    assert b"info: started: full" in success.body
    assert fail.path.startswith("/uuid/fail?rid=")
    assert fail.path.partition("rid=")[2] != start.path.partition("rid=")[2]


@pytest.mark.parametrize(
    ("attributes", "ending"),
    [
        ({"outcome": WARNINGS}, ""),
        ({"outcome": KILLED}, "/fail"),
        ({"outcome": "cancelled"}, "/log"),
        ({"outcome": FAILED, "code": "busy"}, "/log"),
    ],
)
def test_pings_say_whether_there_is_a_backup(attributes: dict[str, str], ending: str, make):
    with PingServer() as server:
        studio = make(ping_url=f"{server.url}/uuid")
        announce_run(studio, ended(studio, **attributes))
        deliver(studio)

    assert server.pings[0].path.startswith(f"/uuid{ending}?rid=")


def test_only_backups_are_pinged(make):
    with PingServer() as server:
        studio = make(ping_url=server.url)
        run = ended(studio, GOOD, verb="verify")
        announce_start(studio, run)
        announce_run(studio, run)
        deliver(studio)

    assert not server.pings


def test_a_server_that_is_down_is_logged_once_and_the_mail_comes_later_once(make, clock: Clock):
    port = free_port()
    studio = make(smtp=smtp(port))
    announce_run(studio, ended(studio, FAILED, message="why"))
    for _ in range(3):
        assert deliver(studio) == 1
        clock.now += timedelta(hours=1)

    assert log(studio).count("cannot be reached: connection refused") == 1
    with MailServer(port=port) as server:
        assert deliver(studio) == 0
        clock.now += timedelta(days=1)
        assert deliver(studio) == 0
    assert len(server.mails) == 1
    assert server.mails[0].message["Date"].datetime == START


def test_a_message_is_given_up_after_days_and_that_is_said(make, clock: Clock):
    studio = make(smtp=smtp(free_port()))
    announce_run(studio, ended(studio, FAILED))
    for _ in range(100):
        if deliver(studio) == 0:
            break
        clock.now += timedelta(hours=1)

    assert timedelta(days=3) <= clock.now - START <= timedelta(days=3, hours=2)
    assert "ERROR notifications: a message of 2026-11-20T02:00:00.000000Z is given up" in log(studio)


def test_a_recipient_that_is_refused_does_not_make_the_others_get_it_twice(make, clock: Clock):
    with MailServer(refuses=frozenset(("gone@example.org",))) as server:
        studio = make(smtp=smtp(server.port, to_email="a@example.org, gone@example.org"))
        announce_run(studio, ended(studio, FAILED))
        for _ in range(3):
            assert deliver(studio) == 1
            clock.now += timedelta(hours=1)

    assert [mail.recipients for mail in server.mails] == [["a@example.org"]]


def test_a_channel_that_is_gone_takes_its_messages_with_it(make):
    studio = make(smtp=smtp(free_port()), urls=["json://h/a"])
    announce_run(studio, ended(studio, FAILED))

    assert deliver(make()) == 0


def test_what_a_later_version_has_queued_ends_nothing(make):
    studio = make(smtp=smtp(25))
    announce_run(studio, ended(studio, FAILED))
    studio.state.write(lambda db: db.execute("UPDATE message SET content = '{\"new\": 1}'"))

    assert deliver(studio) == 1
    assert "unexpected error: ValidationError" in log(studio)


def test_where_the_record_cannot_be_written_the_mail_goes_out_at_once(make, tmp_path: Path):
    """A full disk is the failure that has to be told, and nothing can be queued on it."""
    with MailServer() as server:
        studio = make(smtp=smtp(server.port))
        run = ended(studio, FAILED, message="no space left")
        studio.state.close()
        (tmp_path / ".pinnacle/state.db").unlink()
        (tmp_path / ".pinnacle/state.db").mkdir()
        tell_of(studio, run)

    assert "no space left" in server.mails[0].text


def test_an_alarm_that_cannot_be_recorded_is_sent_once_and_not_every_minute(make, clock: Clock):
    """The scheduler looks once a minute, and a full disk may stay full for days."""
    with MailServer() as server:
        studio = make(smtp=smtp(server.port))
        studio.state.run(lambda db: db.execute("PRAGMA query_only = 1"))
        for _ in range(4):
            announce_overdue(studio, "the backup due at 02:00 was not made")
            clock.now += timedelta(minutes=1)
        assert len(server.mails) == 1
        studio.state.run(lambda db: db.execute("PRAGMA query_only = 0"))
        announce_on_time(studio)
        studio.state.run(lambda db: db.execute("PRAGMA query_only = 1"))
        announce_overdue(studio, "the next backup was not made, either")
        assert len(server.mails) == 2


def test_a_person_is_told_that_the_message_waits(make):
    studio = make(smtp=smtp(free_port()))

    tell_of(studio, ended(studio, FAILED))

    (line,) = studio.told_to_the_person
    assert line.startswith("the notification waits: mail server 127.0.0.1:")
    assert line.endswith(" cannot be reached: connection refused")


def test_where_a_scheduler_runs_it_delivers(make, tmp_path: Path):
    with MailServer() as server:
        studio = make(smtp=smtp(server.port))
        run = ended(studio, FAILED)
        with lock(studio.state_directory, "scheduler", shared=False, wait_seconds=0, owner="scheduler"):
            tell_of(studio, run)
        assert not server.mails
        assert deliver(studio) == 0

    assert len(server.mails) == 1


def test_the_week_is_told_on_monday_at_eight_once(make, clock: Clock):
    studio = make(smtp=smtp(25), events={"weekly_digest": True})
    announce_run(studio, ended(studio, FAILED, message="no space left"))
    ended(studio, GOOD)
    sent_at = []
    now = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    while now < datetime(2026, 12, 2, tzinfo=UTC):
        clock.now = now
        before = len(queued(studio))
        weekly_digest(studio, now)
        sent_at += [now] * (len(queued(studio)) - before)
        now += timedelta(minutes=30)

    assert sent_at == [datetime(2026, 11, 23, 8, 0, tzinfo=UTC), datetime(2026, 11, 30, 8, 0, tzinfo=UTC)]
    first, second = (letter.message for letter in queued(studio)[1:])
    assert first.level == "bad"
    assert first.subject.startswith("1 failure this week: ")
    assert dict(first.facts)["Backups"] == "1 failed, 1 good"
    assert first.details[0].endswith("create failed: no space left")
    assert second.subject.startswith("No backup this week: ")


def test_a_monday_that_was_missed_is_made_up_for(make, clock: Clock):
    studio = make(smtp=smtp(25), events={"weekly_digest": True})
    weekly_digest(studio, datetime(2026, 11, 16, 9, 0, tzinfo=UTC))
    weekly_digest(studio, datetime(2026, 11, 25, 9, 0, tzinfo=UTC))

    assert len(queued(studio)) == 2


@pytest.mark.parametrize("notifications", [{}, {"events": {"weekly_digest": False}}])
def test_no_week_is_told_where_nobody_wants_to_know(notifications: dict[str, object], make):
    studio = make(**({"smtp": smtp(25), **notifications} if notifications else {}))
    weekly_digest(studio, datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

    assert Messages(studio.state).waiting().count == 0


def test_a_damaged_record_is_set_aside_and_telling_goes_on(make, tmp_path: Path):
    studio = make(smtp=smtp(free_port()))
    run = ended(studio, FAILED)
    studio.state.close()
    (tmp_path / ".pinnacle/state.db").write_bytes(b"no database" * 1000)

    announce_run(studio, run)

    assert len(queued(studio)) == 1
    with sqlite3.connect(tmp_path / ".pinnacle/state.db") as database:
        assert database.execute("SELECT count(*) FROM condition").fetchone() == (1,)
    database.close()
