"""The look of the pages in a real browser: no violation, no error, nothing that a keyboard or a reader misses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from pinnacle_backup.web.static_files import packaged

from .browser import Watched
from .gallery import NAMES, STATIC, Gallery, render, templates

Visit = Callable[..., Watched]
SERIOUS = ("serious", "critical")

WIDTHS = (360, 768, 1440)
LOOKS = ((360, "light"), (1440, "dark"))
"""Of these axe sees one of each page, in turn; the long walk through the real pages shows it both."""


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_quiet_accessible_and_fits(visit: Visit, name: str) -> None:
    """In all widths: no violation, no error, no scrolling sideways, and nothing serious for axe."""
    width, scheme = LOOKS[NAMES.index(name) % len(LOOKS)]
    page = visit(name, scheme=scheme, reduced_motion="reduce").page
    for each in (*WIDTHS, width):
        page.set_viewport_size({"width": each, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, each
    found = Axe().run(page).response["violations"]

    assert [_words(rule) for rule in found if rule["impact"] in SERIOUS] == []


def test_pages_can_be_read_without_scripts(visit: Visit) -> None:
    """What a tab hides is there, and what needs scripts is not offered."""
    page = visit("parts", java_script_enabled=False).page

    assert page.get_by_text("Three warnings.").is_visible()
    assert page.get_by_text("JavaScript is off").is_visible()
    assert not page.get_by_role("button", name="Copy").first.is_visible()


def test_names_of_files_stay_text(visit: Visit) -> None:
    """Nothing in a name becomes markup, a template or a bidirectional trick."""
    page = visit("browse").page

    assert page.locator("img, main script").count() == 0
    shown = page.locator("main").inner_text()
    for name in (
        "<img src=x onerror=alert(1)>.png",
        "invoice\\u202egnp.exe",
        "\\xff\\xfe not utf-8.bin",
        "{{ 7*7 }}",
    ):
        assert name in shown


def test_the_theme_is_remembered_and_there_before_the_first_paint(visit: Visit) -> None:
    """The switch holds on the next page, whose root has the theme before its body is parsed."""
    seen = visit("parts")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = seen.page.evaluate(ground)
    seen.page.get_by_role("button", name="Dark").click()
    dark = seen.page.evaluate(ground)
    seen.page.add_init_script(
        """new MutationObserver((_, all) => { if (!document.body) return; all.disconnect();
        window.early = document.documentElement.dataset.theme; }).observe(document, {childList: true, subtree: true})"""
    )
    seen.page.reload()

    assert light != dark
    assert seen.page.evaluate("window.early") == "dark"
    assert seen.page.evaluate(ground) == dark
    assert seen.page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


def test_the_skip_link_leads_past_the_navigation(visit: Visit) -> None:
    """The first thing that Tab reaches shows itself and leads to what the page is about."""
    page = visit("backups").page
    page.keyboard.press("Tab")

    assert page.get_by_text("Skip to content").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_navigation_of_a_phone_works_by_keyboard(visit: Visit) -> None:
    """It opens with Enter, closes with Escape, and the focus is where it was."""
    page = visit("dashboard", width=360).page
    menu, link = (
        page.get_by_role("button", name="Menu"),
        page.locator("#nav").get_by_role("link", name="Backups"),
    )
    assert not link.is_visible()
    menu.focus()
    page.keyboard.press("Enter")
    assert link.is_visible()
    page.keyboard.press("Escape")

    assert not link.is_visible()
    assert menu.evaluate("element => element === document.activeElement")


def test_a_menu_works_by_keyboard(visit: Visit) -> None:
    """Enter opens, arrows walk around, Escape closes and gives the focus back."""
    page = visit("parts").page
    summary = page.locator("summary", has_text="Export")
    summary.focus()
    page.keyboard.press("Enter")
    words = []
    for _ in range(4):
        page.keyboard.press("ArrowDown")
        words.append(page.evaluate("document.activeElement.textContent.trim()"))
    page.keyboard.press("ArrowUp")
    words.append(page.evaluate("document.activeElement.textContent.trim()"))
    page.keyboard.press("Escape")

    assert words == ["As .tar.gz", "To another disk", "Delete", "As .tar.gz", "Delete"]
    assert not page.get_by_text("To another disk").is_visible()
    assert summary.evaluate("element => element === document.activeElement")


def test_a_dialog_gives_the_focus_back(visit: Visit) -> None:
    """It opens by keyboard, keeps the focus inside, and Escape leads back to what opened it."""
    page = visit("parts").page
    page.locator("#opener").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="A dialog").is_visible()
    assert page.evaluate("Boolean(document.activeElement.closest('dialog'))")
    page.keyboard.press("Escape")

    assert not page.get_by_role("dialog").is_visible()
    assert page.evaluate("document.activeElement.id") == "opener"


def test_tabs_work_by_keyboard(visit: Visit) -> None:
    """Arrows go round, one tab is in the order of Tab, the address remembers."""
    page = visit("parts").page
    page.get_by_role("tab", name="Summary").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_text("Three warnings.").is_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    assert page.get_by_role("tab", name="Files").get_attribute("aria-selected") == "true"
    assert not page.get_by_text("The summary.").is_visible()
    page.reload()
    assert page.get_by_text("Many files.").is_visible()


def test_a_table_filters_and_sorts_without_moving(visit: Visit) -> None:
    """Rows that do not match go, columns keep their widths, sizes sort as sizes."""
    page = visit("backups").page
    widths = "[...document.querySelectorAll('#backups thead th')].map(cell => Math.round(cell.offsetWidth))"
    names = page.locator("#backups tbody tr:visible .two > :first-child")
    before = page.evaluate(widths)
    page.get_by_role("searchbox").focus()
    page.keyboard.type("sat 21 full")
    assert names.all_inner_texts() == ["Sat 21 Nov, 02:00"]
    assert page.locator("[data-count]").inner_text() == "1 of 14"
    assert page.evaluate(widths) == before
    page.keyboard.type(" nothing like that")
    assert page.get_by_text("Nothing matches.").is_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Stored").click()

    assert names.first.inner_text() == "Sat 21 Nov, 20:00"
    assert page.get_by_role("columnheader", name="Stored").get_attribute("aria-sort") == "ascending"
    assert page.evaluate(widths) == before


def test_a_form_is_sent_once_as_json_and_shows_its_problems(visit: Visit, gallery: Gallery) -> None:
    """Two clicks send one request; problems stand beside their fields, the rest above, the focus in the first."""
    seen = visit("settings")
    page = seen.page
    page.get_by_role("button", name="Save").dblclick()
    page.get_by_text("A name holds letters, digits").wait_for()

    [(path, body)] = gallery.received
    assert path == "/api/v1/settings/fail"
    assert body["paths"] == ["logs/", "uploads/", "encyclopedia/", "config.json"]
    assert body["incremental"] == {"enabled": True}
    assert body["schedule"] == {"daily": True, "time": "02:00", "hourly": "six", "day": "sunday"}
    assert body["name"] == 30
    assert body["key"] is None
    assert page.evaluate("document.activeElement.name") == "name"
    assert page.get_by_text("elsewhere: is not known").is_visible()
    assert page.get_by_role("button", name="Save").get_attribute("aria-busy") is None
    _forget_expected(seen, "422")


def test_what_cannot_be_undone_is_typed(visit: Visit, gallery: Gallery) -> None:
    """The dialog names what it deletes, however it is called, and the button is off until that is typed."""
    seen = visit("backups")
    page = seen.page
    page.locator("#backups tbody tr", has_text="before <b>").locator("summary").click()
    page.get_by_role("button", name="Delete …").locator("visible=true").click()
    delete = page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True)
    assert delete.is_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill("before <b>the</b> move & more.tar.gz")
    delete.click()
    page.get_by_text("Correct them and try again.").wait_for()

    assert gallery.received[0][0] == f"/api/v1/backups/{5:032x}/fail"
    _forget_expected(seen, "422")


def test_a_done_form_leads_on_and_says_so_there(visit: Visit) -> None:
    """The answer's address is followed, and the message waits for that page."""
    page = visit("dashboard").page
    page.get_by_role("button", name="Create backup").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Create backup").click()
    page.wait_for_url("**/run")

    assert page.get_by_text("The backup has begun").is_visible()


