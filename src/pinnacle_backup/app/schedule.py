"""When things happen by themselves: shown in words and times, changed in the configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.lease import scheduler_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.switch import stopped
from pinnacle_backup.app.timetables import schedule_zone, scheduled_jobs, timetable_of
from pinnacle_backup.config.edit import update
from pinnacle_backup.config.schedule import CATCH_UP
from pinnacle_backup.config.strict_json import parse
from pinnacle_backup.errors import StateError, UsageError
from pinnacle_backup.model.queries import ScheduleView, Stopped, UpcomingRun
from pinnacle_backup.schedule.words import in_words, until_words
from pinnacle_backup.state.instants import iso

_NAME = "--schedule-config"


def show_schedule(studio: Studio) -> ScheduleView:
    """Return the schedule in force."""
    schedule, zone = studio.configuration.backup.schedule, schedule_zone(studio)
    holder = scheduler_of(studio)
    return ScheduleView(
        values=msgspec.to_builtins(schedule),
        words=tuple(in_words(scheduled_jobs(studio), schedule, zone)),
        upcoming=upcoming(studio),
        scheduler=str(holder) if holder else "",
        stopped=stopped_by(studio),
        paused=paused_until(studio),
    )


def store_schedule(place: Place, text: str, opened: Callable[[], Studio]) -> None:
    """
    Change the keys of ``backup.schedule`` that the JSON object holds; the others stay.

    Args:
        place: Where the studio is: it need not be in order before the change.
        text: The object.
        opened: Returns the studio as it is after the change.

    Raises:
        ConfigError: A key or a value is wrong; nothing was changed.
    """
    changes = parse(text, _NAME)
    if not isinstance(changes, dict):
        raise UsageError(f"{_NAME}: expected an object", hint="""for example '{"weekly_cleanup": false}'""")
    update(place.file, {f"backup.schedule.{key}": value for key, value in changes.items()}, place.environ)
    studio = opened()
    audit(studio, actor_of(studio), "schedule", "config.json", ", ".join(changes))


def upcoming(studio: Studio) -> tuple[UpcomingRun, ...]:
    """
    Return what each job does next, the earliest first, but for the one that seldom has something to do.

    What a pause holds up says so.
    """
    timetable, now, zone = timetable_of(studio), studio.now(), schedule_zone(studio)
    paused = paused_until(studio)

    def words(start: datetime) -> str:
        said = until_words(start, now, zone)
        is_held_up = paused == "for ever" or (paused and start < datetime.fromisoformat(paused))
        return f"after the pause (due {said.partition(' (')[0]})" if is_held_up else said

    found = []
    for job in timetable.jobs:
        if job.name == CATCH_UP:  # mostly there is nothing to do
            continue
        start = timetable.next_start(job, timetable.last_started(job, now) or now, now)
        if start is not None:
            found.append((start, job))
    found.sort(key=lambda pair: pair[0])
    return tuple(
        UpcomingRun(job=job.name, run=job.run, start=iso(start), words=words(start)) for start, job in found
    )


def pause(studio: Studio, until: datetime | None) -> None:
    """
    Let nothing start by itself until then, or until ``resume``. What runs goes on.

    Raises:
        UsageError: That moment has passed.
    """
    if until is not None and until <= studio.now():
        raise UsageError("--until: that time has passed", hint='for example --until "2030-01-31 18:00"')
    studio.jobs.pause(until)
    how_long = f"until {iso(until)}" if until else "until somebody resumes it"
    studio.log.info("scheduler: paused %s", how_long)
    audit(studio, actor_of(studio), "pause", "the scheduler", how_long)


def has_gone_on(studio: Studio, name: str, slot: str, attempt: int) -> bool:
    """
    Tell whether the scheduler has gone beyond this attempt at a slot; a record that is no use says no.

    Raises:
        UsageError: The slot is no time.
    """
    try:
        moment = datetime.fromisoformat(slot).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--slot: {slot!r} is not a time") from None
    try:
        return studio.jobs.has_gone_on(name, moment, attempt)
    except StateError as error:
        studio.log.warning("%s: %s", name, error.message)
        return False


def resume(studio: Studio) -> None:
    """Go on; what was missed meanwhile is caught up, once."""
    studio.jobs.resume()
    studio.log.info("scheduler: resumed")
    audit(studio, actor_of(studio), "resume", "the scheduler")


def stopped_by(studio: Studio) -> Stopped | None:
    """Return who stopped the scheduler; None where nobody did, or the record cannot be read."""
    try:
        return stopped(studio)
    except StateError:
        return None


def paused_until(studio: Studio) -> str:
    """Return until when nothing starts, ``for ever``, or an empty text."""
    try:
        return studio.jobs.paused(studio.now())
    except StateError:
        return ""
