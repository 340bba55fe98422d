"""All routes of the server, read from the very table that answers requests."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from pinnacle_backup.app.place import Place
from pinnacle_backup.web.auth import caller
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.services import Services

_EXAMPLES: Mapping[str, str] = {"number": "1", "id": "1", "name": "backup_20200101_000000.tar.gz"}


@dataclass(frozen=True)
class Route:
    """
    One method of one path.

    Attributes:
        method, path: As in the table.
        asks: Whether it asks who the caller is.
        actions: What the caller has to be allowed to do.
    """

    method: str
    path: str
    asks: bool = field(compare=False)
    actions: tuple[str, ...] = field(compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def address(self, values: Mapping[str, str] = _EXAMPLES) -> str:
        """Return an address that leads to it."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: values.get(match[1], "x"), self.path)


def application() -> FastAPI:
    """Return the application, of a studio that need not be there."""
    place = Place("/nowhere", "/nowhere/config.json", {}, may_lack=True)
    return create_app(Services(place=place, command="a test", warn=lambda _: None))


def routes(app: FastAPI | None = None) -> list[Route]:
    """Return all routes, without the static files."""
    found = []
    for context in iter_route_contexts((app or application()).routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            calls = list(_calls(context.dependant))
            actions = tuple(filter(None, map(_action, calls)))
            found += [
                Route(method, context.path, caller in calls, actions) for method in sorted(context.methods)
            ]
    return sorted(found, key=str)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def _action(call: Any) -> str | None:
    """Return what ``needs`` asks for, if it made this dependency."""
    if getattr(call, "__qualname__", "") != "needs.<locals>.check":
        return None
    return str(inspect.getclosurevars(call).nonlocals["action"])