def test_chosen_files_are_counted(visit: Visit) -> None:
    """What is done with a choice is off until there is one."""
    page = visit("browse").page
    restore = page.get_by_role("button", name="Restore chosen")
    assert restore.is_disabled()
    page.get_by_role("checkbox", name="Choose models").check()

    assert restore.is_enabled()
    assert page.locator("[data-picked-count]").inner_text() == "1"


def test_a_run_is_shown_live(visit: Visit, gallery: Gallery) -> None:
    """Figures, bar and log follow the stream; hostile words of it stay words."""
    gallery.events = [
        ("run", {"id": 214, "outcome": "running", "phase": "Verify", "bytes": 9_000_000, "total_bytes": 12_000_000,
                 "path": "<b>x</b>", "seconds": 3}),
        ("run-line", {"id": 214, "number": 25, "time": "2026-11-22T02:01:00Z", "level": "error", "text": "<i>bad</i>"}),
    ]  # fmt: skip
    page = visit("run").page
    page.get_by_text("75 %").wait_for()

    assert page.locator("progress").get_attribute("value") == "0.75"
    assert page.locator('[data-part="bytes"]').inner_text() == "9.0 MB of 12 MB"
    assert page.locator('[data-part="left"]').inner_text() == "about 1.0 s left"
    assert page.locator('[data-part="path"]').inner_text() == "<b>x</b>"
    assert "<i>bad</i>" in page.locator(".log li").last.inner_text()


