"""Users, for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field, SecretStr
from starlette.responses import Response

from pinnacle_backup.app import accounts
from pinnacle_backup.app.second_factor import switch_totp_off
from pinnacle_backup.app.sessions import list_sessions, revoke_sessions
from pinnacle_backup.model.permissions import USERS
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.confirming import Confirmed, confirm
from pinnacle_backup.web.entering import secret

router = APIRouter(prefix="/users", tags=["users"])
Ruling = Annotated[Caller, Depends(needs(USERS))]
Name = Annotated[str, Path(max_length=100)]
Role = Literal["administrator", "operator", "viewer"]


class NewUser(Confirmed):
    """A user to add."""

    name: str = Field(max_length=100, examples=["otto"])
    role: Role
    password: SecretStr = Field(max_length=1024, examples=["four words of his"])


class NewRole(Confirmed):
    """Another role."""

    role: Role


class NewPassword(Confirmed):
    """Another password."""

    password: SecretStr = Field(max_length=1024, examples=["four other words"])


@router.get("", summary="List users")
def list_(who: Ruling) -> Response:
    """As ``pinnacle-backup user list``."""
    return data({"users": accounts.list_users(who.studio)})


@router.post("", status_code=201, summary="Add a user")
def add(request: Request, who: Ruling, new: NewUser) -> Response:
    """As ``pinnacle-backup user add``."""
    confirm(request, who, new.own_password)
    hasher = services_of(request).hasher
    user = accounts.add_user(who.studio, hasher, new.name, new.role, secret(new.password), by=who.actor)
    return data({"user": user}, 201, location=f"/api/v1/users/{user.name}")


@router.put("/{name}/role", summary="Give a user another role")
def role(request: Request, who: Ruling, name: Name, new: NewRole) -> Response:
    """As ``pinnacle-backup user role``; it holds from the next request."""
    confirm(request, who, new.own_password)
    return data({"user": accounts.change_role(who.studio, name, new.role, by=who.actor)})


@router.put("/{name}/password", summary="Give a user another password")
def password(request: Request, who: Ruling, name: Name, new: NewPassword) -> Response:
    """As ``pinnacle-backup user password``; the user's sessions end, but for one that asks."""
    confirm(request, who, new.own_password)
    keep = who.session.id if who.session else 0
    hasher = services_of(request).hasher
    user = accounts.set_password(who.studio, hasher, name, secret(new.password), by=who.actor, session=keep)
    return data({"user": user})


@router.post("/{name}/disable", summary="Lock a user out")
def disable(request: Request, who: Ruling, name: Name, asked: Confirmed) -> Response:
    """As ``pinnacle-backup user disable``: no login, no session and no token works."""
    confirm(request, who, asked.own_password)
    return data({"user": accounts.disable_user(who.studio, name, by=who.actor)})


@router.post("/{name}/enable", summary="Let a user in again")
def enable(request: Request, who: Ruling, name: Name, asked: Confirmed) -> Response:
    """As ``pinnacle-backup user enable``."""
    confirm(request, who, asked.own_password)
    return data({"user": accounts.enable_user(who.studio, name, by=who.actor)})


@router.delete("/{name}", summary="Remove a user")
def remove(request: Request, who: Ruling, name: Name, asked: Confirmed) -> Response:
    """As ``pinnacle-backup user remove``: with all sessions and tokens."""
    confirm(request, who, asked.own_password)
    return data({"user": accounts.remove_user(who.studio, name, by=who.actor)})


@router.delete("/{name}/totp", summary="Switch a user's second factor off")
def totp_off(request: Request, who: Ruling, name: Name, asked: Confirmed) -> Response:
    """As ``pinnacle-backup user totp off``: for somebody whose phone is lost."""
    confirm(request, who, asked.own_password)
    return data({"was_on": switch_totp_off(who.studio, name, by=who.actor)})


@router.get("/{name}/sessions", summary="List a user's sessions")
def sessions(who: Ruling, name: Name) -> Response:
    """As ``pinnacle-backup user sessions``."""
    return data({"sessions": list_sessions(who.studio, accounts.find_user(who.studio, name))})


@router.delete("/{name}/sessions", summary="Log a user out everywhere")
def end_sessions(who: Ruling, name: Name) -> Response:
    """As ``pinnacle-backup user revoke-sessions``."""
    return data({"ended": revoke_sessions(who.studio, name, by=who.actor)})
