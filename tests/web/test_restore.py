"""Restore, undo, drills and runs, as people and programs use them: a real server, real runs, a real browser."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pinnacle_backup.model.permissions import ADMINISTRATOR, OPERATOR, VIEWER
from pinnacle_backup.model.runs import Origin, RunFacts
from pinnacle_backup.store.processes import this_process

from .browser import Watched, watched
from .serving import Server, opened, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("restoring")
    with serving(folder) as running:
        running.studio.good("create")
        yield running


@pytest.fixture
def backup(server: Server) -> str:
    """The name of the full backup, which holds the state that every test begins with."""
    return list(server.studio.listed())[-1]


@pytest.fixture
def browse(browser: Any, server: Server) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody; whatever it complains of fails the test at its end."""
    with ExitStack() as pages:
        seen: list[Watched] = []

        def go(path: str, role: str = ADMINISTRATOR, width: int = 1280) -> Page:
            page = pages.enter_context(watched(browser, viewport={"width": width, "height": 900}))
            seen.append(page)
            server.login(page.page, role)
            page.page.goto(server.url + path, wait_until="load")
            return page.page

        yield go
        complaints = [line for page in seen for line in page.complaints]
        assert [
            line for line in complaints if "status of 422" not in line
        ] == []  # what was refused on purpose


def damage(root: Path) -> None:
    """What happens at night: a file overwritten, one lost, one new."""
    (root / "uploads/sub/one.txt").write_text("oops\n")
    (root / "encyclopedia/page.md").unlink(missing_ok=True)
    (root / "uploads/later.txt").write_text("later\n")


def change_rows(root: Path) -> None:
    with closing(sqlite3.connect(root / "app.db")) as connection:
        connection.execute("DELETE FROM row WHERE text = 'row 7'")
        connection.execute("UPDATE row SET text = 'changed' WHERE text = 'row 8'")
        connection.commit()


def test_a_plan_tells_everything_and_changes_nothing(server: Server, backup: str) -> None:
    damage(server.root)
    change_rows(server.root)
    answer = server.json("POST", "/api/v1/restores/plan", json={"backup": backup})
    plan = answer["plan"]
    assert answer["ready"]
    assert answer["href"] == f"/restore?plan={answer['id']}"
    assert plan["in_place"]
    assert plan["create"] == 1
    assert plan["overwrite"] >= 2
    assert {path["path"]: path["action"] for path in plan["paths"]}["uploads/sub/one.txt"] == "overwrite"
    [database] = plan["databases"]
    assert database["path"] == "app.db"
    assert database["tables"] == [{"name": "row", "now": 299, "then": 300, "lost": 1, "back": 2}]
    assert (server.root / "uploads/sub/one.txt").read_text() == "oops\n"
    assert server.json("GET", "/api/v1/restores/plan/" + answer["id"]) == answer


APPLICATION = """
import sqlite3, sys
connection = sqlite3.connect("app.db", isolation_level=None)
for statement in sys.argv[1:]:
    connection.execute(statement).fetchall()
print(1, flush=True)
sys.stdin.read()
print(connection.execute("SELECT count(*) FROM row WHERE text LIKE 'row _'").fetchall()[0][0])
"""
"""Has the studio's database open; in the end says what it sees in it."""


