"""All routes of the server, with addresses that lead to them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import FastAPI

from pinnacle_backup.app.place import Place
from pinnacle_backup.web import table
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


def routes(app: FastAPI | None = None) -> list[Route]:
    """Return all routes, without the static files."""
    found = table.routes(app or application())
    return [Route(**{name: getattr(route, name) for name in route.__struct_fields__}) for route in found]
