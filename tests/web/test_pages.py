"""
Every real page, walked from the table of routes: what people see, hear and reach by keyboard.

Such walks take long; the pages of the gallery, made of the same templates, are looked at always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from pinnacle_backup.model.permissions import VIEWER
from pinnacle_backup.web.setting_forms import GROUPS

from .browser import Watched, watched
from .routes import routes
from .serving import PASSWORD, Server, serving

pytestmark = pytest.mark.long

SERIOUS = ("serious", "critical")
NO_PAGES = {"/health", "/backup/status", "/backup/list", "/metrics", "/drills/{id}/report"}
"""What is for programs although it is not below /api/v1, and the sheet of a drill: no script may run in it."""

AXE = {"resultTypes": ["violations"]}
LOOKS = (((360, "dark"), (1280, "light")), ((360, "light"), (1280, "dark")))
"""Widths and colours, in turn from page to page: all pages share their colours."""

MOST_SHIFT = 0.02
OBSERVE = """
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(each => { window.shift += each.value; }))
    .observe({type: 'layout-shift', buffered: true});
new MutationObserver((_, all) => {
    if (!document.body) return;
    all.disconnect();
    window.early = [document.documentElement.dataset.theme, getComputedStyle(document.documentElement).colorScheme];
}).observe(document, {childList: true, subtree: true});
"""
JOB = {"name": "office-hours", "run": "incremental", "cron": "0 8-18 * * 1-5"}
LOST = "dialog => document.activeElement !== document.body && !dialog.contains(document.activeElement)"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, on a studio with some of everything in it."""
    with serving(tmp_path_factory.mktemp("pages")) as running:
        studio = running.studio
        studio.good("create")
        studio.change()
        studio.good("create", "--type", "incremental")
        studio.good("drill")
        studio.configure(paths=["not-mounted/"])
        assert studio.run("create").code
        studio.configure(schedule={"jobs": [JOB]})
        order = {"backup": studio.latest(), "paths": ["uploads"]}
        (running.root / "uploads/sub/one.txt").write_text("lost\n")
        order["confirmation"] = order["backup"]
        running.wait_for(running.json("POST", "/api/v1/restores", json=order)["run"])
        studio.good("create", "--encrypt", PASSWORD)
        yield running


@pytest.fixture
def seen(browser: Browser) -> Iterator[Watched]:
    """A page whose complaints fail the test, but for the status of the pages that say what went wrong."""
    with watched(browser, reduced_motion="reduce") as page:
        page.page.add_init_script(OBSERVE)
        yield page
        assert [line for line in page.complaints if "responded with a status of 40" not in line] == []


def addresses(here: Server) -> list[str]:
    """Return every page with each of its faces, so far as an address leads to it."""
    backups = here.json("GET", "/api/v1/backups")["backups"]
    runs = here.json("GET", "/api/v1/runs")["runs"]
    newest, oldest = backups[0]["name"], backups[-1]["name"]
    plan = here.json("POST", "/api/v1/restores/plan", json={"backup": oldest})["id"]
    undo = here.json("POST", "/api/v1/undo/plan", json={})["id"]
    faces: dict[str, list[str]] = {
        "/backups": ["?create", "?kind=pinned"],
        "/backups/{name}/browse": ["?path=uploads", "?path=uploads/sub/one.txt"],
        "/search": ["?q=one", "?q=nothing-like-that"],
        "/diff": [f"?from={oldest}&to={newest}", f"?from={newest}"],
        "/restore": [
            f"?backup={newest}",
            f"?backup={newest}&path=uploads/sub",
            f"?plan={plan}",
            f"?plan={undo}",
        ],
        "/runs": ["?outcome=failed", "?outcome=killed", "?day=2026-11-22"],
        "/audit": ["?action=login", "?action=nothing"],
    }
    values: Mapping[str, list[str]] = {
        "name": [oldest, newest],
        "number": [str(run["id"]) for run in {run["verb"] + run["outcome"]: run for run in runs}.values()],
        "key": [group.key for group in GROUPS],
    }
    found = []
    for path in pages():
        name = re.search(r"\{(\w+)", path)
        plain = [re.sub(r"\{[^}]+\}", value, path) for value in values[name[1]]] if name else [path]
        found += plain + [plain[0] + face for face in faces.pop(path, [])]
    assert not faces
    return [*found, "/no/such/page", "/runs/99999"]


def pages() -> list[str]:
    """Return the paths of all pages for people who are logged in, as the table of routes has them."""
    return [
        route.path
        for route in routes()
        if route.method == "GET" and not route.path.startswith("/api/v1") and route.path not in NO_PAGES
        and route.path != "/login"
        and not route.path.startswith("/setup")
    ]  # fmt: skip


