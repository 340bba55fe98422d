"""The dashboard: whether the studio is protected, what happened, what runs and what comes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from pinnacle_backup.app.calendar import calendar
from pinnacle_backup.app.live import LiveProgress, live_progress
from pinnacle_backup.app.run_checks import what
from pinnacle_backup.app.runs import list_runs
from pinnacle_backup.app.space import growth
from pinnacle_backup.app.status import studio_status
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import StateError, StoreFull
from pinnacle_backup.model.calendar import CalendarDay
from pinnacle_backup.model.health import Space
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.model.runs import BAD_OUTCOMES, GOOD, RUNNING, WARNINGS, Run
from pinnacle_backup.model.words import duration, instant, size
from pinnacle_backup.web import charts
from pinnacle_backup.web.advice import place_of, sentence
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import now_of, switch_words, when
from pinnacle_backup.web.rendering import tone

router = APIRouter(include_in_schema=False)
_GROWTH_DAYS = 60
_RUNS = 60
_LATELY = 6
_ENDED = (*BAD_OUTCOMES, GOOD, WARNINGS)


@router.get("/")
def dashboard(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show how the studio stands."""
    studio = who.studio
    status, now = studio_status(studio), now_of(studio)
    bad = [check for check in status.checks if check.level != "ok"]
    return page(
        request,
        "dashboard.html",
        who,
        status=status,
        fresh=status.newest is None and not any(status.counts.values()) and bool(status.counts),
        bad=[{"check": check, "place": place_of(check), "words": sentence(check.sentence)} for check in bad],
        **switch_words(status, now),
        figures=_figures(status, now, full=_is_full(studio)),
        days=_strip(calendar(studio)),
        growth=_growth(studio, status.space),
        space=status.space,
        running=[_running(studio, run) for run in status.running],
        lately=_lately(studio, now),
        by_itself=[
            {"tone": "accent", "title": sentence(words), "sub": "", "href": ""} for words in status.schedule
        ],
    )


def _figures(status: StudioStatus, now: datetime, *, full: bool) -> list[tuple[str, str, str]]:
    newest, proven = status.newest, status.proven
    kind = "full" if newest and newest.header.type == "full" else "incremental"
    following = status.upcoming[0] if status.upcoming else None
    comes = following is not None and bool(status.scheduler) and not status.paused
    return [
        (
            "Last good backup",
            when(newest.header.created, now) if newest else "none yet",
            f"{kind}, {size(newest.stored)}" if newest else "",
        ),
        (
            "Last proven by a drill",
            when(proven.ended, now) if proven else "never",
            f"restored in {duration(proven.seconds)}" if proven else "a drill restores for real",
        ),
        (
            "Next run",
            following.words.partition(" (")[0] if following and comes else "none",
            _next_words(status),
        ),
        ("Full on", *_full_words(status.space, now, full=full)),
    ]


def _next_words(status: StudioStatus) -> str:
    if not status.upcoming:
        return "nothing is scheduled"
    if not status.scheduler:
        return "the scheduler does not run"
    return "the schedule pauses" if status.paused else status.upcoming[0].run


def _is_full(studio: Studio) -> bool:
    """Tell whether the last backup failed for want of room: then no estimate is worth anything."""
    try:
        runs = list_runs(studio, _RUNS)
    except StateError:
        return False
    last = next((run for run in runs if run.verb == "create" and run.outcome in _ENDED), None)
    return last is not None and last.code == StoreFull.code


def _full_words(space: Space | None, now: datetime, *, full: bool) -> tuple[str, str]:
    free = f"{size(space.free)} free" if space else ""
    if full:
        return "now", free or "the last backup found no room"
    if space is None:
        return "no limit", ""
    if not space.full_at:
        return "not in sight", free
    day = instant(space.full_at).astimezone(now.tzinfo).date()
    return f"{day.day} {day:%B}{f' {day.year}' if day.year != now.year else ''}", free


def _strip(days: tuple[CalendarDay, ...]) -> Markup:
    """Draw the days; each leads to the runs of that day."""
    return charts.calendar_strip(
        [
            charts.Day(
                day=day.day,
                state=day.state,
                sentence=day.sentence,
                href=f"/runs?day={day.day}" if day.last_run else "",
            )
            for day in days
        ]
    )


def _growth(studio: Studio, space: Space | None) -> Markup:
    try:
        levels = growth(studio, _GROWTH_DAYS)
    except StateError:
        return Markup("")
    full_on: date | None = instant(space.full_at).date() if space is not None and space.full_at else None
    return charts.growth_chart(levels, full_on=full_on)


def _running(studio: Studio, run: Run) -> dict[str, object]:
    live = live_progress(studio, run.id) or LiveProgress(phase="Beginning")
    shown = {name: getattr(live, name) for name in LiveProgress.__struct_fields__}
    return {"title": sentence(what(run)), "progress": {**shown, "id": run.id}}


def _lately(studio: Studio, now: datetime) -> list[dict[str, str]]:
    """Return what ended last: failures and warnings stay in sight, whatever went well after them."""
    try:
        runs = [run for run in list_runs(studio, _RUNS) if run.outcome != RUNNING]
    except StateError:
        return []
    troubled = [run for run in runs if run.outcome in (*BAD_OUTCOMES, WARNINGS)][: _LATELY // 2]
    well = [run for run in runs if run not in troubled][: _LATELY - len(troubled)]
    shown = sorted((*troubled, *well), key=lambda run: run.id, reverse=True)
    return [_happening(run, now) for run in shown]


def _happening(run: Run, now: datetime) -> dict[str, str]:
    how = "" if run.outcome == GOOD else f" {_HOW.get(run.outcome, run.outcome)}"
    message = (
        f": {printable(run.message)}" if run.outcome in (*BAD_OUTCOMES, WARNINGS) and run.message else ""
    )
    by = f"by the job {run.origin.job}" if run.origin.job else f"by {printable(run.origin.user)}"
    facts = f" · {size(run.facts.stored)}" if run.facts.stored else ""
    return {
        "tone": tone(run.outcome),
        "title": f"{sentence(what(run).partition(' (')[0])}{how}{message}",
        "sub": f"{when(run.started, now)}{facts} · {by}",
        "href": f"/runs/{run.id}",
    }


_HOW = {"failed": "failed", "killed": "was killed", "warnings": "had warnings", "cancelled": "was cancelled"}
