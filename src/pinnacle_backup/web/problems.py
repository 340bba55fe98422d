"""Errors as answers: problem details (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from pinnacle_backup.app.setup import is_set_up
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import (
    AccountNotFound,
    BackupNotFound,
    ConfigError,
    DamagedError,
    FieldErrors,
    Forbidden,
    NotAuthenticated,
    PasswordError,
    PinnacleError,
    RepositoryBusy,
    RunNotFound,
    StateError,
    TooManyAttempts,
    UsageError,
)
from pinnacle_backup.web.advice import on_page
from pinnacle_backup.web.auth import services_of

PROBLEM: Final = "application/problem+json"
_STATUS: Final[tuple[tuple[type[PinnacleError], int, str], ...]] = (
    (NotAuthenticated, 401, "You are not logged in"),
    (TooManyAttempts, 429, "Too many attempts"),
    (Forbidden, 403, "You may not do that"),
    (BackupNotFound, 404, "There is no such backup"),
    (RunNotFound, 404, "There is no such run"),
    (AccountNotFound, 404, "There is no such account"),
    (ConfigError, 422, "The configuration is wrong"),
    (UsageError, 422, "That is not possible"),
    (RepositoryBusy, 409, "Something else is at work"),
    (PasswordError, 422, "The password is missing or wrong"),
    (DamagedError, 422, "What is stored is damaged"),
    (StateError, 503, "The record cannot be used"),
)


_ANY_CLIENT: Final = "give the password that this backup was made with"
"""Instead of a hint that names options of the command line."""


def install(app: FastAPI) -> None:
    """Let the application answer errors in these ways."""
    app.add_exception_handler(PinnacleError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def problem(
    status: int,
    title: str,
    detail: str = "",
    *,
    code: str = "",
    hint: str = "",
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as an answer. ``code`` is stable, ``errors`` name the fields that are wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    more = {"detail": detail, "code": code, "hint": hint, "errors": errors}
    body |= {name: value for name, value in more.items() if value}
    return Response(encoded(body), status, dict(headers or {}), media_type=PROBLEM)


def encoded(value: Any) -> bytes:
    """Return a value as JSON; half of a surrogate pair, which a client may send, comes back escaped."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode()


def status_of(error: PinnacleError) -> tuple[int, str]:
    """Return status and title for an error."""
    found = ((status, title) for kind, status, title in _STATUS if isinstance(error, kind))
    return next(found, (500, "That did not work"))


def wants_page(request: Request) -> bool:
    """Tell whether a person waits for a page, and not a program for data."""
    path = request.url.path
    return not path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _hint(request: Request, error: PinnacleError) -> str:
    """Return what to do, for a person at a page; programs, with a token, may be the command line itself."""
    if isinstance(error, PasswordError) and "--" in error.hint:
        return _ANY_CLIENT
    return error.hint if "authorization" in request.headers else on_page(error.hint)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, PinnacleError)
    status, title = status_of(error)
    hint = _hint(request, error)
    headers: dict[str, str] = {}
    if isinstance(error, NotAuthenticated):
        if wants_page(request):
            return _to_login(request)
        headers["WWW-Authenticate"] = 'Bearer realm="pinnacle-backup"'
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, FieldErrors) and not wants_page(request):
        errors = [{"field": field, "message": message} for field, message in error.fields]
        return problem(status, title, error.message, code=error.code, hint=hint, errors=errors)
    return answer(request, status, title, error.message, code=error.code, hint=hint, headers=headers)


def _to_login(request: Request) -> Response:
    if not is_set_up(services_of(request).studio()):
        return RedirectResponse("/setup", 303)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login" if back == "/" else f"/login?next={quote(back)}", 303)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    title = "Something in the request is wrong"
    errors = [
        {
            "field": one_line(".".join(map(str, each["loc"][1:])), limit=200),
            "message": one_line(str(each["msg"]).removeprefix("Value error, ")),
        }
        for each in error.errors()
    ]
    if wants_page(request):
        fields = ", ".join(each["field"].rpartition(".")[2] for each in errors)
        return answer(request, 422, title, f"this cannot be understood: {fields}", code="request")
    return problem(422, title, code="request", errors=errors)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    titles = {404: "There is nothing here", 405: "That cannot be done here"}
    title = titles.get(error.status_code, "That did not work")
    detail = "" if error.status_code in titles else str(error.detail)
    return answer(request, error.status_code, title, detail, code="http", headers=error.headers)


def answer(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    code: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as whoever asks can read it: a page for a person, a problem for a program."""
    if not wants_page(request):
        return problem(status, title, detail, code=code, hint=hint, headers=headers)
    services = services_of(request)
    studio = services.place.root.rstrip("/").rpartition("/")[2]
    page = services.templates.get_template("error.html").render(
        studio=studio,
        status=status,
        title=title,
        detail=detail,
        hint=hint,
        back="/",
        back_text="To the dashboard",
    )
    return Response(page, status, dict(headers or {}), media_type="text/html; charset=utf-8")
