"""The page of the schedule: what runs next, and the keys, jobs and blackouts behind it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.schedule import show_schedule
from pinnacle_backup.config.schedule import Blackout, Job
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.schedule.words import cron_words
from pinnacle_backup.web.advice import sentence
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import now_of, switch_words

router = APIRouter(include_in_schema=False)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_VERBS = {
    "full": "Full backup",
    "incremental": "Incremental backup",
    "cleanup": "Cleanup",
    "verify": "Verify",
    "copy": "Copy",
    "drill": "Drill",
}
_RIGHTS = {"cleanup": "delete", "verify": "verify", "drill": "drill"}


@router.get("/schedule")
def schedule(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show what happens by itself, and let those who may change it."""
    rules = who.studio.configuration.backup.schedule
    view = show_schedule(who.studio)
    return page(
        request,
        "schedule.html",
        who,
        view=view,
        rules=rules,
        own_zone=rules.time_zone is None,
        **switch_words(view, now_of(who.studio)),
        upcoming=[
            {
                "job": run.job,
                "what": _VERBS[run.run],
                "words": sentence(run.words.removeprefix("on ")),
                "start": run.start,
                "may": who.may(_RIGHTS.get(run.run, "back_up")),
            }
            for run in view.upcoming
        ],
        jobs=[_job(job) for job in rules.jobs],
        blackouts=[_blackout(window) for window in rules.blackout],
        weekdays=WEEKDAYS,
        weekday_options=[(day, day.capitalize()) for day in WEEKDAYS],
        verbs=list(_VERBS.items()),
    )


def _job(job: Job) -> dict[str, object]:
    which = {"random": " of a random backup", "all": " of all backups"}.get(job.backup, "")
    return {
        "name": job.name,
        "what": f"{_VERBS[job.run]}{which}",
        "when": cron_words(job.cron),
        "enabled": job.enabled,
        "fill": {"name": job.name, "run": job.run, "cron": job.cron, "backup": job.backup},
    }


def _blackout(window: Blackout) -> dict[str, str]:
    days = ", ".join(day.capitalize() for day in window.days) or "Every day"
    night = " of the next day" if window.end < window.start else ""
    return {"times": f"{window.start} to {window.end}{night}", "days": days}
