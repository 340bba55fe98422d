"""
A year of the schedule, in seconds: exactly the runs that a person with a calendar would expect.

What is expected is found without the code under test: somebody looks at the clock on the wall every minute
of the year, through both changes of the clock, and notes what is due.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pinnacle_backup.config.schedule import Job as Own
from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.schedule.decision import Due
from pinnacle_backup.schedule.job import jobs_of
from pinnacle_backup.schedule.timetable import Timetable

from .simulated import GOOD, KILLED, LASTING, TRANSIENT, Simulation

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RETRIES = 3
SCHEDULE = Schedule(
    daily_full_backup_time="02:30",  # the clock skips it once a year, and shows it twice once a year
    hourly_incremental_backup=True,
    weekly_cleanup_day="sunday",
    weekly_cleanup_time="02:45",  # on the very days on which the clock changes
    jobs=(
        Own(name="monthly-drill", run="drill", cron="30 3 1 * *"),
        Own(name="office-hours", run="incremental", cron="0 8-18/6 * * 1-5"),
    ),
    retries=RETRIES,
    retry_seconds=60,
)
FULL, HOURLY, CLEANUP, DRILL, OFFICE = (
    "daily-full",
    "hourly-incremental",
    "weekly-cleanup",
    "monthly-drill",
    "office-hours",
)
ORDER = (FULL, HOURLY, OFFICE, DRILL, CLEANUP)
FATES = {
    GOOD: (GOOD,),
    "once": (TRANSIENT, GOOD),
    "twice": (TRANSIENT, TRANSIENT, GOOD),
    "hopeless": (TRANSIENT,) * (RETRIES + 1),
    LASTING: (LASTING,),
    KILLED: (KILLED, GOOD),
    "killer": (KILLED,) * (RETRIES + 1),
    "all": (KILLED, TRANSIENT, GOOD),
}
Slot = tuple[str, datetime]


def noted(start: datetime, end: datetime) -> Iterator[Slot]:
    """Look at the clock every minute, and note what is due."""
    moment, highest = start, start.astimezone(BERLIN).replace(tzinfo=None)
    while (moment := moment + MINUTE) <= end:
        wall = moment.astimezone(BERLIN).replace(tzinfo=None, fold=0)
        if wall.minute == 0:
            yield HOURLY, moment
        while highest < wall:  # more than one minute at once where the clock skips an hour
            highest += MINUTE
            day, clock = highest.isoweekday(), (highest.hour, highest.minute)
            if clock == (2, 30):
                yield FULL, moment
            if clock == (2, 45) and day == 7:
                yield CLEANUP, moment
            if clock == (3, 30) and highest.day == 1:
                yield DRILL, moment
            if clock in ((8, 0), (14, 0)) and day < 6:
                yield OFFICE, moment


def absences(dice: random.Random, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The machine sleeps or is off: for minutes, hours or days. Never while an attempt is still to come."""
    found, moment = [], start
    while True:
        moment = (moment + dice.uniform(0.2, 12) * DAY).replace(minute=25, second=40)
        length = dice.choice((5, 40, 60, 300, 1000, 3 * 1440, 5 * 1440))
        until = (moment + length * MINUTE).replace(minute=5, second=dice.randrange(60))
        if until > end - DAY:
            return found
        if until > moment and not {moment.hour, until.hour} & {0, 1, 2, 3}:
            found.append((moment, until))
            moment = until


def expected(
    slots: list[Slot], away: list[tuple[datetime, datetime]], fates: dict[Slot, str]
) -> list[tuple[Slot, int, tuple[str, ...]]]:
    """Return each slot that is run, for how many others it makes up, and how its attempts end."""
    groups: defaultdict[tuple[datetime, str], list[datetime]] = defaultdict(list)
    for name, slot in slots:
        back = next((until for since, until in away if since < slot < until), slot)
        groups[back, name].append(slot)
    full = {back for back, name in groups if name == FULL}
    runs = [
        (back, max(found), ORDER.index(name), name, len(found) - 1)
        for (back, name), found in groups.items()
        if back not in full or name not in (HOURLY, OFFICE)
    ]
    return [
        ((name, slot), missed, FATES[fates.get((name, slot), GOOD)])
        for _, slot, _, name, missed in sorted(runs)
    ]


def test_a_year() -> None:
    """Through both clock changes, sleep, crashes, failures and a leap day: no run too many, none too few."""
    dice = random.Random(1)
    start, end = datetime(2028, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2028, 12, 31, 23, 50, tzinfo=UTC)
    slots = list(noted(start.replace(second=0), end))
    away = absences(dice, start, end)
    fates = {slot: dice.choice(list(FATES)) for slot in slots if dice.random() < 0.06}
    attempts: defaultdict[Slot, int] = defaultdict(int)

    def outcome(due: Due) -> str:
        slot = (due.job.name, due.slot)
        attempts[slot] += 1
        assert due.attempt == attempts[slot]
        return FATES[fates.get(slot, GOOD)][due.attempt - 1]

    simulation = Simulation(Timetable(jobs_of(SCHEDULE), SCHEDULE, BERLIN), start, outcome)
    _live(simulation, end, away)

    wanted = expected(slots, away, fates)
    first = [run for run in simulation.runs if run.due.attempt == 1]
    assert [((run.due.job.name, run.due.slot), run.due.missed) for run in first] == [w[:2] for w in wanted]
    ends: defaultdict[Slot, list[str]] = defaultdict(list)
    for run in simulation.runs:
        ends[run.due.job.name, run.due.slot].append(run.outcome)
    assert {slot: tuple(found) for slot, found in ends.items()} == {w[0]: w[2] for w in wanted}
    assert len(away) > 20
    assert len(wanted) > 4000


def _live(simulation: Simulation, end: datetime, away: list[tuple[datetime, datetime]]) -> None:
    """Look, then sleep exactly until something is to be done; a machine that is off looks when it is back."""
    while simulation.now < end:
        simulation.now = next((u for s, u in away if s <= simulation.now < u), simulation.now)
        if not simulation.look():
            wake = simulation.wake()
            assert wake is not None
            assert wake > simulation.now
            simulation.now = wake
