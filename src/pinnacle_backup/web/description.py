"""The description of the API (OpenAPI 3.1): made from the routes, the structs and the permissions."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI

from pinnacle_backup.model.permissions import PERMISSIONS, ROLES
from pinnacle_backup.web.problems import PROBLEM
from pinnacle_backup.web.schemas import schemas
from pinnacle_backup.web.shapes import SHAPES
from pinnacle_backup.web.table import Route, routes

_TAGS: Final[Mapping[str, str]] = {
    "backups": "Make, list, verify, pin and delete backups.",
    "content": "Look into backups, and take files out of them.",
    "search": "Find versions of files; compare backups.",
    "restore": "See what a restore would do, do it, take it back.",
    "runs": "What was done, how far it is, how it ended.",
    "drills": "Prove that backups can be restored.",
    "destinations": "The other places that backups are brought to.",
    "schedule": "What happens by itself.",
    "events": "Follow what happens.",
    "health": "Whether the studio is protected, and how it was.",
    "notifications": "Who is told.",
    "monitoring": "For monitoring systems.",
    "settings": "The configuration.",
    "account": "My account, sessions and tokens.",
    "users": "Users and their roles.",
    "audit": "Who did what.",
    "session": "Log in and out.",
    "setup": "The first start.",
    "description": "This description.",
}
_ABOUT: Final = """\
Everything that the pages and the command line can do. Answers are JSON, as the command line prints it with
`--json`; errors are problem details (RFC 9457) with a stable `code`. What takes long is answered with 202 and
the number of a run: follow it at `/api/v1/runs/{number}`, or all of them at `/api/v1/events`.

Programs send a token, `Authorization: Bearer pb_...`; `pinnacle-backup token create` makes one.
"""
_PROBLEM: Final[dict[str, Any]] = {
    "title": "ProblemDetails",
    "description": "Why something was not done (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What kind of problem, in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What exactly, in one line."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "hint": {"type": "string", "description": "What to do next."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "examples": [
        {
            "type": "about:blank",
            "title": "There is no such backup",
            "status": 404,
            "detail": "no backup 'monday'",
            "code": "no-such-backup",
            "hint": "pinnacle-backup list shows those that there are",
        }
    ],
}
_REASONS: Final[Mapping[str, str]] = {
    "401": "Nobody is logged in",
    "403": "The caller may not do that",
    "404": "There is no such thing",
    "409": "Something else is at work",
    "413": "The request is too large",
    "422": "Something in the request is wrong, or not possible",
    "429": "Too many passwords, wrong ones or at once: wait",
    "default": "It did not work",
}
EXAMPLE_TOKEN: Final = "$TOKEN"  # noqa: S105 - a variable of the shell
_UNUSED: Final = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application's API as one JSON document."""
    document = deepcopy(app.openapi())
    answers, components = schemas(SHAPES)
    known = {str(route): route for route in routes(app)}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, known[f"{method.upper()} {path}"], answers)
    given = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _UNUSED:
        given.pop(name, None)
    given |= {**components, "ProblemDetails": _PROBLEM}
    document["components"] |= {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "For programs."},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "pinnacle_session",
                "description": "For browsers.",
            },
        },
        "responses": {name: _problem(words) for name, words in _REASONS.items()},
    }
    document["info"] |= {"description": _ABOUT}
    document["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
    document["security"] = [{"token": []}, {"session": []}]
    return document


def description_of(app: FastAPI) -> dict[str, Any]:
    """Return the same, made once; nobody may change it."""
    found: dict[str, Any] | None = getattr(app.state, "description", None)
    if found is None:
        found = app.state.description = describe(app)
    return found


def _complete(operation: dict[str, Any], route: Route, answers: Mapping[str, Any]) -> None:
    """Say what is answered, who may ask, and how it fails."""
    operation["operationId"] = _identifier(route)
    operation["description"] = operation.get("description", "").replace("``", "`")
    shape = SHAPES.get(str(route))
    media = shape if isinstance(shape, str) else "application/json"
    schema = answers.get(str(route), {})
    responses = operation["responses"]
    for status in [status for status in responses if status.startswith("2")]:
        responses[status]["content"] = {media: {"schema": schema} if schema else {}}
    if route.path.endswith(("/restores/plan", "/undo/plan", "/restores/plan/{id}")):
        responses["202"] = {**responses["200"], "description": "It takes longer: ask again"}
    if route.path == "/health":
        responses["503"] = {**responses["200"], "description": "The studio is not protected"}
    failures = ["401", "403"] if route.asks else []
    failures += ["404"] if "{" in route.path else []
    failures += ["409", "413"] if route.method != "GET" else []
    for status in (*failures, "422", "429", "default"):
        responses[status] = {"$ref": f"#/components/responses/{status}"}
    if not route.asks:
        operation["security"] = []
    if route.actions:
        operation["x-role"] = _weakest(route.actions)
        operation["description"] += f"\n\nFor: {_weakest(route.actions)}."


def _weakest(actions: tuple[str, ...]) -> str:
    """Return the role that is enough."""
    return [role for role in ROLES if all(role in PERMISSIONS[action] for action in actions)][-1]


def _identifier(route: Route) -> str:
    """Return a name that clients can call the operation by."""
    path = route.path.removeprefix("/api/v1/").replace(
        "/", "studio/", int(not route.path.startswith("/api/"))
    )
    words = path.replace("{", "by/").replace("}", "").replace(".", "/")
    return "_".join([route.method.lower(), *(word for word in words.split("/") if word)])


def _problem(words: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