@contextmanager
def application(root: Path, *statements: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", APPLICATION, *statements],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_a_database_in_use_is_changed_live_and_sessions_stay(server: Server, backup: str) -> None:
    """The program that has it open sees the rows of the backup; whoever is logged in stays so."""
    change_rows(server.root)
    before = server.json("GET", "/api/v1/session")
    with application(server.root, "SELECT 1 FROM row") as process:
        order = {"backup": backup, "databases_only": True}
        kept = server.json("POST", "/api/v1/restores/plan", json=order)
        plan, shown = kept["plan"], server.request("GET", kept["href"]).text
        run = server.json("POST", "/api/v1/restores", json={**order, "confirmation": backup})["run"]
        ended = server.wait_for(run)
        said, _ = process.communicate()
    [used] = plan["live"]
    assert (used["path"], plan["in_use"]) == ("app.db", [])
    assert f"process {process.pid}" in used["reason"]
    assert "It is changed live" in shown
    assert "to confirm" in shown
    assert "not chosen" in shown
    assert ended["outcome"] == "good", ended["message"]
    assert said == b"10\n"
    assert server.json("GET", "/api/v1/session") == before


def test_a_database_that_stays_locked_is_named_before_anything_begins(server: Server, backup: str) -> None:
    change_rows(server.root)
    with application(server.root, "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE") as process:
        order = {"backup": backup, "databases_only": True}
        kept = server.json("POST", "/api/v1/restores/plan", json=order)
        plan, shown = kept["plan"], server.request("GET", kept["href"]).text
        run = server.json("POST", "/api/v1/restores", json={**order, "confirmation": backup})["run"]
        ended = server.wait_for(run)
        process.communicate()
    [used] = plan["in_use"]
    assert (used["path"], plan["live"]) == ("app.db", [])
    assert f"process {process.pid}" in used["reason"]
    assert "Look again" in shown
    assert "to confirm" not in shown  # it would only be refused
    assert ended["outcome"] == "failed"
    assert "in use" in ended["message"]


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2001-02-03T04:05", "No complete point is from Sat 3 Feb 2001, 04:05 or before; the oldest is of "),
        ("0001-01-01", "No complete point is from then or before"),
        ("soon", "is not a time"),
    ],
)
def test_a_moment_without_a_point_stays_on_the_page(server: Server, backup: str, at: str, why: str) -> None:
    answer = server.request("GET", "/restore", params={"at": at}, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "There is no such point" in answer.text
    assert why in answer.text
    assert "999999" not in answer.text


def test_a_restore_needs_the_right_name_and_the_right_role(server: Server, backup: str) -> None:
    order = {"backup": backup, "confirmation": "something else"}
    refused = server.request("POST", "/api/v1/restores", json=order)
    assert refused.status_code == 422
    assert backup in refused.json()["hint"]
    for role in (OPERATOR, VIEWER):
        for path in ("restores", "restores/plan", "undo", "undo/plan"):
            assert server.request("POST", f"/api/v1/{path}", role=role, json=order).status_code == 403
    for wrong in ({}, {"backup": backup, "at": "2026-01-01"}, {"backup": backup, "target": "relative"}):
        assert server.request("POST", "/api/v1/restores/plan", json=wrong).status_code == 422
    missing = server.request("POST", "/api/v1/restores/plan", json={"backup": "/etc/passwd"})
    assert missing.status_code == 404
    nothing = server.request("POST", "/api/v1/restores/plan", json={"backup": backup, "paths": ["no/such"]})
    assert nothing.status_code == 404
    assert "no/such" in nothing.json()["detail"]
    assert server.request("GET", "/api/v1/restores/plan/..%2F..%2Fstate").status_code == 404


def test_elsewhere_leaves_the_studio_alone(server: Server, backup: str, tmp_path: Path) -> None:
    damage(server.root)
    target = tmp_path / "look"
    order = {"backup": backup, "paths": ["encyclopedia/*.md"], "target": str(target)}
    run = server.json("POST", "/api/v1/restores", json={**order, "confirmation": backup})["run"]
    assert server.wait_for(run)["outcome"] == "good"
    assert (target / "encyclopedia/page.md").read_text() == "# A page\n"
    assert (server.root / "uploads/sub/one.txt").read_text() == "oops\n"
    assert [path.name for path in target.iterdir()] == ["encyclopedia"]


@pytest.mark.parametrize(
    ("verb", "target", "stays"),
    [
        (
            "restore",
            "/elsewhere/a&b",
            "What was restored so far stays in /elsewhere/a&amp;b; the rest is left",
        ),
        ("restore", "ROOT", "stays; the rest is left as it is now. The safety backup lets you go back."),
        ("restore", "", "What a restore in place overwrites is saved first."),
        ("create", "", "What was written so far is thrown away. Earlier backups are not touched."),
        ("cleanup", "", "Backups that were deleted so far stay deleted."),
        ("copy", "", "Copies that are complete stay;"),
    ],
)
def test_who_cancels_a_run_is_told_what_stays_of_it(
    server: Server, verb: str, target: str, stays: str
) -> None:
    """A safety backup is promised only where there is one."""
    with opened(server.studio) as studio:
        number = studio.runs.begin(verb, "first", Origin(), studio.now(), this_process())
        studio.runs.note(number, RunFacts(target=target.replace("ROOT", str(server.root))))
        try:
            with server.client(ADMINISTRATOR) as client:
                shown = client.get(f"/runs/{number}").text
        finally:
            studio.runs.forget(number)
    assert stays in shown
    assert ("The safety backup lets you go back." in shown) == (target == "ROOT")


def test_a_restore_tells_where_it_goes_to(server: Server, backup: str, tmp_path: Path) -> None:
    for words, target in ((["--target", str(tmp_path / "new")], tmp_path / "new"), ([], server.root)):
        server.studio.good("restore", backup, "--yes", *words)
        assert server.json("GET", "/api/v1/runs")["runs"][0]["facts"]["target"] == str(target)


def test_an_undo_refuses_what_was_not_seen(server: Server, backup: str) -> None:
    damage(server.root)
    run = server.json("POST", "/api/v1/restores", json={"backup": backup, "confirmation": backup})["run"]
    assert server.wait_for(run)["outcome"] == "good"
    stale = server.request("POST", "/api/v1/undo", json={"backup": "before_restore_20010101_000000.tar.gz"})
    assert stale.status_code == 409
    plan = server.json("POST", "/api/v1/undo/plan", json={})["plan"]
    assert plan["backup"]["safety"]
    assert plan["in_place"]


def test_a_restore_that_was_killed_half_way_can_be_taken_back(server: Server, backup: str) -> None:
    """It could not record what it had saved; its page offers the undo all the same."""
    damage(server.root)
    run = server.json("POST", "/api/v1/restores", json={"backup": backup, "confirmation": backup})["run"]
    assert server.wait_for(run)["outcome"] == "good"
    with closing(sqlite3.connect(server.root / ".pinnacle/state.db")) as state:
        killed = "UPDATE run SET outcome = 'killed', facts = json_set(facts, '$.safety', '') WHERE id = ?"
        state.execute(killed, (run,))
        state.commit()
    assert "You can take it back" in server.request("GET", f"/runs/{run}").text


def test_from_trouble_to_the_way_back(server: Server, backup: str, browse: Callable[..., Page]) -> None:
    """The whole story: choose, preview, confirm, watch, report, undo."""
    damage(server.root)
    page = browse("/restore")
    page.get_by_role("link", name="Choose").last.click()
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/restore?plan=*")
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    expect(page.get_by_text("encyclopedia/").first).to_be_attached()
    go = page.get_by_role("button", name="Restore in place")
    expect(go).to_be_disabled()
    page.get_by_label("to confirm").fill(backup)
    go.click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text(re.compile("^Done in"))).to_be_visible()
    assert (server.root / "uploads/sub/one.txt").read_text() == "one\n" * 400
    assert (server.root / "uploads/later.txt").exists()

    page.get_by_role("link", name="Undo …").first.click()
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/restore?plan=*")
    page.get_by_role("button", name="Undo the restore").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text(re.compile("^Done in"))).to_be_visible()
    assert (server.root / "uploads/sub/one.txt").read_text() == "oops\n"
    assert not (server.root / "encyclopedia/page.md").exists()


