"""
What is done with the tools, in which order, and what is written down: one flat record a step.

In every step the tools take turns, A B C, A B C, so that a change of the machine's mood meets all of them.
Round 0 warms up and measures memory; the rounds after it measure time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from itertools import islice

from compare import differences
from data import update_rows
from measure import Command, run
from tools import Tool

Record = dict[str, str | int | float]
Write = Callable[[Record], None]
MEMORY_ROUND = 0


class DifferentError(Exception):
    """A tool restored something else than was backed up."""


class Case:
    """
    One data set, and the tools that back it up.

    Args:
        name: As the records have it.
        root: The folder with `data`.
        tools: By name.
        write: Takes each record.
    """

    def __init__(self, name: str, root: str, tools: Mapping[str, Tool], write: Write) -> None:
        self._name = name
        self._root = root
        self._tools = tools
        self._write = write
        self._round = MEMORY_ROUND

    def files(self, rounds: int) -> None:
        """Measure a full backup, an unchanged incremental, a restore and a verification."""
        for self._round in range(rounds + 1):
            self._setup()
            self._each("full", lambda tool: tool.full())
            self._sizes("size")
            self._each("incremental", lambda tool: tool.incremental())
            self._restores()
            self._each("verify", lambda tool: tool.verify())

    def growth(self, rounds: int, pristine: str, shares: Mapping[str, float]) -> None:
        """Measure an incremental backup after a share of a database's rows was updated."""
        database = os.path.join(self._root, "data", os.path.basename(pristine))
        for self._round in range(rounds + 1):
            for step, share in shares.items():
                shutil.copy2(pristine, database)
                self._setup()
                self._each("full", lambda tool: tool.full())
                before = {name: tool.size() for name, tool in self._tools.items()}
                update_rows(database, share)
                self._each(f"incremental {step}", lambda tool: tool.incremental())
                self._sizes(f"growth {step}", before)

    def memory(self, label: str) -> None:
        """Measure the memory of a full and of an unchanged incremental backup, once."""
        self._setup()
        self._each(f"full {label}", lambda tool: tool.full())
        self._each(f"incremental {label}", lambda tool: tool.incremental())

    def _setup(self) -> None:
        for tool in self._tools.values():
            command = tool.setup()
            if command is not None:
                run(command)

    def _each(self, step: str, verb: Callable[[Tool], Command]) -> None:
        for name, tool in self._tools.items():
            self._measured(step, name, verb(tool))

    def _measured(self, step: str, name: str, command: Command) -> None:
        """Record what a round may tell: where memory is sampled, it is at the expense of time."""
        sampled = self._round == MEMORY_ROUND
        taken = run(command, memory=sampled)
        if not sampled:
            self._record(step, name, {"wall": round(taken.wall, 3), "cpu": round(taken.cpu, 3)})
        elif taken.memory:  # else it was over before the first sample
            self._record(step, name, {"memory": taken.memory})

    def _sizes(self, step: str, before: Mapping[str, int] | None = None) -> None:
        for name, tool in self._tools.items():
            self._record(step, name, {"bytes": tool.size() - (before or {}).get(name, 0)})

    def _restores(self) -> None:
        folder = os.path.join(self._root, "restored")
        shutil.rmtree(folder, ignore_errors=True)
        for name, tool in self._tools.items():
            target = os.path.join(folder, name)
            os.makedirs(target)
            self._measured("restore", name, tool.restore(target))
            self._check(name, tool, target)
        shutil.rmtree(folder)

    def _check(self, name: str, tool: Tool, target: str) -> None:
        data, restored = os.path.join(self._root, "data"), os.path.join(target, "data")
        found = list(islice(differences(data, restored, nanoseconds=tool.nanoseconds), 5))
        if found:
            raise DifferentError(f"{name} restored something else:\n" + "\n".join(found))

    def _record(self, step: str, tool: str, figures: Record) -> None:
        record: Record = {"case": self._name, "round": self._round, "step": step, "tool": tool, **figures}
        print("  " + " ".join(f"{key}={value}" for key, value in record.items()), file=sys.stderr, flush=True)
        self._write(record)
