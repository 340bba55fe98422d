"""Begins a session: logs somebody in and answers with the cookie."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from pydantic import SecretStr
from starlette.responses import Response

from pinnacle_backup.app.sessions import Login, log_in
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import address_of, cookie_name, is_secure, services_of

_COOKIE_SECONDS: Final = 30 * 86400
_LONGEST_AGENT: Final = 200


def enter(request: Request, name: str, password: SecretStr, code: str = "") -> Response:
    """
    Log somebody in, and return the answer with the cookie.

    Raises:
        NotAuthenticated: Name, password or code is wrong.
        CodeRequired: A code is needed, too.
        TooManyAttempts: It has to wait.
    """
    services = services_of(request)
    cookie = cookie_name(request)
    login = Login(
        name=name,
        password=secret(password),
        code=code,
        address=address_of(request),
        agent=request.headers.get("user-agent", "")[:_LONGEST_AGENT],
        former=Secret(request.cookies.get(cookie, "")),
    )
    bearer, session = log_in(services.studio(), services.strangers, login)
    answer = data({"name": session.user})
    answer.set_cookie(
        cookie, bearer, max_age=_COOKIE_SECONDS, secure=is_secure(request), httponly=True, samesite="lax"
    )
    return answer


def secret(typed: SecretStr) -> Secret:
    """Return what was typed as a secret of ours."""
    return Secret(typed.get_secret_value())
