"""The first start, step by step."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from msgspec.structs import asdict
from starlette.responses import RedirectResponse, Response

from pinnacle_backup.app.found import find_sources
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.live import LiveProgress, live_progress
from pinnacle_backup.app.recovery.sheet import recovery_sheet
from pinnacle_backup.app.runs import list_runs
from pinnacle_backup.app.setup import is_set_up
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.crypto.bearer import new_code
from pinnacle_backup.model.permissions import CONFIGURE
from pinnacle_backup.model.runs import RUNNING
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs, services_of

router = APIRouter(include_in_schema=False)
Configuring = Annotated[Caller, Depends(needs(CONFIGURE))]

_STEPS: Final = (
    ("Account", ""),
    ("What is backed up", "/setup/sources"),
    ("Encryption", "/setup/encryption"),
    ("First backup", "/setup/backup"),
)
_GROUPS: Final = 7
"""Of the password that is proposed: 140 random bits."""


@router.get("/setup")
def account(request: Request) -> Response:
    """Make the first administrator; who comes later goes on with the next step."""
    if is_set_up(services_of(request).studio()):
        return RedirectResponse("/setup/sources", 303)
    return page(request, "setup_account.html", steps=_STEPS, step=1)


@router.get("/setup/sources")
def sources(request: Request, who: Configuring) -> Response:
    """Show what the configured paths lead to."""
    found = find_sources(who.studio)
    return page(request, "setup_sources.html", who, steps=_STEPS, step=2, found=found)


@router.get("/setup/encryption")
def encryption(request: Request, who: Configuring) -> Response:
    """Ask whether backups are encrypted, and show the sheet to print."""
    studio = who.studio
    chosen = studio.configuration.backup.encryption
    return page(
        request,
        "setup_encryption.html",
        who,
        steps=_STEPS,
        step=3,
        enabled=chosen.enabled,
        is_set=bool(chosen.key),
        proposed=new_code(studio.randomness, _GROUPS),
        sheet=recovery_sheet(studio, undecided=not chosen.enabled),
    )


@router.get("/setup/backup")
def backup(request: Request, who: Configuring) -> Response:
    """Make the first backup, and show how far it is."""
    return page(request, "setup_backup.html", who, steps=_STEPS, step=4, **_first_backup(who))


def _first_backup(who: Caller) -> dict[str, Any]:
    studio = who.studio
    newest = (run for verb in ("create", "verify") for run in list_runs(studio, 1, verb=verb))
    run = max(newest, key=lambda run: run.id, default=None)
    running = run is not None and run.outcome == RUNNING
    progress = _progress(studio, run.id) if run and running else None
    backups = [] if running else list_backups(studio).backups
    made = backups[0] if backups else None
    in_the_clear = made is not None and not made.encrypted and studio.configuration.backup.encryption.enabled
    return {"run": run, "running": running, "progress": progress, "made": made, "in_the_clear": in_the_clear}


def _progress(studio: Studio, number: int) -> dict[str, Any]:
    live = live_progress(studio, number) or LiveProgress(phase="Preparing")
    return {**asdict(live), "id": number}
