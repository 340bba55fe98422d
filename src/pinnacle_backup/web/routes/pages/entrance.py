"""The pages for people who are not logged in yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from pinnacle_backup.app.sessions import log_out
from pinnacle_backup.app.setup import is_set_up
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import address_of, cookie_name, is_secure, services_of

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:  # noqa: A002
    """Ask who it is; afterwards go where they wanted to."""
    if not is_set_up(services_of(request).studio()):
        return RedirectResponse("/setup", 303)
    return page(request, "login.html", after=own_path(next))


@router.post("/logout")
def logout(request: Request) -> Response:
    """End the session."""
    services = services_of(request)
    name = cookie_name(request)
    log_out(services.studio(), request.cookies.get(name, ""), address=address_of(request))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(name, secure=is_secure(request), httponly=True, samesite="lax")
    return answer


def own_path(path: str) -> str:
    """Return the path if it leads to a page of ours, else the dashboard: nobody is sent elsewhere."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"
