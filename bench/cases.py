"""What is done with the tools, in which order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from operator import methodcaller

import studio
from data import update_rows
from measure import Command
from tool import FULL
from turns import MEMORY_ROUND, Turns

LIMIT = "limit"


@dataclass(frozen=True)
class Rounds:
    """
    How often.

    Attributes:
        warm: Rounds that measure time.
        cold: Rounds after them in which every command finds its caches cold.
        memory: Whether a round before them measures memory.
    """

    warm: int = 3
    cold: int = 1
    memory: bool = True

    @property
    def numbers(self) -> range:
        """The warm rounds."""
        return range(MEMORY_ROUND if self.memory else MEMORY_ROUND + 1, self.warm + 1)


def files(turns: Turns, rounds: Rounds, parts: Mapping[str, str], limit: Command | None = None) -> None:
    """
    Measure a full backup, an unchanged one, restores and a verification.

    Args:
        turns: The tools.
        rounds: How often.
        parts: What is restored beside everything: path below the data, by name of the step.
        limit: Goes through the data as quickly as the machine can.
    """
    for turns.round in rounds.numbers:
        turns.setup()
        if limit and turns.timed:
            turns.one("full", LIMIT, limit)
        turns.each("full", lambda tool: tool.full())
        turns.sizes("size")
        turns.each("incremental", lambda tool: tool.incremental())
        _restores(turns, parts)
        turns.each("verify", lambda tool: tool.verify())
    turns.cold = True
    for turns.round in range(1, rounds.cold + 1):
        turns.setup()
        turns.each("full", lambda tool: tool.full())
        turns.each("incremental", lambda tool: tool.incremental())
        _restores(turns, parts)
    turns.cold = False


def growth(turns: Turns, rounds: Rounds, pristine: str, shares: Mapping[str, float]) -> None:
    """Measure an incremental backup after a share of a database's rows was updated."""
    database = os.path.join(turns.data, os.path.basename(pristine))
    for turns.round in rounds.numbers:
        for step, share in shares.items():
            shutil.copy2(pristine, database)
            turns.setup()
            turns.each("full", lambda tool: tool.full())
            before = {name: tool.size() for name, tool in turns.tools.items()}
            update_rows(database, share)
            turns.each(f"incremental {step}", lambda tool: tool.incremental())
            turns.sizes(f"growth {step}", before)


def by_number(turns: Turns, rounds: Rounds, label: str) -> None:
    """Measure a full and unchanged ones of so many files: memory once, and time as often as wanted."""
    turns.round = MEMORY_ROUND if rounds.memory else MEMORY_ROUND + 1
    turns.setup()
    turns.each(f"full {label}", lambda tool: tool.full())
    for turns.round in rounds.numbers:
        turns.each(f"incremental {label}", lambda tool: tool.incremental(f"incremental-{turns.round}"))


def startup(turns: Turns, rounds: Rounds, times: int) -> None:
    """Measure what a command takes that has next to nothing to do."""
    turns.round = MEMORY_ROUND
    turns.setup()
    turns.each("full", lambda tool: tool.full())
    for turns.round in range(1, rounds.warm * times + 1):
        turns.each("help", lambda tool: tool.help())
        turns.each("list", lambda tool: tool.listing())


def week(turns: Turns, rounds: Rounds, pristine: str, size: int, days: int, hours: int) -> None:
    """
    Measure a week of a studio: incremental backups while it works, a full one every night, then cleanup.

    Args:
        turns: The tools.
        rounds: How often.
        pristine: The studio as it was made.
        size: Of it.
        days: In the week.
        hours: In a day, of which each has an incremental backup.
    """
    for turns.round in rounds.numbers:
        studio.again(pristine, turns.data)
        turns.setup()
        turns.add("backups", lambda tool: tool.full(f"{FULL}-0"))
        for day in range(1, days + 1):
            for hour in range(hours):
                studio.hour(turns.data, size, day, hour, hours)
                label = f"incremental-{day}-{hour}"
                turns.add("backups", methodcaller("incremental", label))
            studio.night(turns.data, day)
            turns.add("backups", methodcaller("full", f"{FULL}-{day}"))
        turns.totals()
        turns.sizes("size")
        turns.each("thin", lambda tool: tool.thin())
        turns.sizes("size after")
        turns.restores("restore", label=f"{FULL}-{days}")


def fulls(turns: Turns, rounds: Rounds, pristine: str, count: int) -> None:
    """Measure many full backups with a night between each, then a cleanup that leaves the newest."""
    last = f"{FULL}-{count}"
    for turns.round in rounds.numbers:
        studio.again(pristine, turns.data)
        turns.setup()
        turns.each("first", lambda tool: tool.full(f"{FULL}-1"))
        for number in range(2, count):
            studio.night(turns.data, number)
            turns.add("between", methodcaller("full", f"{FULL}-{number}"))
        studio.night(turns.data, count)
        turns.each("last", lambda tool: tool.full(last))
        turns.totals()
        turns.sizes("size")
        turns.each("cleanup", lambda tool: tool.keep_newest())
        turns.sizes("size after")
        turns.restores("restore", label=last)


def _restores(turns: Turns, parts: Mapping[str, str]) -> None:
    turns.restores("restore")
    for step, part in parts.items():
        turns.restores(step, part)
