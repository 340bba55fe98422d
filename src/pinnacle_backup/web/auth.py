"""
Who asks, and whether they may: a dependency of every route.

A person has a session in a cookie, a program has a token in ``Authorization: Bearer``. Nothing is taken from
the address: no secret stands in a URL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from pinnacle_backup.app.sessions import session_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.tokens import token_owner
from pinnacle_backup.errors import Forbidden, NotAuthenticated
from pinnacle_backup.model.accounts import Actor, Session, User
from pinnacle_backup.model.permissions import may
from pinnacle_backup.model.runs import SERVER, Origin
from pinnacle_backup.web.services import Services

COOKIE: Final = "pinnacle_session"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
_BEARER: Final = "Bearer "


@dataclass(frozen=True, kw_only=True)
class Caller:
    """
    Who asks, and the studio, acting for them.

    Attributes:
        name: Of the user, or of the token.
        role: What they may; see ``model.permissions``.
        services: What all requests share.
        address: Where from.
        user: None for a token that belongs to nobody.
        session: None for a token.
    """

    name: str
    role: str
    services: Services
    address: str
    user: User | None = None
    session: Session | None = None

    @property
    def studio(self) -> Studio:
        """
        The studio, with them as the origin of its runs: opened for the thread that asks.

        What a thread has opened is its own, and the framework runs a dependency and its route in two threads.
        """
        return self.services.studio().acting_for(Origin(kind=SERVER, user=self.name))

    @property
    def actor(self) -> Actor:
        """Who it is, for the audit trail."""
        return Actor(kind=SERVER, name=self.name, address=self.address)

    def may(self, action: str) -> bool:
        """Tell whether they may do something."""
        return may(self.role, action)

    def require(self, action: str) -> None:
        """
        Refuse what they may not do.

        Raises:
            Forbidden: They may not.
        """
        if not self.may(action):
            raise Forbidden(
                f"{self.name} has the role {self.role}: this takes more rights",
                hint="ask an administrator of this studio",
            )


def services_of(request: Request) -> Services:
    """Return what all requests share."""
    services: Services = request.app.state.services
    return services


def address_of(request: Request) -> str:
    """Return where a request comes from; empty where that is unknown."""
    return request.client.host if request.client else ""


def is_secure(request: Request) -> bool:
    """Tell whether the connection is encrypted, by this server or by a proxy that it trusts."""
    return bool(request.scope["scheme"] == "https")


def cookie_name(request: Request) -> str:
    """Return the name of the cookie: browsers keep ``__Host-`` to this host and to encrypted connections."""
    return SECURE_COOKIE if is_secure(request) else COOKIE


def caller(request: Request) -> Caller:
    """
    Return who asks.

    Raises:
        NotAuthenticated: Nobody whom we know.
    """
    services = services_of(request)
    address = address_of(request)
    header = request.headers.get("authorization", "")
    if header:
        return _of_token(services, header, address)
    found = session_of(services.studio(), request.cookies.get(cookie_name(request), ""))
    if found is None:
        raise NotAuthenticated(
            "nobody is logged in", hint="log in, or send a token: Authorization: Bearer TOKEN"
        )
    user, session = found
    return Caller(
        name=user.name,
        role=user.role,
        services=services,
        address=address,
        user=user,
        session=session,
    )


def _of_token(services: Services, header: str, address: str) -> Caller:
    secret = header.removeprefix(_BEARER).strip() if header.startswith(_BEARER) else ""
    found = token_owner(services.studio(), secret)
    if found is None:
        raise NotAuthenticated(
            "this token is not known, or no longer good", hint="pinnacle-backup token create prints a new one"
        )
    user, token = found
    name = user.name if user else f"token {token.name}"
    return Caller(name=name, role=token.role, services=services, address=address, user=user)


def needs(action: str) -> Callable[[Caller], Awaitable[Caller]]:
    """
    Return a dependency that lets only those pass who may do something.

    It asks nobody and waits for nothing: as a coroutine it takes no thread of its own.
    """

    async def check(who: Annotated[Caller, Depends(caller)]) -> Caller:
        who.require(action)
        return who

    check.action = action  # type: ignore[attr-defined] # read by ``table``
    return check
