"""Answers: values of the model as JSON, templates as pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from pinnacle_backup.model.permissions import CONFIGURE, ROLES
from pinnacle_backup.web.auth import Caller, services_of
from pinnacle_backup.web.moments import now_of, zone_key, zone_name
from pinnacle_backup.web.problems import encoded

_HTML: Final = "text/html; charset=utf-8"
_LATER: Final = "<!--later-->"


def data(value: Any, status: int = 200, *, location: str = "") -> Response:
    """Return a value as JSON, as the command line prints it with ``--json``."""
    headers = {"Location": location} if location else {}
    return Response(encoded(value), status, headers, media_type="application/json")


def accepted(run: int) -> Response:
    """Return the address of a run that goes on."""
    href = f"/runs/{run}"
    return data({"run": run, "href": href}, 202, location=f"/api/v1/runs/{run}")


def nothing() -> Response:
    """Return that it was done, and that there is nothing to say."""
    return data({})


def page(request: Request, template: str, who: Caller | None = None, **context: Any) -> Response:
    """Return a page. Every page knows ``studio``, ``user``, ``may``, ``now`` and its ``zone``."""
    body = services_of(request).templates.get_template(template).render({**_shared(request, who), **context})
    return Response(body, media_type=_HTML)


def streamed(request: Request, template: str, who: Caller, **context: Any) -> Response:
    """
    Return a page whose head is seen at once, and what takes long when it is there.

    What comes first ends with ``<!--later-->`` in the template. What is called behind that runs in any
    thread: it takes the studio from the services.
    """
    known = {**_shared(request, who), **context}
    parts = services_of(request).templates.get_template(template).generate(known)
    return StreamingResponse(_in_two(parts), media_type=_HTML)


def _in_two(parts: Iterable[str]) -> Iterator[str]:
    waiting: list[str] = []
    for part in parts:
        waiting.append(part)
        if _LATER in part:
            yield "".join(waiting)
            waiting = []
    yield "".join(waiting)


def _shared(request: Request, who: Caller | None) -> dict[str, Any]:
    services = services_of(request)
    now = now_of(services.studio())
    return {
        "studio": services.place.root.rstrip("/").rpartition("/")[2] or "/",
        "user": {"name": who.name, "role": who.role} if who else None,
        "may": who.may if who else (lambda _: False),
        "now": now,
        "zone": zone_name(now),
        "zone_key": zone_key(now),
        "nav_hidden": _hidden(who),
        "nav_badges": {},
        "roles": ROLES,
        "config_fault": services.fault if who and who.may(CONFIGURE) else None,
    }


def _hidden(who: Caller | None) -> list[str]:
    """Return the places in the navigation that are not for this caller."""
    if who is None:
        return []
    rights = {"users": "users", "audit": "audit", "settings": "configure", "restore": "restore_in_place"}
    return [place for place, action in rights.items() if not who.may(action)]
