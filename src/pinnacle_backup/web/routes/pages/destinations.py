"""The page of the other places that backups are brought to."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.destination_states import destination_states
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.words import counted, size
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import now_of, when

router = APIRouter(include_in_schema=False)


@router.get("/destinations")
def destinations(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show what is where."""
    listing, now = list_backups(who.studio), now_of(who.studio)
    states = destination_states(who.studio, listing)
    return page(
        request,
        "destinations.html",
        who,
        here={
            "address": printable(who.studio.where),
            "backups": len(listing.backups),
            "stored": size(sum(info.stored for info in listing.backups)),
        },
        places=[_place(state, now) for state in states],
    )


def _place(state: DestinationState, now: datetime) -> dict[str, Any]:
    missing = counted(len(state.missing), "backup")
    if not state.checked:
        tone, words = "neutral", "nothing was brought there yet"
    elif state.missing:
        since = f"since {when(state.oldest_missing, now)}" if state.oldest_missing else ""
        tone, words = "warn", f"{missing} missing {since}".rstrip()
    else:
        tone, words = "good", "has every backup"
    return {
        "name": printable(state.name),
        "address": printable(state.address),
        "bucket": "://" in state.address,
        "recover": f"pinnacle-backup recover {shlex.quote(printable(state.full_address))}",
        "automatic": state.automatic,
        "tone": tone,
        "words": words,
        "facts": [
            ("Backups", f"{state.backups:,}"),
            ("Stored", size(state.stored)),
            ("Newest", when(state.newest, now) if state.newest else "none"),
            ("Only there", f"{state.only_there:,}"),
            ("Last listed", when(state.checked, now) if state.checked else "never"),
        ],
    }
