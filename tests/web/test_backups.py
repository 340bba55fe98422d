"""Backups in pages and API: making, looking into, comparing, downloading and deleting them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..studios import Studio
from .browser import Watched, watched
from .serving import Server, serving

PASSWORD = "brass otter lantern"
NASTY = "<img src=x onerror=alert(1)>.txt"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f0005000201a5d3b5a40000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("backups")
    studio = Studio(folder / "studio")
    uploads = studio.root / "uploads"
    (uploads / NASTY).write_text("<script>alert(1)</script>\n")
    (uploads / "dot.png").write_bytes(PNG)
    (uploads / "fake.png").write_text("<svg onload=alert(1)>")
    with open(os.fsencode(uploads) + b"/\xff\xfe.bin", "wb") as file:
        file.write(b"any name")
    with open(uploads / "sparse.bin", "wb") as file:
        file.seek(300_000)
        file.write(b"end")
        file.truncate(500_000)
    studio.good("create", "--name", "first")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "second")
    studio.good("create", "--name", "locked", "--encrypt", PASSWORD)
    studio.good("create", "--name", "last", "--no-encrypt")
    with serving(folder, studio=studio) as running:
        yield running


def api(server: Server, path: str, method: str = "GET", **options: Any) -> Any:
    return server.json(method, f"/api/v1{path}", **options)


def test_the_list_tells_what_list_tells(server: Server) -> None:
    found = api(server, "/backups")
    assert {each["name"] for each in found["backups"]} == set(server.studio.listed())
    assert found["problems"] == []
    shown = api(server, "/backups/second")
    assert shown["needs"] == ["first.tar.gz"]
    assert shown["summary"]["databases"] == ["app.db"]
    assert api(server, "/backups/locked")["summary"] is None
    assert server.request("GET", "/api/v1/backups/nowhere").status_code == 404


def test_creating_verifying_pinning_and_deleting(server: Server) -> None:
    wanted = {"type": "full", "name": "made-here", "password": PASSWORD}
    started = server.request("POST", "/api/v1/backups", json=wanted, role="operator")
    assert started.status_code == 202
    assert server.wait_for(started.json()["run"])["outcome"] == "good"
    name = "made-here.tar.gz.enc"
    wrong = api(server, f"/backups/{name}/verify", "POST", json={"password": "wrong"})
    assert server.wait_for(wrong["run"])["outcome"] == "failed"
    right = api(server, f"/backups/{name}/verify", "POST", json={"password": PASSWORD})
    assert server.wait_for(right["run"])["outcome"] == "good"
    assert api(server, f"/backups/{name}")["backup"]["verified"]

    address = f"/api/v1/backups/{name}"
    assert api(server, f"/backups/{name}/pin", "PUT", role="operator")["pinned"]
    assert server.request("DELETE", f"{address}/pin", role="operator").status_code == 403
    confirmed = {"confirm": name}
    assert server.request("DELETE", address, json=confirmed).json()["code"] == "usage"  # pinned
    assert not api(server, f"/backups/{name}/pin", "DELETE")["pinned"]
    assert server.request("DELETE", address, json=confirmed, role="operator").status_code == 403
    assert server.request("DELETE", address, json={"confirm": "made"}).status_code == 422
    assert "newest" in server.request("DELETE", address, json=confirmed).json()["detail"]
    api(server, "/backups/last/verify", "POST", json={})
    assert server.wait_for(api(server, "/runs")["runs"][0]["id"])["outcome"] == "good"
    newer = api(server, "/backups", "POST", json={"name": "newer", "encrypt": False})
    assert server.wait_for(newer["run"])["outcome"] == "good"
    again = api(server, "/backups/newer/verify", "POST", json={})
    assert server.wait_for(again["run"])["outcome"] == "good"
    assert api(server, f"/backups/{name}", "DELETE", json=confirmed)["name"] == name
    assert name not in server.studio.archives()
    needed = server.request("DELETE", "/api/v1/backups/first", json={"confirm": "first.tar.gz"})
    assert "needed by" in needed.json()["detail"]


def test_a_wrong_name_is_told_at_its_field(server: Server) -> None:
    answer = server.request("POST", "/api/v1/backups", json={"name": "../evil"})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "name"
    assert error["message"].startswith("'../evil' cannot be")


def test_a_folder_comes_in_pages_with_any_names(server: Server) -> None:
    seen, address = [], "/api/v1/backups/first/entries?path=uploads&limit=2"
    while address:
        page = server.json("GET", address)
        assert len(page["entries"]) <= 2
        seen += [entry["path"] for entry in page["entries"]]
        address = page["next"]
    whole = server.studio.good("ls", "first", "uploads", "--names").splitlines()
    assert seen == whole
    assert len(seen) > 5


def test_content_is_what_was_backed_up(server: Server) -> None:
    def get(path: str) -> Any:
        return server.request("GET", f"/api/v1/backups/last/content?path={path}")

    large = get("uploads/large.bin")
    assert large.content == (server.root / "uploads/large.bin").read_bytes()
    assert large.headers["content-disposition"].startswith("attachment;")
    assert get("uploads/sparse.bin").content == (server.root / "uploads/sparse.bin").read_bytes()
    assert get("uploads/%FF%FE.bin").content == b"any name"
    nasty = get("uploads/%3Cimg%20src=x%20onerror=alert(1)%3E.txt")
    assert nasty.headers["content-type"] == "application/octet-stream"
    assert "filename*=UTF-8''%3Cimg" in nasty.headers["content-disposition"]
    assert get("../../etc/passwd").status_code == 404
    assert get("uploads/link").status_code == 422
    assert (
        server.request("GET", "/api/v1/backups/last/content?path=app.db", role="operator").status_code == 403
    )


def test_a_folder_is_a_tar_that_tar_opens(server: Server) -> None:
    answer = server.request("GET", "/api/v1/backups/last/content?path=uploads")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = tar.getnames()
        assert "uploads/sub/one.txt" in names
        assert "uploads/link" in names
        sparse = tar.extractfile("uploads/sparse.bin")
        assert sparse is not None
        assert sparse.read() == (server.root / "uploads/sparse.bin").read_bytes()


def test_images_are_told_by_their_bytes(server: Server) -> None:
    image = server.request("GET", "/api/v1/backups/last/image?path=uploads/dot.png")
    assert image.headers["content-type"] == "image/png"
    assert image.content == PNG
    assert image.headers["x-content-type-options"] == "nosniff"
    assert server.request("GET", "/api/v1/backups/last/image?path=uploads/fake.png").status_code == 422


def test_an_encrypted_backup_is_unlocked_for_one_login_alone(server: Server) -> None:
    address = "/api/v1/backups/locked/entries"
    with server.client("administrator") as one, server.client("administrator") as other:
        assert one.get(address).json()["code"] == "wrong-password"
        wrong = one.post("/api/v1/backups/locked/unlock", json={"password": "no"})
        assert wrong.status_code == 422
        assert "--" not in wrong.json()["hint"]  # no options of the command line for people in a browser
        assert one.post("/api/v1/backups/locked/unlock", json={"password": PASSWORD}).status_code == 200
        assert one.get(address).status_code == 200
        assert one.get("/api/v1/backups/locked").json()["summary"]["databases"] == ["app.db"]
        assert other.get(address).status_code == 422
    assert PASSWORD.encode() not in b"".join(
        path.read_bytes() for path in server.root.glob(".pinnacle/*") if path.is_file()
    )


def test_a_flood_of_unlocks_is_not_waited_for(server: Server) -> None:
    """Each of those who wait takes a thread, and who logs in needs one, too: a few wait, the others come again."""
    wrong = {"json": {"password": "no"}}
    with ThreadPoolExecutor(30) as pool:
        asked = [
            pool.submit(server.request, "POST", "/api/v1/backups/locked/unlock", **wrong) for _ in range(30)
        ]
        with server.client("administrator") as client:
            assert client.get("/api/v1/session").json()["role"] == "administrator"
    answers = [each.result() for each in asked]
    refused = [each for each in answers if each.status_code == 429]
    assert {each.status_code for each in answers} == {422, 429}
    assert refused
    assert {each.headers["retry-after"] for each in refused} == {"10"}
    assert {each.json()["title"] for each in refused} == {"Too many attempts"}
    assert server.request("POST", "/api/v1/backups/locked/unlock", **wrong).status_code == 422


def test_downloads(server: Server) -> None:
    raw = server.request("GET", "/api/v1/backups/locked/download").content
    assert hashlib.sha256(raw).hexdigest() == server.studio.archives()["locked.tar.gz.enc"]
    plain = server.request("GET", "/api/v1/backups/second/download?form=plain")
    assert 'filename="second.tar.gz"' in plain.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(plain.content)) as tar:
        assert "uploads/large.bin" in tar.getnames()
    with server.client("administrator") as one, server.client("administrator") as other:
        wrong = one.post("/api/v1/backups/locked/downloads", json={"password": "no"})
        assert wrong.json()["code"] == "wrong-password"
        href = one.post("/api/v1/backups/locked/downloads", json={"password": PASSWORD}).json()["href"]
        assert other.get(href).status_code == 404  # a ticket is for who asked for it, and gone after that
        href = one.post("/api/v1/backups/locked/downloads", json={"password": PASSWORD}).json()["href"]
        content = one.get(href).content
        assert gzip.decompress(content)
        assert one.get(href).status_code == 404


def test_versions_search_and_differences(server: Server) -> None:
    versions = api(server, "/versions?path=uploads/sub/one.txt")["versions"]
    assert len(versions) == 2
    assert versions[1]["backups"][0]["name"] == "first.tar.gz"
    found = api(server, "/search?q=ONE.t")["versions"] + api(server, "/search?q=one.t")["versions"]
    assert {each["entry"]["path"] for each in found} == {"uploads/sub/one.txt"}
    differing = api(server, "/diff?from=first&to=second")
    assert differing["counts"]["removed"] == 1
    folders = {each["path"]: each for each in differing["folders"]}
    assert folders["encyclopedia"]["bytes"] < 0
    assert folders["uploads/sub"]["changed"] == 1
    assert api(server, "/diff?from=last")["second"] is None


def test_names_are_no_markup_and_pages_are_for_those_who_may(server: Server) -> None:
    for role, status in (("viewer", 200), (None, 401)):
        for page in ("", "/last", "/last/browse?path=uploads", "/last/browse?path=uploads/fake.png"):
            assert server.request("GET", f"/backups{page}", role=role).status_code == status
    page = server.request("GET", "/backups/last/browse?path=uploads", role="viewer").text
    assert "<img src=x" not in page
    assert "Download" not in page
    assert "Restore" not in page.partition("<main")[2]
    seen = server.request("GET", "/backups/last/browse?path=uploads/fake.png", role="viewer").text
    assert "onload" not in seen
    assert "administrators only" in seen


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Callable[[str], Watched]]:
    """Open a page as the administrator; whatever it complains of fails the test at its end."""
    with watched(browser, viewport={"width": 1200, "height": 900}) as seen:
        server.login(seen.page)

        def go(path: str) -> Watched:
            seen.page.goto(server.url + path)
            return seen

        yield go
        assert seen.complaints == []


def test_a_person_creates_a_backup_as_the_guide_says(visit: Callable[[str], Watched], server: Server) -> None:
    seen = visit("/backups")
    page = seen.page
    page.click("[data-open=create]")
    page.check("input[value=incremental]")
    page.fill("#f-create-name", "no/such name")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector("#f-create-name[aria-invalid=true]")
    seen.complaints.clear()  # browsers write answers of 422 down
    page.fill("#f-create-name", "by-hand")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_url("**/runs/*")
    run = server.wait_for(int(page.url.rpartition("/")[2]))
    assert run["outcome"] == "good"
    assert run["facts"]["type"] == "incremental"
    page.goto(f"{server.url}/backups?q=by-hand")
    assert page.locator("#backups tbody tr").count() == 1
    page.click("#backups details.menu summary")
    page.click(".menu-list >> text=Pin")
    page.wait_for_selector("#backups .badge:has-text('pinned')")
    page.click("#backups details.menu summary")
    page.click(".menu-list >> text=Unpin")
    page.wait_for_selector("#backups .badge:has-text('pinned')", state="detached")
    page.click("#backups details.menu summary")
    page.click(".menu-list >> text=Delete")
    assert page.locator("dialog[open] [type=submit]").is_disabled()
    page.locator("dialog[open] input[name=confirm]").fill("by-hand.tar.gz")
    page.click("dialog[open] [type=submit]")
    page.wait_for_selector("text=Nothing matches")
    assert "by-hand.tar.gz" not in server.studio.archives()


def test_what_was_typed_stays_when_the_login_has_ended(
    visit: Callable[[str], Watched], server: Server
) -> None:
    seen = visit("/backups")
    page = seen.page
    page.click("[data-open=create]")
    page.fill("#f-create-name", "no matter what")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.click("dialog[open] button[type=submit]")
    again = page.get_by_role("link", name="Log in again")
    assert again.get_attribute("href") == "/login"
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector("#f-create-name[aria-invalid=true]")
    seen.complaints.clear()  # browsers write answers of 401 and 422 down


def test_a_person_unlocks_looks_and_downloads(visit: Callable[[str], Watched], server: Server) -> None:
    page = visit("/backups/locked/browse").page
    page.fill("input[name=password]", PASSWORD)
    page.click("main form [type=submit]")
    page.click("#files >> text=uploads")
    assert page.locator("#files tbody tr").count() > 5
    page.click(f"#files >> text={NASTY}")
    assert page.locator(".preview code").inner_text().startswith("<script>")
    with page.expect_download() as download:
        page.click("main >> text=Download")
    assert download.value.suggested_filename.endswith(".txt")
    page.goto(f"{server.url}/backups/last/browse?path=uploads/dot.png")
    assert page.evaluate("document.querySelector('.preview img').decode().then(() => true)")
    page.goto(f"{server.url}/backups/locked")
    page.click(".page-head details.menu summary")
    page.click("text=Download decrypted")
    with page.expect_download() as download:
        page.click("dialog[open] [type=submit]")
    assert download.value.suggested_filename == "locked.tar.gz"
    assert gzip.decompress(Path(download.value.path()).read_bytes())


def test_a_person_searches_and_compares(visit: Callable[[str], Watched], server: Server) -> None:
    page = visit("/search").page
    page.fill("main input[name=q]", "one.t")
    page.keyboard.press("Enter")
    page.wait_for_selector("#versions")
    assert page.locator("#versions tbody tr").count() == 2
    page.goto(f"{server.url}/diff?from=first.tar.gz&to=second.tar.gz")
    assert page.locator(".diff li").count() >= 4
    assert page.locator("text=encyclopedia/").count()


def test_every_download_is_in_the_audit_trail(server: Server) -> None:
    api(server, "/backups/last/entries")
    server.request("GET", "/api/v1/backups/last/content?path=uploads/dot.png")
    assert "uploads/dot.png" in server.studio.good("audit")
