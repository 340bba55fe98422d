"""The record of runs: what was begun is never lost, and who died is noticed exactly once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.model.runs import (
    CANCELLED,
    FAILED,
    GOOD,
    KILLED,
    RUNNING,
    SCHEDULE,
    Origin,
    RunFacts,
)
from pinnacle_backup.state import runs as module
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.runs import Ending, Runs
from pinnacle_backup.store.processes import Process, process_of, this_process

NOW = datetime(2026, 11, 22, 14, 3, 22, tzinfo=UTC)
ORIGIN = Origin(user="anna")
SCHEDULED = Origin(
    kind=SCHEDULE, user="anna", job="daily-full", slot="2026-11-22T02:00:00.000000Z", attempt=2
)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    database = Database(str(tmp_path / "state" / "state.db"), warn=pytest.fail)
    yield Runs(database)
    database.close()


def ending(outcome: str = GOOD, **values: object) -> Ending:
    return Ending(
        **{"outcome": outcome, "exit_code": 0, "ended": "2026-11-22T14:04:00.000000Z", "seconds": 38.0}
        | values
    )


@pytest.fixture
def dead() -> Process:
    """A process that was there, and was killed."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = process_of(child.pid)
    child.kill()
    child.communicate()
    return process


def test_a_run_is_told_from_its_beginning_to_its_end(runs: Runs) -> None:
    number = runs.begin("create", "full", SCHEDULED, NOW, this_process())
    begun = runs.get(number)
    assert begun is not None
    assert (begun.outcome, begun.pid, begun.origin, begun.ended) == (RUNNING, os.getpid(), SCHEDULED, "")
    facts = RunFacts(backup="a.tar.gz", type="full", entries=3, read=10, stored=5)
    runs.end(number, ending(facts=facts, message="", hint=""))
    ended = runs.get(number)
    assert ended is not None
    assert (ended.outcome, ended.facts, ended.seconds, ended.exit_code) == (GOOD, facts, 38.0, 0)
    assert ended.started == "2026-11-22T14:03:22.000000Z"


def test_lines_have_numbers_and_bad_ones_are_counted(runs: Runs) -> None:
    number = runs.begin("create", "", ORIGIN, NOW, this_process())
    other = runs.begin("verify", "", ORIGIN, NOW, this_process())
    runs.add_line(number, NOW, "info", "one")
    runs.add_line(other, NOW, "info", "not ours")
    runs.add_line(number, NOW, "warning", "two")
    runs.add_line(number, NOW, "error", "three")
    assert [(line.number, line.level, line.text) for line in runs.lines(number)] == [
        (1, "info", "one"),
        (2, "warning", "two"),
        (3, "error", "three"),
    ]
    assert [line.text for line in runs.lines(number, after=2)] == ["three"]
    run = runs.get(number)
    assert run is not None
    assert run.warnings == 2


def test_a_run_that_logs_without_end_keeps_its_first_lines(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINES", 2)
    number = runs.begin("create", "", ORIGIN, NOW, this_process())
    for text in "abc":
        runs.add_line(number, NOW, "warning", text)
    assert [line.text for line in runs.lines(number)] == ["a", "b"]
    run = runs.get(number)
    assert run is not None
    assert run.warnings == 3


def test_the_newest_come_first_and_can_be_chosen(runs: Runs) -> None:
    first = runs.begin("create", "", ORIGIN, NOW, this_process())
    second = runs.begin("verify", "", ORIGIN, NOW, this_process())
    third = runs.begin("create", "", ORIGIN, NOW, this_process())
    runs.end(first, ending(FAILED))
    assert [run.id for run in runs.newest(10)] == [third, second, first]
    assert [run.id for run in runs.newest(1)] == [third]
    assert [run.id for run in runs.newest(10, verb="create")] == [third, first]
    assert [run.id for run in runs.newest(10, outcome=FAILED)] == [first]
    assert [run.id for run in runs.newest(10, below=third)] == [second, first]
    assert [run.id for run in runs.running()] == [second, third]


def test_a_rehearsal_leaves_nothing(runs: Runs) -> None:
    number = runs.begin("restore", "", ORIGIN, NOW, this_process())
    runs.add_line(number, NOW, "info", "planned")
    runs.forget(number)
    assert runs.get(number) is None
    assert runs.lines(number) == []


def test_numbers_are_never_given_twice(runs: Runs) -> None:
    first = runs.begin("restore", "", ORIGIN, NOW, this_process())
    runs.forget(first)
    assert runs.begin("restore", "", ORIGIN, NOW, this_process()) > first


def test_who_was_killed_is_noticed_once(runs: Runs, dead: Process) -> None:
    number = runs.begin("create", "", ORIGIN, NOW, dead)
    alive = runs.begin("create", "", ORIGIN, NOW, this_process())
    later = NOW + timedelta(minutes=1)
    assert [(run.id, run.outcome) for run in runs.mark_killed(later)] == [(number, KILLED)]
    assert runs.mark_killed(later) == []
    assert [run.id for run in runs.running()] == [alive]


def test_another_process_of_the_same_id_is_not_the_run(runs: Runs) -> None:
    """Process ids are given again, and the machine may have started anew."""
    me = this_process()
    for other in (Process(me.pid, me.started - 1, me.boot), Process(me.pid, me.started, "another boot")):
        number = runs.begin("create", "", ORIGIN, NOW, other)
        assert [run.id for run in runs.mark_killed(NOW)] == [number]


def test_a_run_that_was_asked_to_stop_and_died_was_cancelled(runs: Runs, dead: Process) -> None:
    number = runs.begin("create", "", ORIGIN, NOW, dead)
    runs.ask_to_stop(number, "bob")
    (run,) = runs.mark_killed(NOW)
    assert (run.outcome, run.stopped_by) == (CANCELLED, "bob")


def test_a_run_that_was_taken_for_dead_can_still_tell_its_end(runs: Runs, dead: Process) -> None:
    number = runs.begin("create", "", ORIGIN, NOW, dead)
    runs.mark_killed(NOW)
    runs.end(number, ending(GOOD))
    run = runs.get(number)
    assert run is not None
    assert run.outcome == GOOD


def test_the_last_run_of_a_slot_is_found(runs: Runs) -> None:
    runs.begin("create", "", SCHEDULED, NOW, this_process())
    last = runs.begin("create", "", SCHEDULED, NOW, this_process())
    runs.begin("create", "", ORIGIN, NOW, this_process())
    found = runs.of_slot(SCHEDULED.job, SCHEDULED.slot)
    assert found is not None
    assert found.id == last
    assert runs.of_slot(SCHEDULED.job, "2026-11-23T02:00:00.000000Z") is None


def test_old_runs_make_room_but_not_those_at_work(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    at_work = runs.begin("create", "", ORIGIN, NOW, this_process())
    for _ in range(4):
        runs.end(runs.begin("create", "", ORIGIN, NOW, this_process()), ending())
    kept = [run.id for run in runs.newest(10)]
    assert at_work in kept
    assert len(kept) == 3


def test_what_no_run_can_have_finds_none(runs: Runs) -> None:
    """A number beyond those of SQLite, a text that is none."""
    assert runs.get(10**20) is None
    assert runs.newest(10, verb="\udcff") == []
