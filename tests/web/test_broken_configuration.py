"""A configuration that becomes wrong while the server runs: the last good one stays in force."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..studios import Studio
from .serving import Server, free_port, serving

_HTML = {"Accept": "text/html"}
_BANNER = "The configuration is broken"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("broken")) as running:
        (running.root / "config.json").write_text('{"backup": {"retention_days": 77}}')
        yield running


@pytest.mark.parametrize("broken", ['{"backup": {"retention_days": "c4nary"}}', "{ broken", None])
def test_everything_goes_on_and_administrators_are_told(server: Server, broken: str | None) -> None:
    file = server.root / "config.json"
    good = file.read_text()
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    try:
        for path in ("/", "/backups", "/runs", "/schedule", "/checks", "/settings", "/settings/cloud"):
            page = server.request("GET", path, headers=_HTML)
            assert page.status_code == 200, path
            assert _BANNER in page.text
            assert "config.json" in page.text
            assert "pinnacle-backup config check" in page.text
        assert server.json("GET", "/api/v1/runs") is not None
        _nothing_is_told(server, "viewer")
        _nothing_is_told(server, None)
    finally:
        file.write_text(good)
    assert _BANNER not in server.request("GET", "/", headers=_HTML).text


def _nothing_is_told(server: Server, role: str | None) -> None:
    for path in ("/health", "/" if role else "/login"):
        answer = server.request("GET", path, role=role, headers=_HTML)
        assert answer.status_code in (200, 503), path
        assert _BANNER not in answer.text
        assert "c4nary" not in answer.text
    if role is None:
        assert server.request("GET", "/health", role=None).json().keys() == {"status"}


def test_what_is_right_again_takes_effect_at_once(server: Server) -> None:
    file = server.root / "config.json"
    good = file.read_text()
    file.write_text("{ broken")
    assert server.request("GET", "/backups", headers=_HTML).status_code == 200
    file.write_text('{"backup": {"retention_days": 12}}')
    settings = server.json("GET", "/api/v1/settings")["settings"]
    assert next(each["value"] for each in settings if each["path"] == "backup.retention_days") == 12
    assert _BANNER not in server.request("GET", "/", headers=_HTML).text
    file.write_text(good)


def test_a_server_that_starts_with_a_wrong_one_says_so_and_ends(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    (studio.root / "config.json").write_text("{ broken")
    ended = subprocess.run(
        studio.command("serve", "--port", str(free_port())),
        cwd=studio.root,
        env=studio.env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "config.json" in ended.stderr
