"""The record of runs."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, Final

import msgspec

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.runs import CANCELLED, KILLED, RUNNING, Origin, Run, RunFacts, RunLine
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.store.processes import Process

KEPT: Final = 5000
"""How many runs are remembered."""

_LINES: Final = 10_000
"""How many lines of one run are kept; the log files have them all."""

_COLUMNS: Final = (
    "id, verb, detail, origin, outcome, exit_code, code, message, hint, started, ended, seconds, facts, "
    "warnings, stopped_by, process"
)

_NAMES: Final = _COLUMNS.split(", ")
_PROCESS: Final = msgspec.json.Decoder(Process)
_ORIGIN: Final = msgspec.json.Decoder(Origin)
_FACTS: Final = msgspec.json.Decoder(RunFacts)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended; see ``model.runs.Run``."""

    outcome: str
    exit_code: int | None
    code: str = ""
    message: str = ""
    hint: str = ""
    ended: str
    seconds: float
    facts: RunFacts = RunFacts()


class Runs:
    """The runs of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, verb: str, detail: str, origin: Origin, started: datetime, process: Process) -> int:
        """Record that a run begins, and return its number."""
        values = (verb, detail, _json(origin), RUNNING, iso(started), _json(process), origin.job, origin.slot)

        def work(db: sqlite3.Connection) -> int:
            cursor = db.execute(
                "INSERT INTO run (verb, detail, origin, outcome, started, process, job, slot) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            number = int(cursor.lastrowid or 0)
            db.execute("DELETE FROM run WHERE id <= ? AND outcome <> ?", (number - KEPT, RUNNING))
            return number

        return self._database.write(work)

    def hand_over(self, run: int, process: Process) -> None:
        """Record that another process executes a run that was begun on its behalf."""
        query = "UPDATE run SET process = ? WHERE id = ? AND outcome = ?"
        self._database.write(lambda db: db.execute(query, (_json(process), run, RUNNING)))

    def take_over(self, run: int, verb: str, detail: str, process: Process) -> bool:
        """Begin a run that was recorded before; tell whether it waits for this verb, and for nobody else."""
        query = (
            "UPDATE run SET process = ?, detail = ? WHERE id = ? AND verb = ? AND outcome = ? "
            "AND NOT EXISTS (SELECT 1 FROM line WHERE run = ?)"
        )
        values = (_json(process), detail, run, verb, RUNNING, run)
        return bool(self._database.write(lambda db: db.execute(query, values).rowcount))

    def add_line(self, run: int, moment: datetime, level: str, text: str) -> None:
        """Add a line to a run's log."""
        insert = (
            "INSERT INTO line SELECT ?, count(*) + 1, ?, ?, ? FROM line WHERE run = ? HAVING count(*) < ?"
        )
        worse = "UPDATE run SET warnings = warnings + 1 WHERE id = ?"

        def work(db: sqlite3.Connection) -> None:
            db.execute(insert, (run, iso(moment), level, text, run, _LINES))
            if level != "info":
                db.execute(worse, (run,))

        self._database.write(work)

    def note(self, run: int, facts: RunFacts) -> None:
        """Record what is known of a run that goes on."""
        query = "UPDATE run SET facts = ? WHERE id = ? AND outcome = ?"
        self._database.write(lambda db: db.execute(query, (_json(facts), run, RUNNING)))

    def end(self, run: int, ending: Ending) -> None:
        """Record how a run ended."""
        query = (
            "UPDATE run SET outcome = ?, exit_code = ?, code = ?, message = ?, hint = ?, ended = ?, "
            "seconds = ?, facts = ? WHERE id = ? AND outcome IN (?, ?)"
        )
        values = (*msgspec.structs.astuple(ending)[:-1], _json(ending.facts), run, RUNNING, KILLED)
        self._database.write(lambda db: db.execute(query, values))

    def forget(self, run: int) -> None:
        """Leave no trace of a run: it was a rehearsal."""
        self._database.write(lambda db: db.execute("DELETE FROM run WHERE id = ?", (run,)))

    def get(self, run: int) -> Run | None:
        """Return a run; None where there is none of that number."""
        found = self._select("WHERE id = ?", (run,))
        return found[0] if found else None

    def newest(
        self,
        limit: int,
        *,
        verb: str = "",
        outcome: str = "",
        below: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Run]:
        """
        Return runs, newest first.

        Args:
            limit: How many at most.
            verb, outcome: Only those; empty for all.
            below: Only those with smaller numbers; 0 for all.
            since, until: Only those that began in that time; its end does not belong to it.
        """
        first, last = (iso(moment) if moment else "" for moment in (since, until))
        return self._select(
            "WHERE (? = '' OR verb = ?) AND (? = '' OR outcome = ?) AND (? = 0 OR id < ?) "
            "AND started >= ? AND (? = '' OR started < ?) ORDER BY id DESC LIMIT ?",
            (verb, verb, outcome, outcome, below, below, first, last, last, limit),
        )

    def since(self, moment: datetime) -> list[Run]:
        """Return the runs that ended since a moment, oldest first."""
        return self._select("WHERE ended >= ? ORDER BY id", (iso(moment),))

    def running(self) -> list[Run]:
        """Return the runs of which no end is recorded, oldest first."""
        return self._select("WHERE outcome = ? ORDER BY id", (RUNNING,))

    def of_slot(self, job: str, slot: str) -> Run | None:
        """Return the last run of a job for a slot."""
        found = self._select("WHERE job = ? AND slot = ? ORDER BY id DESC LIMIT 1", (job, slot))
        return found[0] if found else None

    def earlier_parts(self, run: int) -> list[Run]:
        """Return the runs that the process of a run has made before it for the same job, oldest first."""
        return self._select(
            "WHERE (job, slot, process) = (SELECT job, slot, process FROM run WHERE id = ?) AND job <> '' "
            "AND id < ? ORDER BY id",
            (run, run),
        )

    def lines(self, run: int, *, after: int = 0) -> list[RunLine]:
        """Return the lines of a run's log behind a place."""
        rows = self._database.read(
            "SELECT number, time, level, text FROM line WHERE run = ? AND number > ? ORDER BY number",
            (run, after),
        )
        return [
            msgspec.convert(dict(zip(RunLine.__struct_fields__, row, strict=True)), RunLine) for row in rows
        ]

    def newest_lines(self, runs: tuple[int, ...]) -> dict[int, int]:
        """Return the number of the last line of each run's log; none where it has no line."""
        marks = ", ".join("?" * len(runs))
        query = f"SELECT run, max(number) FROM line WHERE run IN ({marks}) GROUP BY run"  # noqa: S608 - marks
        return {int(str(run)): int(str(number)) for run, number in self._database.read(query, runs)}

    def process(self, run: int) -> Process | None:
        """Return the process that executes a run."""
        rows = self._database.read("SELECT process FROM run WHERE id = ?", (run,))
        return msgspec.json.decode(str(rows[0][0]), type=Process) if rows else None

    def ask_to_stop(self, run: int, by: str) -> None:
        """Remember who asked a run to stop."""
        query = "UPDATE run SET stopped_by = ? WHERE id = ? AND outcome = ?"
        self._database.write(lambda db: db.execute(query, (by, run, RUNNING)))

    def mark_killed(self, now: datetime) -> list[Run]:
        """
        Record of all runs whose process is gone that they were killed, and return those runs.

        Of two processes that look at the same time only one gets a run.
        """
        dead = [run.id for run in self.running() if not self._lives(run.id)]
        return [run for run in (self._killed(number, now) for number in dead) if run is not None]

    def _lives(self, run: int) -> bool:
        process = self.process(run)
        return process is not None and process.is_alive()

    def _killed(self, run: int, now: datetime) -> Run | None:
        query = (
            "UPDATE run SET outcome = CASE stopped_by WHEN '' THEN ? ELSE ? END, ended = ?, code = 'killed', "
            "message = 'its process ended without a word: killed, or the machine went down', "
            "hint = 'nothing needs a hand: what it left is removed by the next run' "
            "WHERE id = ? AND outcome = ?"
        )

        def work(db: sqlite3.Connection) -> int:
            return db.execute(query, (KILLED, CANCELLED, iso(now), run, RUNNING)).rowcount

        return self.get(run) if self._database.write(work) else None

    def _select(self, where: str, parameters: tuple[object, ...]) -> list[Run]:
        query = f"SELECT {_COLUMNS} FROM run {where}"  # noqa: S608 - texts of this module only
        return [_run(row) for row in self._database.read(query, parameters)]


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _run(row: tuple[object, ...]) -> Run:
    try:
        return _decoded(row)
    except msgspec.MsgspecError as error:
        raise StateError(f"the record of run {row[0]} is damaged", hint="move state.db away") from error


def _decoded(row: tuple[object, ...]) -> Run:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    values["pid"] = _PROCESS.decode(values.pop("process")).pid
    values["origin"] = _ORIGIN.decode(values["origin"])
    values["facts"] = _FACTS.decode(values["facts"])
    return Run(**values)  # the columns have types of their own; checking them again would take half the time
