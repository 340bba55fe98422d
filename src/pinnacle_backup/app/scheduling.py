"""Change the schedule piece by piece, see what a time would mean, and do a job now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from typing import Any, Final

import msgspec

from pinnacle_backup.app.jobs import find_job
from pinnacle_backup.app.schedule import store_schedule
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.config.schedule import check_cron
from pinnacle_backup.errors import ConfigError, FieldErrors, UsageError
from pinnacle_backup.model.runs import Run
from pinnacle_backup.schedule.job import BACKUPS, Job
from pinnacle_backup.schedule.timetable import Timetable
from pinnacle_backup.schedule.words import cron_words, until_words
from pinnacle_backup.state.instants import iso

_PLACE: Final = re.compile(r"(?:\S+: )?backup\.schedule\.?(?P<place>[^:\s]*): (?P<fault>.*)", re.DOTALL)
_SHOWN: Final = 5
_FAR: Final = timedelta(days=50 * 366)
_WRONG: Final = "The schedule cannot be like this"


class PreviewTime(msgspec.Struct, frozen=True, kw_only=True):
    """
    A time at which something would start.

    Attributes:
        start: ISO 8601 UTC.
        words: For people.
    """

    start: str
    words: str


class CronPreview(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a cron expression means.

    Attributes:
        cron: The expression.
        fault: What is wrong with it; empty where it means something.
        words: What it says.
        upcoming: When it starts next, blackouts heeded.
    """

    cron: str
    fault: str = ""
    words: str = ""
    upcoming: tuple[PreviewTime, ...] = ()


def preview(studio: Studio, cron: str, count: int = _SHOWN) -> CronPreview:
    """Return what a cron expression would mean here, or what is wrong with it."""
    try:
        check_cron(cron)
    except ValueError as error:
        return CronPreview(cron=cron, fault=str(error).removeprefix("cron: "))
    now, zone = studio.now(), schedule_zone(studio)
    job = Job(name="preview", run="verify", cron=cron)
    timetable = Timetable((job,), studio.configuration.backup.schedule, zone)
    slots = islice(timetable.slots(job, now, now + _FAR), count)
    starts = (timetable.start_of(job, slot) for slot in slots)
    upcoming = tuple(PreviewTime(start=iso(start), words=until_words(start, now, zone)) for start in starts)
    return CronPreview(cron=cron, words=cron_words(cron), upcoming=upcoming)


def change(studio: Studio, values: Mapping[str, object], *, within: str = "") -> None:
    """
    Change keys of the schedule; the others stay.

    Args:
        studio: Whose.
        values: By key, as in the configuration.
        within: The place in the schedule whose keys a person sees as fields: ``jobs[2]``.

    Raises:
        FieldErrors: A value is wrong; nothing was changed.
    """
    try:
        store_schedule(studio.place, msgspec.json.encode(values).decode(), lambda: studio)
    except ConfigError as error:
        found = _PLACE.fullmatch(error.message)
        if found is None:
            raise
        field = found["place"].removeprefix(within).removeprefix(".")
        raise FieldErrors(_WRONG, ((field, found["fault"]),)) from None


def add_job(studio: Studio, values: Mapping[str, object]) -> None:
    """
    Add a job of your own.

    Raises:
        FieldErrors: A value is wrong, or there is a job of this name.
    """
    jobs = _all(studio, "jobs")
    if any(job["name"] == values["name"] for job in jobs):
        raise FieldErrors(_WRONG, (("name", "there is a job of this name"),))
    change(studio, {"jobs": [*jobs, dict(values)]}, within=f"jobs[{len(jobs)}]")


def change_job(studio: Studio, name: str, values: Mapping[str, object]) -> None:
    """
    Change keys of a job of your own; the others stay.

    Raises:
        UsageError: There is no job of this name.
        FieldErrors: A value is wrong.
    """
    jobs = _all(studio, "jobs")
    place = _place_of(jobs, name)
    jobs[place] |= values
    change(studio, {"jobs": jobs}, within=f"jobs[{place}]")


def remove_job(studio: Studio, name: str) -> None:
    """
    Remove a job of your own.

    Raises:
        UsageError: There is no job of this name.
    """
    jobs = _all(studio, "jobs")
    del jobs[_place_of(jobs, name)]
    change(studio, {"jobs": jobs})


def add_blackout(studio: Studio, values: Mapping[str, object]) -> None:
    """
    Add a time in which nothing starts by itself.

    Raises:
        FieldErrors: A value is wrong.
    """
    windows = _all(studio, "blackout")
    change(studio, {"blackout": [*windows, dict(values)]}, within=f"blackout[{len(windows)}]")


def remove_blackout(studio: Studio, number: int) -> None:
    """
    Remove a time in which nothing starts by itself.

    Args:
        studio: Whose.
        number: Its place, from 1.

    Raises:
        UsageError: There is none of this number.
    """
    windows = _all(studio, "blackout")
    if not 1 <= number <= len(windows):
        raise UsageError(f"there is no blackout {number}", hint="somebody has changed the schedule meanwhile")
    del windows[number - 1]
    change(studio, {"blackout": windows})


def start_job(studio: Studio, name: str) -> Run:
    """
    Start what a job says, now, and return its run, which goes on.

    Raises:
        UsageError: There is no such job, or it is switched off.
    """
    job = find_job(studio, name)
    verb, detail = ("create", job.run) if job.run in BACKUPS else (job.run, "")
    acting = studio.acting_for(msgspec.structs.replace(studio.origin, job=name))
    return start_run(acting, verb, ["schedule", "--run-now", name], detail=detail)


def _all(studio: Studio, key: str) -> list[dict[str, Any]]:
    """Return the entries of a list of the schedule as JSON has them."""
    found: dict[str, list[dict[str, Any]]] = msgspec.to_builtins(studio.configuration.backup.schedule)
    return list(found[key])


def _place_of(jobs: list[dict[str, Any]], name: str) -> int:
    for place, job in enumerate(jobs):
        if job["name"] == name:
            return place
    raise UsageError(f"there is no job {name!r} of your own", hint="somebody may have removed it meanwhile")
