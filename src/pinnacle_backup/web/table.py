"""All routes, read from the very table that answers requests: for the description, and for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from pinnacle_backup.web.auth import caller


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """
    One method of one path.

    Attributes:
        method, path: As in the table.
        asks: Whether it asks who the caller is.
        actions: What the caller has to be allowed to do.
        described: Whether it is part of the API's description.
        queries: The names of what its query may hold.
    """

    method: str
    path: str
    asks: bool
    actions: tuple[str, ...]
    described: bool
    queries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: FastAPI) -> list[Route]:
    """Return all routes, without the static files."""
    found: list[Route] = []
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            calls = list(_calls(context.dependant))
            actions = tuple(call.action for call in calls if hasattr(call, "action"))
            found += [
                Route(
                    method=method,
                    path=context.path or "",
                    asks=caller in calls,
                    actions=actions,
                    described=context.include_in_schema,
                    queries=tuple(field.alias for field in context.dependant.query_params),
                )
                for method in sorted(context.methods or ())
            ]
    return sorted(found, key=str)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
