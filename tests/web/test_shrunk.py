"""A backup that holds suspiciously little: cleanup waits, and an administrator may say that it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..studios import Studio
from .browser import watched
from .serving import serving

_HTML = {"Accept": "text/html"}


def test_an_administrator_says_on_the_page_that_it_is_right(tmp_path: Path, browser: Any) -> None:
    studio = Studio(tmp_path / "studio")
    for number in range(40):
        (studio.root / f"uploads/{number}.txt").write_text("x" * 1000)
    studio.good("create", "--name", "before")
    for file in (studio.root / "uploads").iterdir():
        if file.is_file():
            file.unlink()
    studio.run("create", "--name", "little")
    with serving(tmp_path, studio=studio) as server:
        for role in ("viewer", "operator"):
            page = server.request("GET", "/backups", role=role, headers=_HTML).text
            assert "little.tar.gz holds suspiciously little" in page
            assert "It is right" not in page
        with watched(browser) as seen:
            server.login(seen.page)
            seen.page.goto(f"{server.url}/checks")
            assert "--despite-shrink" not in seen.page.content()
            seen.page.goto(f"{server.url}/backups")
            seen.page.get_by_role("button", name="It is right").click()
            seen.page.get_by_label("I have looked at it").check()
            with seen.page.expect_navigation(url="**/runs/*"):
                seen.page.get_by_role("button", name="Clean up").click()
            number = int(seen.page.url.rpartition("/")[2])
            assert server.wait_for(number)["outcome"] == "good"
            assert seen.complaints == []
        assert "suspiciously" not in server.request("GET", "/backups", headers=_HTML).text
        assert "acknowledge-shrink" in studio.good("audit")


def test_after_a_full_disk_nobody_reads_that_it_is_not_in_sight(tmp_path: Path) -> None:
    from pinnacle_backup.model.runs import FAILED, Origin
    from pinnacle_backup.state.runs import Ending
    from pinnacle_backup.store.processes import this_process

    from .serving import opened

    with serving(tmp_path) as server:
        server.studio.good("create")
        assert "not in sight" in server.request("GET", "/", headers=_HTML).text
        with opened(server.studio) as found:
            number = found.runs.begin("create", "full", Origin(), found.now(), this_process())
            ending = Ending(
                outcome=FAILED,
                exit_code=2,
                code="store-full",
                ended=found.iso_now(),
                seconds=1.0,
                message="x",
            )
            found.runs.end(number, ending)
        assert "not in sight" not in server.request("GET", "/", headers=_HTML).text