def test_an_undo_is_offered_only_where_there_is_something_to_take_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:

        def page(path: str) -> str:
            with server.client(ADMINISTRATOR) as client:
                return client.get(path).raise_for_status().text

        server.studio.good("create")
        assert 'href="/undo"' not in page("/restore")
        assert "pinnacle-backup undo" not in page("/undo")

        damage(server.root)
        server.studio.good("restore", "latest", "--yes")
        assert 'href="/undo"' in page("/restore")
        assert "pinnacle-backup undo" in page("/undo")


def test_picked_paths_with_any_name_restore_just_those(
    server: Server, browse: Callable[..., Page], tmp_path: Path
) -> None:
    names = ["[star]*.txt", "<img src=x onerror=alert(1)>.txt", "two\nlines.txt"]
    for name in names:
        (server.root / "uploads" / name).write_text(name)
    server.studio.good("create", "--name", "odd")
    query = "&".join(f"path=uploads/{''.join(f'%{byte:02x}' for byte in name.encode())}" for name in names)
    page = browse(f"/restore?backup=odd&{query}", width=390)
    assert page.get_by_label("Selected paths").is_checked()
    page.get_by_label("Elsewhere").check()
    page.get_by_label("Folder", exact=True).fill(str(tmp_path / "picked"))
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/restore?plan=*")
    page.get_by_label("to confirm").fill("odd.tar.gz")
    page.get_by_role("button", name="Restore", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text(re.compile("^Done in"))).to_be_visible()
    assert sorted(path.name for path in (tmp_path / "picked/uploads").iterdir()) == sorted(names)
    for name in names:
        (server.root / "uploads" / name).unlink()


