"""How quickly pages come: as the server answers them, and as Chromium paints them."""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server_load import OK, ask
from server_studio import PASSWORD, USER, Server, processor_of

FIXED = (
    "/", "/backups", "/restore", "/schedule", "/runs", "/drills", "/notifications", "/checks", "/users",
    "/audit", "/settings", "/account", "/api", "/search?q=new", "/diff",
)  # fmt: skip
_PAINT = "performance.getEntriesByName('first-contentful-paint')"


def addresses(server: Server) -> list[str]:
    """Return every page, those of one backup and of one run for the newest."""
    backup = _get(server, "/api/v1/backups")["backups"][0]["id"]
    run = _get(server, "/api/v1/runs?limit=1")["runs"][0]["id"]
    return [*FIXED, f"/backups/{backup}", f"/backups/{backup}/browse", f"/runs/{run}"]


def logged_in(server: Server) -> str:
    """Return the header of a browser that is logged in."""
    body = json.dumps({"name": USER, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json", "Origin": server.url}
    request = urllib.request.Request(f"{server.url}/api/v1/session", body, headers)
    with urllib.request.urlopen(request) as answer:
        return f"Cookie: {answer.headers['Set-Cookie'].partition(';')[0]}"


def answered(server: Server, path: str, who: str, *, rounds: int = 20) -> tuple[float, float]:
    """
    Return how many milliseconds it takes until the last byte of a page is there: the median.

    And how many of the processor's, on average: these are the same on a busy machine, or nearly so.
    """

    async def all_rounds() -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        found = []
        assert await ask(reader, writer, who, path) == OK, path
        for _ in range(rounds):
            began = time.perf_counter()
            assert await ask(reader, writer, who, path) == OK, path
            found.append(time.perf_counter() - began)
        writer.close()
        return found

    asyncio.run(all_rounds())  # what is compiled or read once
    processor = processor_of(server.process)
    milliseconds = 1000 * statistics.median(asyncio.run(all_rounds()))
    return milliseconds, 1000 * (processor_of(server.process) - processor) / (rounds + 1)


def painted(server: Server, paths: list[str]) -> dict[str, tuple[float, float]]:
    """
    Return how many milliseconds Chromium takes until it paints something of each page.

    The first figure is that of the first visit with nothing in the browser's cache, the second the median of
    later ones. Nothing where Playwright or Chromium is not installed.
    """
    if not paths:
        return {}
    with _chromium() as browser:
        if browser is None:
            return {}
        return {path: _painted(_context(browser, server), f"{server.url}{path}") for path in paths}


def blank() -> float:
    """Return how many milliseconds Chromium takes for a page of one word: what no server can go below."""
    with _chromium() as browser:
        return 0.0 if browser is None else _painted(browser.new_context(), "data:text/html,word")[1]


@contextmanager
def _chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it need not be there
    except ImportError:
        yield None
        return
    chromium = shutil.which("chromium")
    if chromium is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def _context(browser: Any, server: Server) -> Any:
    """Return a browser that is logged in, with nothing in its cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    credentials, origin = {"name": USER, "password": PASSWORD}, {"Origin": server.url}
    answer = context.request.post(f"{server.url}/api/v1/session", data=credentials, headers=origin)
    assert answer.ok, answer.text()
    return context


def _painted(context: Any, address: str, rounds: int = 7) -> tuple[float, float]:
    page, found = context.new_page(), []
    for _ in range(rounds + 1):
        page.goto("about:blank")
        page.goto(address)
        while not page.evaluate(f"{_PAINT}.length"):
            page.wait_for_timeout(20)
        found.append(page.evaluate(f"{_PAINT}[0].startTime"))
    context.close()
    return found[0], statistics.median(found[1:])


def _get(server: Server, path: str) -> Any:
    request = urllib.request.Request(
        f"{server.url}{path}", headers={"Authorization": f"Bearer {server.token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
