"""Who follows the events shares one look with all others, and yet is told everything once."""

from __future__ import annotations

import asyncio

from pinnacle_backup.app.live import LiveProgress
from pinnacle_backup.model.runs import GOOD, RUNNING, Origin, Run, RunLine
from pinnacle_backup.web.happening import Happening
from pinnacle_backup.web.remembering import Awaited
from pinnacle_backup.web.routes.api.events import Follower


def happening(number: int, outcome: str, *, lines: int = 0, phase: str = "") -> Happening:
    run = Run(id=number, verb="create", detail="full", origin=Origin(), outcome=outcome, started="", pid=1)
    return Happening(run=run, progress=LiveProgress(phase=phase) if phase else None, lines=lines)


def test_at_first_all_are_told_and_the_whole_log_of_what_goes_on() -> None:
    """A run that ended while a page was on its way stands there as running."""
    follower = Follower()
    event, after = follower.next(happening(1, GOOD, lines=5))
    assert event is not None
    assert (event[1]["id"], event[1]["outcome"], after) == (1, GOOD, None)
    event, after = follower.next(happening(2, RUNNING, lines=3, phase="scan"))
    assert event is not None
    assert (event[1]["id"], event[1]["phase"], after) == (2, "scan", 0)


def test_each_change_is_told_once_and_the_last_lines_with_the_end() -> None:
    follower = Follower()
    follower.next(happening(1, RUNNING, lines=2))
    follower.told(1, [RunLine(number=2, time="", level="info", text="two")])
    assert follower.next(happening(1, RUNNING, lines=2)) == (None, None)
    event, after = follower.next(happening(1, GOOD, lines=3))
    assert event is not None
    assert (event[1]["outcome"], after) == (GOOD, 2)
    assert follower.next(happening(1, GOOD, lines=3)) == (None, None)


def test_a_run_that_began_and_ended_between_two_looks_is_told() -> None:
    follower = Follower()
    event, _ = follower.next(happening(7, GOOD))
    assert event is not None
    assert event[1]["outcome"] == GOOD


def test_all_who_wait_share_one_look_and_the_next_comes_later() -> None:
    async def asked() -> list[int]:
        looks: list[int] = []

        async def look() -> int:
            looks.append(len(looks))
            await asyncio.sleep(0)
            return looks[-1]

        lasting, short = Awaited[int](3600), Awaited[int](0)
        shared = await asyncio.gather(*(lasting.get(look) for _ in range(5)))
        return [*shared, await lasting.get(look), await short.get(look), await short.get(look)]

    assert asyncio.run(asked()) == [0, 0, 0, 0, 0, 0, 1, 2]