def test_an_encrypted_backup_asks_once(server: Server, browse: Callable[..., Page], tmp_path: Path) -> None:
    server.studio.good("create", "--name", "locked", "--encrypt", "an open secret")
    page = browse("/restore?backup=locked")
    page.get_by_label("Password of the backup").fill("wrong")
    page.get_by_label("Elsewhere").check()
    page.get_by_label("Folder", exact=True).fill(str(tmp_path / "open"))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[data-problem] .callout")).to_contain_text("password")
    page.get_by_label("Password of the backup").fill("an open secret")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/restore?plan=*")
    name = page.locator("code.strong").inner_text()
    page.get_by_label("to confirm").fill(name)
    page.get_by_role("button", name="Restore", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text(re.compile("^Done in"))).to_be_visible()
    assert (tmp_path / "open/uploads/large.bin").stat().st_size == 1_300_000


def test_a_backup_under_another_password_than_the_servers_asks_for_it(
    server: Server, browse: Callable[..., Page], tmp_path: Path
) -> None:
    server.studio.good("create", "--name", "foreign", "--encrypt", "known to one person")
    file = server.root / "config.json"
    before = file.read_text()
    file.write_text(before.replace('"workers"', '"encryption": {"key": "of the server"}, "workers"'))
    try:
        page = browse("/restore?backup=foreign")
        page.get_by_label("Elsewhere").check()
        page.get_by_label("Folder", exact=True).fill(str(tmp_path / "there"))
        page.get_by_label("Password of the backup").fill("known to one person")
        page.get_by_role("button", name="Preview").click()
        page.wait_for_url("**/restore?plan=*")
        expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    finally:
        file.write_text(before)


def test_a_drill_proves_a_backup_and_its_report_can_be_read(
    server: Server, backup: str, browse: Callable[..., Page]
) -> None:
    page = browse(f"/drills?backup={backup}")
    page.get_by_role("button", name="Run a drill …").click()
    page.get_by_role("button", name="Run the drill").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text(re.compile("^Done in"))).to_be_visible()
    page.goto(server.url + "/drills")
    expect(page.get_by_text("Proven restorable").first).to_be_visible()
    page.get_by_role("link", name="Report", exact=True).first.click()
    expect(page.get_by_role("heading", name="Proven restorable")).to_be_visible()
    assert page.locator("main").evaluate("(main) => getComputedStyle(main).borderTopWidth") == "6px"

    [drill, *_] = server.json("GET", "/api/v1/drills", role=VIEWER)["drills"]
    shown = server.json("GET", f"/api/v1/drills/{drill['id']}", role=VIEWER)
    assert shown["genuine"]
    assert shown["own"]
    assert shown["report"]["backup"]["name"] == backup
    assert server.request("GET", "/api/v1/drills/..%2Fkey").status_code == 404
    assert server.request("POST", "/api/v1/drills", role=VIEWER, json={}).status_code == 403


def test_runs_are_filtered_and_shown(server: Server, browse: Callable[..., Page]) -> None:
    page = browse("/runs", role=VIEWER)
    page.get_by_role("link", name="Backup", exact=True).click()
    page.wait_for_url("**/runs?verb=create")
    page.get_by_role("link", name="Full backup").last.click()
    expect(page.get_by_role("heading", name="Full backup")).to_be_visible()
    expect(page.locator(".log li").first).to_be_visible()
    assert page.get_by_role("link", name="Undo …").count() == 0
    assert server.request("GET", "/restore", role=VIEWER).status_code == 403