def test_copying_says_that_it_did(visit: Visit) -> None:
    """The command is on the clipboard, and a message says so."""
    page = visit("parts", permissions=["clipboard-read", "clipboard-write"]).page
    page.locator('[data-copy="copyable"]').last.click()
    page.get_by_text("Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == "pinnacle-backup restore latest --dry-run"


def test_scripts_work_under_trusted_types(visit: Visit, gallery: Gallery) -> None:
    """No script makes markup of words, so browsers may forbid it."""
    gallery.policy += "; require-trusted-types-for 'script'"
    page = visit("backups").page
    page.get_by_role("searchbox").fill("nothing like that")

    assert page.get_by_text("Nothing matches.").is_visible()


def test_motion_stops_where_people_want_none(visit: Visit) -> None:
    """Nothing turns or slides for those who asked for calm."""
    page = visit("parts", reduced_motion="reduce").page
    longest = page.evaluate(
        "Math.max(...document.getAnimations().map(each => each.effect.getTiming().duration), 0)"
    )

    assert longest <= 1


def test_the_recovery_sheet_prints_alone(visit: Visit) -> None:
    """On paper there is the sheet and no shell."""
    page = visit("setup").page
    page.emulate_media(media="print")

    assert page.get_by_text("Password of the backups").is_visible()
    assert not page.get_by_role("button").first.is_visible()
    assert page.get_by_text("Encrypt the backups?").count() == 1
    assert not page.get_by_text("Encrypt the backups?").is_visible()


def test_first_paint_is_quick(visit: Visit) -> None:
    """A page is painted in a fraction of a second; the limit is generous, for loaded machines."""
    page = visit("backups").page
    page.reload()
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")

    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 1500


def test_styles_and_scripts_stay_small() -> None:
    """All that every page loads is under 62 kB together as it is; what one page adds is small beside it."""
    files = packaged().files
    loaded = set(re.findall(r'(?:href|src)="/static/((?:css|js)/[a-z]+\.(?:css|js))"', render("nothing")))
    others = {name for name in files if name.startswith("js/")} - loaded

    assert sum(len(files[name]) for name in loaded) < 62_000
    assert {name for name in others if len(files[name]) > 6_000} == set()


def test_a_page_asks_for_three_files_before_it_is_painted() -> None:
    """Each more would take some milliseconds, also where the browser has kept it."""
    page = render("nothing")
    named = re.findall(
        r'<(?:link rel="(?:stylesheet|modulepreload)" href|script[^>]* src)="/static/([^"]+)', page
    )

    assert named == ["js/first.js", "css/all.css", "js/all.js"]


def test_every_icon_that_is_used_exists() -> None:
    """A name that the sprite does not have would be an empty place."""
    sprite = (STATIC / "icons.svg").read_text("utf-8")
    env = templates()
    pages = "".join(render(name, env) for name in NAMES)
    used = {part.split('"')[0] for part in pages.split("icons.svg#")[1:]}

    assert {name for name in used if f'id="{name}"' not in sprite} == set()


def test_no_page_carries_style_or_script_of_its_own() -> None:
    """The policy would refuse it anyway; here is where it stands."""
    env = templates()
    for name in NAMES:
        page = render(name, env)
        assert " style=" not in page.replace("&#34;", ""), name
        assert page.count("<script") == page.count("<script src=") + page.count(
            '<script type="module" src='
        ), name


def test_modules_never_make_markup_of_text() -> None:
    """Text goes in as text."""
    for file in Path(STATIC, "js").iterdir():
        text = file.read_text("utf-8")
        assert not any(word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(")), (
            file.name
        )


def _words(rule: dict[str, Any]) -> tuple[str, list[str]]:
    return rule["id"], [f"{node['html'][:160]}: {node['failureSummary'][:300]}" for node in rule["nodes"]]


def _forget_expected(seen: Watched, status: str) -> None:
    """A refused request is an error line in Chromium's console; here it was asked for."""
    seen.complaints[:] = [line for line in seen.complaints if status not in line]
