"""The schedule: what happens by itself, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from pinnacle_backup.app import scheduling
from pinnacle_backup.app.jobs import find_job
from pinnacle_backup.app.moments import parse_moment
from pinnacle_backup.app.schedule import pause as pause_until
from pinnacle_backup.app.schedule import resume as go_on
from pinnacle_backup.app.schedule import show_schedule
from pinnacle_backup.errors import FieldErrors, UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.permissions import BACK_UP, DELETE, DRILL, LOOK, SCHEDULE, VERIFY
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.services import Services

router = APIRouter(prefix="/schedule", tags=["schedule"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Planning = Annotated[Caller, Depends(needs(SCHEDULE))]
Serving = Annotated[Services, Depends(services_of)]
Name = Annotated[str, Path(max_length=40, description="Of a job.")]

_RIGHTS = {
    FULL: BACK_UP,
    INCREMENTAL: BACK_UP,
    "copy": BACK_UP,
    "verify": VERIFY,
    "drill": DRILL,
    "cleanup": DELETE,
}


class JobChanges(BaseModel):
    """Keys of a job of your own; those that are left out stay as they are."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"run": "full", "cron": "30 1 * * 6", "enabled": True}]},
    )

    run: Literal["full", "incremental", "cleanup", "verify", "copy", "drill"] | None = Field(
        default=None, description="What it does."
    )
    cron: str | None = Field(default=None, max_length=200, description="When, as in crontab(5).")
    enabled: bool | None = Field(default=None, description="Whether it runs.")
    backup: Literal["newest", "random", "all"] | None = Field(
        default=None, description="Which backup a verify or a drill takes."
    )

    def given(self) -> dict[str, Any]:
        """Return the keys that were given."""
        return self.model_dump(exclude_none=True)


class NewJob(JobChanges):
    """A job of your own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "saturday-full", "run": "full", "cron": "30 1 * * 6"}]},
    )

    name: str = Field(max_length=40, description="How runs, logs and messages call it.")
    run: Literal["full", "incremental", "cleanup", "verify", "copy", "drill"]
    cron: str = Field(max_length=200, description="When, as in crontab(5).")


class Window(BaseModel):
    """A time in which nothing starts by itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"start": "18:00", "end": "22:00", "days": ["monday"]}]},
    )

    start: str = Field(max_length=5, description="When it begins: 18:00.")
    end: str = Field(max_length=5, description="When it ends; before `start` it is a time of the next day.")
    days: list[Annotated[str, Field(max_length=9)]] = Field(
        default_factory=list, max_length=7, description="On which days it begins; none means every day."
    )


class Keys(BaseModel):
    """Keys of ``backup.schedule``; those that are left out stay as they are."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"daily_full_backup": True, "daily_full_backup_time": "03:00"}]},
    )

    daily_full_backup: bool | None = None
    daily_full_backup_time: str | None = Field(default=None, max_length=5)
    hourly_incremental_backup: bool | None = None
    weekly_cleanup: bool | None = None
    weekly_cleanup_day: str | None = Field(default=None, max_length=9)
    weekly_cleanup_time: str | None = Field(default=None, max_length=5)
    jobs: list[dict[str, Any]] | None = Field(default=None, max_length=200, description="Jobs of your own.")
    blackout: list[Window] | None = Field(default=None, max_length=100)
    time_zone: str | None = Field(default=None, max_length=64)
    jitter_seconds: int | None = None
    retries: int | None = None
    retry_seconds: int | None = None
    overdue_minutes: int | None = None

    def given(self) -> dict[str, Any]:
        """Return the keys that were given; only the time zone may be none."""
        given = self.model_dump(exclude_unset=True)
        return {key: value for key, value in given.items() if value is not None or key == "time_zone"}


class Pause(BaseModel):
    """How long nothing starts by itself."""

    until: str | None = Field(
        default=None,
        max_length=40,
        description="A time, in the zone of the machine where it has none; none: until somebody resumes it.",
        examples=["2030-01-31 18:00"],
    )


@router.get("", summary="Show what happens by itself")
def show(who: Looking) -> Response:
    """As ``pinnacle-backup schedule``."""
    return data(show_schedule(who.studio))


@router.put("", summary="Change the schedule")
def change(who: Planning, services: Serving, keys: Keys) -> Response:
    """As ``pinnacle-backup schedule --schedule-config``; keys that are left out stay as they are."""
    scheduling.change(who.studio, keys.given())
    return _changed(services)


@router.get("/preview", summary="Show what a cron expression would mean")
def preview(
    who: Looking, cron: Annotated[str, Query(max_length=200, examples=["0 8-18/6 * * 1-5"])]
) -> Response:
    """Its words and the next five times, or what is wrong with it."""
    return data(scheduling.preview(who.studio, cron))


@router.post("/pause", summary="Let nothing start by itself")
def pause(who: Planning, services: Serving, wish: Pause) -> Response:
    """As ``pinnacle-backup schedule --pause``. What runs goes on."""
    now = who.studio.now()
    try:
        moment = parse_moment(wish.until, now).replace(second=0, microsecond=0) if wish.until else None
        pause_until(who.studio, moment)
    except UsageError as error:
        raise FieldErrors(
            "It cannot pause so long", (("until", error.message.removeprefix("--until: ")),)
        ) from None
    return _changed(services)


@router.post("/resume", summary="Go on")
def resume(who: Planning, services: Serving) -> Response:
    """As ``pinnacle-backup schedule --resume``: what was missed meanwhile is caught up, once."""
    go_on(who.studio)
    return _changed(services)


@router.post("/jobs", status_code=201, summary="Add a job of your own")
def add_job(who: Planning, services: Serving, job: NewJob) -> Response:
    """As ``pinnacle-backup schedule --schedule-config '{"jobs": [...]}'``."""
    scheduling.add_job(who.studio, job.given())
    return _changed(services, 201)


@router.put("/jobs/{name}", summary="Change a job of your own")
def change_job(who: Planning, services: Serving, name: Name, job: JobChanges) -> Response:
    """Keys that are left out stay as they are."""
    scheduling.change_job(who.studio, name, job.given())
    return _changed(services)


@router.delete("/jobs/{name}", summary="Remove a job of your own")
def remove_job(who: Planning, services: Serving, name: Name) -> Response:
    """It never starts again; what runs goes on."""
    scheduling.remove_job(who.studio, name)
    return _changed(services)


@router.post("/jobs/{name}/run", status_code=202, summary="Do a job now")
def run_job(who: Looking, name: Name) -> Response:
    """As ``pinnacle-backup schedule --run-now``. It takes the right to do by hand what the job does."""

    who.require(_RIGHTS[find_job(who.studio, name).run])
    return accepted(scheduling.start_job(who.studio, name).id)


@router.post("/blackout", status_code=201, summary="Add a time in which nothing starts")
def add_blackout(who: Planning, services: Serving, window: Window) -> Response:
    """What is due in it starts at its end."""
    scheduling.add_blackout(who.studio, window.model_dump())
    return _changed(services, 201)


@router.delete("/blackout/{number}", summary="Remove a time in which nothing starts")
def remove_blackout(
    who: Planning,
    services: Serving,
    number: Annotated[int, Path(ge=1, le=100, description="Its place, from 1.")],
) -> Response:
    """The others move up."""
    scheduling.remove_blackout(who.studio, number)
    return _changed(services)


def _changed(services: Services, status: int = 200) -> Response:
    """Return the schedule as it is after a change, read anew; the scheduler looks at it at once."""
    if services.scheduling is not None:
        services.scheduling.wake()
    return data(show_schedule(services.studio()), status)
