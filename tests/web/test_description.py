"""The description of the API tells the truth: of every route, and of what real answers look like."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.tokens import create_token
from pinnacle_backup.web.factory import PUBLIC
from pinnacle_backup.web.shapes import SHAPES

from ..studios import Studio
from .browser import watched
from .routes import description, routes
from .serving import Server, opened, serving

DESCRIPTION = json.loads(json.dumps(description()))
ENDLESS = "/api/v1/events"
HARMFUL = ("/api/v1/settings$", "/api/v1/session$", "/api/v1/scheduler/")
"""What takes the ground from under the feet of the other examples."""


def test_every_route_of_the_api_is_described() -> None:
    """With a summary, with what it answers, with whom it is for; and none is described that is not there."""
    described = {
        f"{method.upper()} {path}": operation
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
    }
    of_the_api = {str(route) for route in routes() if route.described}

    assert described.keys() == of_the_api == SHAPES.keys()
    assert {str(route) for route in routes() if route.path.startswith("/api/")} <= of_the_api
    assert [route for route, operation in described.items() if not operation["description"]] == []
    assert {route for route, operation in described.items() if operation.get("security") == []} == (
        PUBLIC & of_the_api
    )
    assert {tag for operation in described.values() for tag in operation["tags"]} == {
        tag["name"] for tag in DESCRIPTION["tags"]
    }
    names = [operation["operationId"] for operation in described.values()]
    assert len(set(names)) == len(names)


def test_every_body_has_an_example_and_an_end() -> None:
    """Nobody has to guess what a body looks like, and no text in it is as long as one likes."""
    schemas = DESCRIPTION["components"]["schemas"]
    for methods in DESCRIPTION["paths"].values():
        for operation in methods.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                name = media["schema"].get("$ref", "").rpartition("/")[2]
                for field, schema in schemas.get(name, {}).get("properties", {}).items():
                    kinds = [schema, *schema.get("anyOf", ())]
                    free = [
                        k for k in kinds if k.get("type") == "string" and "enum" not in k and "const" not in k
                    ]
                    assert all("maxLength" in each or "maxLength" in schema for each in free), (name, field)


def test_all_references_lead_somewhere() -> None:
    text = json.dumps(DESCRIPTION)
    for kind in ("schemas", "responses"):
        for name in text.split(f'"#/components/{kind}/')[1:]:
            assert name.partition('"')[0] in DESCRIPTION["components"][kind]


def test_command_line_and_server_print_the_same(here: Server) -> None:
    printed = json.loads(here.studio.good("openapi"))
    assert printed == here.json("GET", "/api/v1/openapi.json", role="viewer") == DESCRIPTION


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own with two backups, whose scheduler is off."""
    folder = tmp_path_factory.mktemp("description")
    studio = Studio(folder / "studio")
    studio.good("create")
    studio.change()
    studio.good("create", "--type", "incremental")
    with serving(folder, studio=studio) as running:
        yield running


@pytest.fixture(scope="module")
def almighty(here: Server) -> str:
    """A token that belongs to nobody, so that no example removes its owner."""
    with opened(here.studio) as studio:
        secret, _ = create_token(
            studio, name="all", role="administrator", days=None, owner=None, by=actor_of(studio)
        )
        return secret


def test_what_looks_answers_as_described(here: Server) -> None:
    """The real things, not what examples make up: a backup, its files, a run, a user ..."""
    names = list(here.studio.listed())
    values = {"name": names[0], "number": "1", "id": "x"}
    queries = {
        "/api/v1/diff": {"from": names[1], "to": names[0]},
        "/api/v1/versions": {"path": "uploads/sub/one.txt"},
        "/api/v1/search": {"q": "one"},
        "/api/v1/schedule/preview": {"cron": "30 1 * * 6"},
        "/api/v1/backups/{name}/content": {"path": "uploads/sub/one.txt"},
    }
    seen = {}
    with here.client("administrator") as client:
        for route in routes():
            if route.method == "GET" and route.described and route.path != ENDLESS:
                operation = SCHEMA[route.path]["GET"]
                users = {**values, "name": "vera"} if "/users/" in route.path else values
                answer = client.get(route.address(users), params=queries.get(route.path))
                seen[route.path] = answer.status_code
                operation.validate_response(answer)
    assert {path for path, status in seen.items() if status not in (200, 503)} <= {
        "/api/v1/backups/{name}/image",
        "/api/v1/downloads/{number}",
        "/api/v1/drills/{id}",
        "/api/v1/restores/plan/{id}",
    }


CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)


@SCHEMA.exclude(path=ENDLESS).exclude(path_regex="|".join(HARMFUL)).parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server(case: schemathesis.Case, here: Server, almighty: str) -> None:
    """Whatever fits the description, and much that does not, is answered as it says."""
    checks = [not_a_server_error, response_schema_conformance, content_type_conformance]
    headers = {"Authorization": f"Bearer {almighty}"}
    if case.operation.path == "/health":
        checks.remove(not_a_server_error)  # 503 is its word for a studio that is not protected
    case.call_and_validate(base_url=here.url, headers=headers, checks=checks)


def test_people_can_read_it(here: Server, browser: Browser) -> None:
    """The page shows every operation, and every link in it leads to a place in it."""
    with watched(browser) as seen:
        here.login(seen.page, "viewer")
        seen.page.goto(f"{here.url}/api")
        shown = {
            f"{method} {path}"
            for method, path in (
                text.split("\n")[:2]
                for text in seen.page.locator(".api-section details > summary").all_inner_texts()
            )
        }
        targets = seen.page.eval_on_selector_all(
            "main a[href^='#']", "links => links.map(a => a.hash.slice(1))"
        )
        places = seen.page.eval_on_selector_all("main [id]", "all => all.map(one => one.id)")
    assert SHAPES.keys() <= shown
    assert set(targets) <= set(places)
    assert seen.complaints == []
