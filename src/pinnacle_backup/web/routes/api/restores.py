"""Restores: see what one would do, do it, take it back."""

from __future__ import annotations

import os
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import Response

from pinnacle_backup.app.moments import parse_moment
from pinnacle_backup.app.planning import KeptPlan, begin_plan, kept_plan
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.app.undo import saved_last
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import RepositoryBusy, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import RESTORE_ELSEWHERE, RESTORE_IN_PLACE
from pinnacle_backup.web.addresses import reference
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs, services_of

router = APIRouter(tags=["restore"])

_WAIT_SECONDS: Final = 20.0
_SHOWN_PATHS: Final = 500
Shown = Annotated[int, Query(ge=0, le=10_000_000, description="How many paths the plan names at most.")]


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no path holds the character NUL")
    return text


PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_without_nul)]
Password = Annotated[
    SecretStr | None,
    Field(max_length=1024, description="Of the backup, where it is encrypted and not unlocked already."),
]


class RestoreOrder(BaseModel):
    """What to restore, and where to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"backup": "backup_20261120_020000.tar.gz", "paths": ["uploads/*.png"]}]
        }
    )

    backup: PathText | None = Field(default=None, description="Name, id or `latest`; or give `at`.")
    at: str | None = Field(
        default=None, max_length=64, description="The newest state not after this time: `2026-11-20 14:35`."
    )
    paths: list[PathText] = Field(
        default_factory=list, max_length=1000, description="Paths and patterns; none restores everything."
    )
    databases_only: bool = Field(default=False, description="Only the SQLite databases.")
    target: PathText | None = Field(default=None, description="An absolute folder; null is in place.")
    delete_extra: bool = Field(default=False, description="Also remove what the backup does not have.")
    password: Password = None


class ConfirmedOrder(RestoreOrder):
    """The same, and the word that it is meant."""

    confirmation: str = Field(max_length=300, description="The name of the backup, typed.")


class UndoOrder(BaseModel):
    """The last restore in place is to be taken back."""

    password: Password = None
    backup: PathText | None = Field(
        default=None,
        description="The safety backup that was seen in the plan: refuse where another restore came between.",
    )


Restoring = Annotated[Caller, Depends(needs(RESTORE_ELSEWHERE))]
InPlace = Annotated[Caller, Depends(needs(RESTORE_IN_PLACE))]


@router.post("/restores/plan", summary="See what a restore would do")
def plan(request: Request, who: Restoring, order: RestoreOrder, shown: Shown = _SHOWN_PATHS) -> Response:
    """
    As ``pinnacle-backup restore --dry-run``: nothing is changed.

    A plan that takes long is answered with 202 and its address.
    """
    backup = _wanted(who, order)
    words = _words(who, order, backup)
    about = {**order.model_dump(exclude={"password", "at"}), "backup": backup.name}
    password = _password(request, who, backup, order.password)
    kept = begin_plan(who.studio, words, about=about, password=password, wait_seconds=_WAIT_SECONDS)
    return _answer(kept, shown)


@router.get("/restores/plan/{id}", summary="Ask again for a plan that took long")
def show_plan(
    who: Restoring,
    id: Annotated[str, Path(max_length=64)],  # noqa: A002
    shown: Shown = _SHOWN_PATHS,
) -> Response:
    """Waits for it, too, as long as a request may."""
    return _answer(kept_plan(who.studio, id, wait_seconds=_WAIT_SECONDS), shown)


@router.post("/restores", status_code=202, summary="Restore")
def restore(request: Request, who: Restoring, order: ConfirmedOrder) -> Response:
    """As ``pinnacle-backup restore``; what is overwritten in place is saved first."""
    backup = _wanted(who, order)
    words = [*_words(who, order, backup), "--yes"]
    name = printable(backup.name)
    if order.confirmation.strip() != name:
        raise UsageError("what was typed is not the name of the backup", hint=f"type {name} to confirm")
    password = _password(request, who, backup, order.password)
    return accepted(
        start_run(who.studio, "restore", words, detail=printable(backup.name), password=password).id
    )


@router.post("/undo/plan", summary="See what an undo would do")
def plan_undo(request: Request, who: InPlace, order: UndoOrder, shown: Shown = _SHOWN_PATHS) -> Response:
    """As ``pinnacle-backup undo --dry-run``: nothing is changed."""
    backup = _same_as_seen(who, order)
    password = _password(request, who, backup, order.password)
    about = {"undo": True, "backup": printable(backup.name)}
    kept = begin_plan(who.studio, ["undo"], about=about, password=password, wait_seconds=_WAIT_SECONDS)
    return _answer(kept, shown)


@router.post("/undo", status_code=202, summary="Take the last restore in place back")
def undo(request: Request, who: InPlace, order: UndoOrder) -> Response:
    """As ``pinnacle-backup undo``; it can be undone in turn."""
    backup = _same_as_seen(who, order)
    password = _password(request, who, backup, order.password)
    words = ["undo", "--yes"]
    return accepted(
        start_run(who.studio, "restore", words, detail=printable(backup.name), password=password).id
    )


def _wanted(who: Caller, order: RestoreOrder) -> BackupInfo:
    """Return the backup that is meant: one of the studio's own, never a file elsewhere."""
    if (order.backup is None) == (order.at is None):
        raise UsageError("which backup? give its name or a time, and not both")
    listing = who.studio.repository.listing()
    if order.at is not None:
        return listing.at(parse_moment(order.at, who.studio.now()))
    return listing.find(order.backup or "")


def _words(who: Caller, order: RestoreOrder, backup: BackupInfo) -> list[str]:
    """Return the command, if the caller may give it."""
    paths = (f"./{path}" if path.startswith("-") else path for path in order.paths)
    words = ["restore", reference(backup), *paths]
    if order.databases_only:
        words.append("--databases-only")
    if order.delete_extra:
        words.append("--delete-extra")
    target = _target(who, order.target)
    if target is None:
        who.require(RESTORE_IN_PLACE)
        return words
    return [*words, f"--target={target}"]


def _target(who: Caller, target: str | None) -> str | None:
    """Return the folder; None where it is the studio itself, whatever it is called."""
    if target is None:
        return None
    if not os.path.isabs(target):
        raise UsageError(f"{target} is no absolute path", hint="begin it with /")
    return None if os.path.realpath(target) == os.path.realpath(who.studio.root) else target


def _same_as_seen(who: Caller, order: UndoOrder) -> BackupInfo:
    backup = saved_last(who.studio)
    if order.backup not in (None, printable(backup.name)):
        raise RepositoryBusy(
            "another restore was made meanwhile, and an undo takes that one back",
            hint="look at the plan again",
        )
    return backup


def _password(request: Request, who: Caller, backup: BackupInfo, given: SecretStr | None) -> Secret | None:
    """Return the password of a backup; one that is right need not be typed again for a while."""
    unlocked = services_of(request).unlocked
    if not backup.encrypted:
        return None
    if given is None or not given.get_secret_value():
        return unlocked.password_of(request, who, backup.header.id)
    password = Secret(given.get_secret_value())
    unlocked.unlock(request, who, backup.name, password)
    return password


def _answer(kept: KeptPlan, most: int) -> Response:
    if (failure := kept.failure()) is not None:
        raise failure
    shown: dict[str, Any] = {"id": kept.id, "href": f"/restore?plan={kept.id}", "ready": kept.ready}
    shown["plan"] = kept.plan and {**kept.plan, "paths": kept.plan["paths"][:most]}
    return data(shown, 200 if kept.ready else 202, location=f"/api/v1/restores/plan/{kept.id}")
