"""The page of notifications: who is told what, and whether it reaches them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.notifications import view
from pinnacle_backup.model.conditions import BAD, OVERDUE, Condition
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.advice import sentence
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import now_of, when

router = APIRouter(include_in_schema=False)

_EVENTS = {
    "failure": ("Failures", "A run failed, was killed, or found damage."),
    "warning": ("Warnings", "A run ended with warnings."),
    "overdue": ("Overdue backups", "A backup that should have been made was not."),
    "recovered": ("Recovery", "What was wrong is right again."),
    "success": ("Every success", "Every run that went well."),
    "weekly_digest": ("The week", "A summary, on Monday at 8."),
}
_ICONS = {"smtp": "scroll", "ping": "heart-pulse"}


@router.get("/notifications")
def notifications(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show the channels, what is told, and what waits."""
    found, now = view(who.studio), now_of(who.studio)
    return page(
        request,
        "notifications.html",
        who,
        view=found,
        channels=[
            {
                "name": channel.name,
                "words": sentence(printable(channel.words)),
                "icon": _ICONS.get(channel.name, "bell"),
            }
            for channel in found.channels
        ],
        events=[
            {"title": title, "text": text, "told": name in found.told}
            for name, (title, text) in _EVENTS.items()
        ],
        wrong=[
            {
                "tone": "bad" if each.level == BAD else "warn",
                "title": _condition(each, now),
                "sub": printable(each.text),
                "note": "",
            }
            for each in found.wrong
        ],
        oldest=when(found.backlog.oldest, now) if found.backlog.oldest else "",
        upcoming=when(found.backlog.next_attempt, now) if found.backlog.next_attempt else "",
    )


def _condition(condition: Condition, now: datetime) -> str:
    since = f"since {when(condition.since, now)}"
    if condition.subject == OVERDUE:
        return f"Backups are overdue {since}"
    how = "fails" if condition.level == BAD else "has warnings"
    return f"{sentence(printable(condition.subject))} {how} {since}"
