"""Static files: kept for ever under their version, asked for again without it, and no way out of their folder."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from pinnacle_backup.web.rendering import environment
from pinnacle_backup.web.static_files import StaticFiles, packaged

FILES = {"css/a.css": b"a {}", "js/b.js": b"1", "c.svg": b"<svg/>"}


def ask(files: StaticFiles, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=[Mount("/static", files)]))

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(asked())


def test_what_is_named_by_version_is_kept_for_ever() -> None:
    files = StaticFiles(FILES)
    answer = ask(files, f"/static/{files.version}/css/a.css")
    assert answer.content == b"a {}"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("path", ["css/a.css", "0123456789ab/css/a.css"])
def test_without_version_or_with_another_one_it_is_asked_for_again(path: str) -> None:
    """A page from before an update gets what there is, and the browser does not keep it under a wrong name."""
    answer = ask(StaticFiles(FILES), f"/static/{path}")
    assert (answer.content, answer.headers["cache-control"]) == (b"a {}", "no-cache")
    again = ask(StaticFiles(FILES), f"/static/{path}", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("changed", [{"css/a.css": b"b {}"}, {"d.svg": b""}], ids=["content", "new"])
def test_any_change_makes_another_version(changed: dict[str, bytes]) -> None:
    assert StaticFiles(FILES).version == StaticFiles(dict(reversed(FILES.items()))).version
    assert StaticFiles(FILES).version != StaticFiles({**FILES, **changed}).version


@pytest.mark.parametrize("path", ["", "css", "css/", "../a", "%2e%2e/a", "css/a.css/", "nothing.css"])
def test_there_is_nothing_else(path: str) -> None:
    assert ask(StaticFiles(FILES), f"/static/{path}").status_code == 404


def test_nothing_can_be_sent() -> None:
    assert ask(StaticFiles(FILES), "/static/c.svg", "POST").status_code == 405
    head = ask(StaticFiles(FILES), "/static/c.svg", "HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "6")


def test_pages_name_the_version_and_every_file_is_there() -> None:
    files = packaged()
    env = environment(version=files.version)
    page = env.get_template("head.html").render()
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert len(named) > 3
    assert all(path.startswith(f"/static/{files.version}/") for path in named)
    assert {ask(files, path).status_code for path in named} == {200}


@pytest.mark.parametrize("path", sorted(path for path in packaged().files if path.endswith(".js")))
def test_scripts_import_only_what_is_served_and_exported(path: str) -> None:
    files = packaged().files
    script = files["js/all.js"].decode()
    exported = set(re.findall(r"\w+", " ".join(re.findall(r"^export const \{(.+)\}", script, re.MULTILINE))))
    imports = re.findall(r'^import \{(.+)\} from "(.+)";', files[path].decode(), re.MULTILINE)
    assert {source for _, source in imports} <= {"./all.js"}
    assert {name.strip() for names, _ in imports for name in names.split(",")} <= exported
