"""All routes of the server, with addresses that lead to them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from pinnacle_backup.app.place import Place
from pinnacle_backup.web import table
from pinnacle_backup.web.description import describe
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.services import Services

_EXAMPLES: Mapping[str, str] = {"number": "1", "id": "1", "name": "backup_20200101_000000.tar.gz"}


class Route(table.Route, frozen=True):
    """One method of one path."""

    def address(self, values: Mapping[str, str] = _EXAMPLES) -> str:
        """Return an address that leads to it."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: values.get(match[1], "x"), self.path)


def application() -> FastAPI:
    """Return the application, of a studio that need not be there."""
    place = Place("/nowhere", "/nowhere/config.json", {}, may_lack=True)
    return create_app(Services(place=place, command="a test", warn=lambda _: None))


def routes_of(app: FastAPI) -> Sequence[Route]:
    """Return all routes of an application, without the static files."""
    found = table.routes(app)
    return tuple(Route(**{name: getattr(route, name) for name in route.__struct_fields__}) for route in found)


@functools.cache
def _shared() -> FastAPI:
    """Return an application that nobody changes: every module of tests looks at the same."""
    return application()


@functools.cache
def routes() -> Sequence[Route]:
    """Return all routes of the server."""
    return routes_of(_shared())


@functools.cache
def description() -> Mapping[str, Any]:
    """Return the description of its API."""
    return describe(_shared())
