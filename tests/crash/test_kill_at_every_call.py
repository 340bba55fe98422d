"""
A command that is killed, just before any call by which it changes the disk, does no harm.

After each kill: I1 no earlier backup has changed or disappeared; I2 whatever ``list`` shows passes ``verify``;
I4 the same command again succeeds without a hand, and nothing that is half done is left.

The calls are those of the real process, SQLite's and the C library's included: ``strace`` kills it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..studios import Studio, Template, Verified, warm_up
from ..trees import Tree
from . import strace
from .cases import CASES, Case, tree_of

pytestmark = strace.needed


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    return Studio(tmp_path / "studio")


class Sweep:
    """Kills one command again and again, each time in the same studio."""

    def __init__(self, studio: Studio, case: Case) -> None:
        self.studio, self.case = studio, case
        self.good = case.prepare(studio)
        self.changed: Tree = tree_of(studio)
        self.before = studio.archives()
        self.ended_well = ended_well(studio)
        self.template = Template(studio)
        self.verified = Verified(*case.passwords)

    def check(self) -> None:
        """Check what the kill left, and that the command then does what it should have done."""
        studio, case = self.studio, self.case
        case.after_kill(studio, self.before, self.good, self.changed)
        self.verified.check(studio)
        if not (case.once and ended_well(studio) > self.ended_well):
            ended = studio.run(*case.args)
            assert ended.code == 0, ended
        case.after_repeat(studio, self.before, self.good, self.changed)
        self.verified.check(studio)
        assert studio.leftovers() == []

    def warm(self, most: int | None = None) -> None:
        """Kill the command at all its calls, or at so many from all over the run."""
        calls = strace.changing_calls(self.studio, *self.case.args)
        assert len(calls) > 20
        unhit = 0
        for call in spread(calls, most):
            self.template.reset()
            try:
                unhit += not strace.kill_at(self.studio, call, *self.case.args)
                self.check()
            except AssertionError as error:
                raise AssertionError(f"killed at {call}") from error
        assert unhit <= len(calls) // 20  # a run may take a call or two less than the first


def ended_well(studio: Studio) -> int:
    """Return how many restores and undos ended well."""
    runs = json.loads(studio.good("runs", "--json"))["runs"]
    return sum((run["verb"], run["outcome"]) == ("restore", "good") for run in runs)


def spread(calls: list[strace.Call], most: int | None) -> list[strace.Call]:
    step = len(calls) / (most or len(calls))
    return [calls[int(step * (number + 0.5))] for number in range(most or len(calls))]


@pytest.mark.parametrize("name", CASES)
def test_killed_at_some_calls(studio: Studio, name: str) -> None:
    Sweep(studio, CASES[name]).warm(CASES[name].quick)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_call(studio: Studio, name: str) -> None:
    Sweep(studio, CASES[name]).warm()


@pytest.mark.parametrize("name", ["create", "restore"])
def test_killed_from_a_cold_start(studio: Studio, name: str) -> None:
    """The command line of a shell, interpreter start and all."""
    sweep = Sweep(studio, CASES[name])
    calls = strace.cold_calls(studio, *sweep.case.args)
    for call in spread(calls[len(calls) // 2 :], 1):
        sweep.template.reset()
        strace.cold_kill_at(studio, call, *sweep.case.args)
        sweep.check()


@pytest.mark.parametrize("name", ["restore", "undo"])
def test_killed_when_what_changes_was_saved_and_nothing_has_changed_yet(studio: Studio, name: str) -> None:
    """What was saved has its name then; that alone is no restore which an undo could take back."""
    sweep = Sweep(studio, CASES[name])
    calls = strace.changing_calls(studio, *CASES[name].args)
    committed = next(
        place
        for place, call in enumerate(calls)
        if "tar.gz.partial" in call.arguments and call.name == "renameat2"
    )
    for call in calls[committed : committed + 4]:
        sweep.template.reset()
        assert strace.kill_at(studio, call, *CASES[name].args)
        sweep.check()
