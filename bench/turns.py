"""
Let the tools take turns in every step, A B C, B C A, so that a change of the machine's mood meets all
of them, and what the first one finds on the disk meets each once; and write down what each took: one flat
record a step.

Round 0 warms up and measures memory; the rounds after it measure time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import caches
from compare import differences
from measure import Command, Measurement, run
from tool import Tool

Record = dict[str, str | int | float]
Write = Callable[[Record], None]
Verb = Callable[[Tool], Command]
MEMORY_ROUND = 0
COLD = "cold"


class DifferentError(Exception):
    """A tool restored something else than was backed up."""


class Turns:
    """
    One data set, and the tools that back it up.

    Args:
        case: As the records have it.
        root: The folder with `data`.
        tools: By name.
        write: Takes each record.

    Attributes:
        round: Which one it is.
        cold: Whether each command finds nothing in memory; its steps have names of their own.
    """

    def __init__(self, case: str, root: str, tools: Mapping[str, Tool], write: Write) -> None:
        self.case, self.root, self.tools = case, root, tools
        self.round, self.cold = MEMORY_ROUND, False
        self._write = write
        self._sums: dict[tuple[str, str], Measurement] = {}

    @property
    def data(self) -> str:
        """The folder that is backed up."""
        return os.path.join(self.root, "data")

    @property
    def timed(self) -> bool:
        """Whether this round measures time."""
        return self.round != MEMORY_ROUND

    def setup(self) -> None:
        """Have every tool begin anew."""
        for tool in self.tools.values():
            command = tool.setup()
            if command is not None:
                run(command)

    def each(self, step: str, verb: Verb) -> None:
        """Have every tool take one step, and record it."""
        for name, tool in self._in_turn():
            self.one(step, name, verb(tool))

    def one(self, step: str, name: str, command: Command, *, durable: str = "") -> None:
        """Record what a round may tell: where memory is sampled, it is at the expense of time."""
        taken = self._run(command, durable)
        if self.timed:
            self._record(step, name, _figures(taken))
        elif taken.memory:  # else it was over before the first sample
            self._record(step, name, {"memory": taken.memory})

    def add(self, step: str, verb: Verb) -> None:
        """Have every tool take one of many steps, which `totals` records together."""
        for name, tool in self._in_turn():
            taken = self._run(verb(tool))
            self._sums[step, name] = _sum(self._sums.get((step, name)), taken)

    def totals(self) -> None:
        """Record all that was added since the last time."""
        for (step, name), taken in self._sums.items():
            self._record(step, name, _figures(taken) if self.timed else {"memory": taken.memory})
        self._sums.clear()

    def sizes(self, step: str, before: Mapping[str, int] | None = None) -> None:
        """Record how large the backups of each tool are, or by how much they grew."""
        for name, tool in self.tools.items():
            self._record(step, name, {"bytes": tool.size() - (before or {}).get(name, 0)})

    def restores(self, step: str, part: str = "", label: str = "full") -> None:
        """Have every tool restore to the disk, record it, and compare with the data."""
        folder = os.path.join(self.root, "restored")
        shutil.rmtree(folder, ignore_errors=True)
        for name, tool in self._in_turn():
            target = os.path.join(folder, name)
            os.makedirs(target)
            self.one(step, name, tool.restore(target, part, label), durable=target)
            self._check(name, tool, target, part)
            shutil.rmtree(target)
        shutil.rmtree(folder, ignore_errors=True)

    def _in_turn(self) -> list[tuple[str, Tool]]:
        """Return the tools in the order of this round: each round another one begins."""
        tools = list(self.tools.items())
        first = (self.round - 1) % len(tools)
        return tools[first:] + tools[:first]

    def _run(self, command: Command, durable: str = "") -> Measurement:
        if self.cold:
            caches.drop(self.root)
        return run(command, memory=not self.timed, durable=durable)

    def _check(self, name: str, tool: Tool, target: str, part: str) -> None:
        """Compare what was restored: the whole, or the folder that the part is, or is in."""
        restored = os.path.join(target, "data", part)
        if part and os.path.isfile(restored):
            _only(os.path.join(target, "data"), part)
            found: Iterable[str] = _file_differences(os.path.join(self.data, part), restored)
        else:
            found = differences(
                os.path.join(self.data, part), restored, nanoseconds=tool.nanoseconds, folders=tool.folders
            )
        faults = list(islice(found, 5))
        if faults:
            raise DifferentError(f"{name} restored something else:\n" + "\n".join(faults))

    def _record(self, step: str, tool: str, figures: Record) -> None:
        step = f"{step} {COLD}" if self.cold else step
        record: Record = {"case": self.case, "round": self.round, "step": step, "tool": tool, **figures}
        print("  " + " ".join(f"{key}={value}" for key, value in record.items()), file=sys.stderr, flush=True)
        self._write(record)


def _figures(taken: Measurement) -> Record:
    times: Record = {"wall": round(taken.wall, 3), "cpu": round(taken.cpu, 3)}
    return {**times, "read": taken.read, "disk": taken.disk}


def _sum(before: Measurement | None, taken: Measurement) -> Measurement:
    if before is None:
        return taken
    return Measurement(
        before.wall + taken.wall,
        before.cpu + taken.cpu,
        max(before.memory, taken.memory),
        before.read + taken.read,
        before.disk + taken.disk,
    )


def _only(top: str, part: str) -> None:
    """See that nothing but one file was restored."""
    found = [
        os.path.relpath(os.path.join(folder, name), top)
        for folder, _, names in os.walk(top)
        for name in names
    ]
    if found != [part]:
        raise DifferentError(f"not only {part} was restored, but {len(found)} files")


def _file_differences(expected: str, found: str) -> list[str]:
    with open(expected, "rb") as here, open(found, "rb") as there:
        return [] if here.read() == there.read() else [f"{expected}: other content"]