def open_page(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    while page.locator("meta[http-equiv=refresh]").count():
        page.wait_for_load_state("load")


def faults(page: Page, addresses: list[str]) -> list[Any]:
    """Return what is wrong with pages, on phones and desks."""
    found: list[Any] = []
    for number, address in enumerate(addresses):
        open_page(page, address)
        page.wait_for_timeout(50)
        if page.evaluate("window.shift") > MOST_SHIFT:
            found.append((address, "shifts", page.evaluate("window.shift")))
        for width, scheme in LOOKS[number % 2]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if (wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
                found.append((address, width, "scrolls sideways", wide))
            found += [(address, width, scheme, *words) for words in _serious(page)]
    return found


def _serious(page: Page) -> Iterator[tuple[str, list[str]]]:
    for rule in Axe().run(page, options=AXE).response["violations"]:
        if rule["impact"] in SERIOUS:
            yield (
                rule["id"],
                [f"{node['html'][:160]}: {node['failureSummary'][:300]}" for node in rule["nodes"]],
            )


def test_every_page_is_accessible_quiet_still_and_fits(here: Server, seen: Watched) -> None:
    """Phone and desk, light and dark: nothing serious for axe, no error, no shift, no scrolling sideways."""
    here.login(seen.page)

    assert faults(seen.page, [here.url + address for address in addresses(here)]) == []


def test_every_page_says_its_zone_the_command_line_and_keeps_the_colours(here: Server, seen: Watched) -> None:
    """Whoever chose the dark sees no light before it; times have their zone, what is done has its command."""
    page = seen.page
    here.login(page)
    page.goto(here.url)
    page.get_by_role("button", name="Dark").click()
    missing = []
    for address in addresses(here):
        open_page(page, here.url + address)
        if page.evaluate("window.early") != ["dark", "dark"]:
            missing.append((address, "dark from the start"))
        if page.locator("body.bare").count():
            continue
        if not page.locator("details.command code").count():
            missing.append((address, "command line"))
        if "All times:" not in page.locator("main").inner_text():
            missing.append((address, "zone"))

    assert missing == []


def test_the_skip_link_is_first_on_every_page(here: Server, seen: Watched) -> None:
    """Tab shows it, Enter leads past the navigation."""
    page = seen.page
    here.login(page)
    for address in addresses(here):
        open_page(page, here.url + address)
        if not page.locator(".skip").count() or page.locator("[autofocus], dialog[open]").count():
            continue
        page.keyboard.press("Tab")
        assert page.get_by_text("Skip to content").is_visible(), address
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main", address


def test_every_dialog_works_by_keyboard(here: Server, seen: Watched) -> None:
    """Enter opens it, Tab stays inside, Escape closes it and leads back."""
    page = seen.page
    here.login(page)
    dialogs: set[str] = set()
    for address in addresses(here):
        open_page(page, here.url + address)
        page.keyboard.press("Escape")  # /backups?create opens one by itself
        for opener in page.locator(":is(button, a)[data-open]").all():
            name = opener.get_attribute("data-open") or ""
            if name in dialogs or opener.is_disabled():
                continue
            dialogs.add(name)
            _through(page, opener, name)

    assert {
        "create",
        "verify",
        "delete",
        "drill",
        "add-job",
        "remove-job",
        "pause",
        "token",
        "totp-on",
    } <= dialogs


def _through(page: Page, opener: Locator, name: str) -> None:
    """Open a dialog, go round in it and leave it, all by keyboard."""
    menu = opener.locator("xpath=ancestor::details[contains(@class, 'menu')]")
    back = opener
    if menu.count():
        back = menu.locator("summary")
        back.focus()
        page.keyboard.press("Enter")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.locator(f"dialog#{name}")
    assert dialog.is_visible(), name
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)"), name
    for _ in range(25):
        page.keyboard.press("Tab")
        assert not dialog.evaluate(LOST), name
    page.keyboard.press("Escape")
    assert not dialog.is_visible(), name
    assert back.evaluate("element => element === document.activeElement") or menu.count(), name
    if menu.count():
        menu.evaluate("element => { element.open = false; }")


def test_what_others_may_not_see_says_so(here: Server, seen: Watched) -> None:
    """A viewer's pages, those that are refused to him among them."""
    page = seen.page
    here.login(page, VIEWER)
    found = faults(page, [here.url + path for path in pages() if "{" not in path and path != "/api"])
    page.goto(f"{here.url}/users")

    assert found == []
    assert page.get_by_role("heading", level=1).inner_text() == "You may not do that"


def test_the_first_start_and_empty_pages(tmp_path: Path, browser: Browser, seen: Watched) -> None:
    """Nothing is there yet: login, set-up in its steps, and every page of a fresh studio."""
    with serving(tmp_path, accounts=False) as fresh:
        page = seen.page
        found = faults(page, [f"{fresh.url}/setup"])
        token = re.search(r"[a-z2-7]{4}(-[a-z2-7]{4}){5}", fresh.said())
        assert token
        first = {"token": token[0], "name": "anna", "password": PASSWORD}
        answer = page.request.post(f"{fresh.url}/api/v1/setup", data=first, headers={"Origin": fresh.url})
        assert answer.ok, answer.text()
        empty = [path for path in pages() if "{" not in path and path != "/api"]
        empty += ["/setup/sources", "/setup/encryption", "/setup/backup", "/search?q=x", "/settings/backup"]
        found += faults(page, [fresh.url + address for address in empty])
        page.context.clear_cookies()
        found += faults(page, [f"{fresh.url}/login"])

    assert found == []
