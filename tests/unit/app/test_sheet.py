"""The recovery sheet holds all that a recovery takes, and no secret; it fits one page of paper."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pinnacle_backup.app.recovery.sheet import recovery_sheet
from pinnacle_backup.app.recovery.sheet_page import sheet_page
from pinnacle_backup.app.recovery.sheet_words import ALONE, sheet_text

from ...web.browser import CHROMIUM
from .command import Command

SECRETS = ("a-secret-key-of-a-bucket", "AKIANOBODYSHOULDSEE", "correct horse battery")
CLOUD = {
    "enabled": True,
    "provider": "s3",
    "bucket": "ultra-pinnacle-backups",
    "prefix": "studio/backups",
    "access_key": SECRETS[1],
    "secret_key": SECRETS[0],
    "region": "eu-central-1",
    "endpoint_url": "https://fra1.digitaloceanspaces.com",
}
PLACES = [
    {"name": "second", "provider": "s3", "bucket": "another-region", "region": "ap-southeast-2"},
    {"name": "third", "provider": "s3", "bucket": "elsewhere", "prefix": "studio"},
    {"name": "disk", "provider": "local", "path": "/mnt/usb/studio"},
]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "studio")


def configure(command: Command, cloud: dict[str, object] | None = None, **backup: object) -> None:
    sections = {"backup": {"paths": ["uploads"], "workers": 1, **backup}, "cloud_storage": cloud or {}}
    (command.root / "config.json").write_text(json.dumps(sections))


def everything(command: Command) -> None:
    """Make a sheet as full as they come: five places, a password with two slots, a key of drills."""
    configure(command)
    assert command("create", "--encrypt", SECRETS[2]).returncode == 0
    (command.root / "new").write_text("another password")
    added = command("key", "add", "--label", "the safe", "--new-file", "new", password=SECRETS[2])
    assert added.returncode == 0, added
    assert command("drill", password=SECRETS[2]).returncode == 0
    configure(command, CLOUD, destinations=PLACES, encryption={"enabled": True, "key": SECRETS[2]})


def test_it_says_where_what_and_how_and_no_secret(command: Command) -> None:
    everything(command)
    sheet = recovery_sheet(command.studio())
    assert sheet.address == (
        "s3://ultra-pinnacle-backups/studio/backups?endpoint=https://fra1.digitaloceanspaces.com&region=eu-central-1"
    )
    assert [place.name for place in sheet.places] == ["cloud", "second", "third", "disk", "this machine"]
    for text in (sheet_page(sheet), sheet_text(sheet)):
        assert not any(secret in text for secret in SECRETS)
        plain = text.replace("&amp;", "&").replace("&#x27;", "'")
        assert all(place.address in plain for place in sheet.places)
        for words in ("the safe", "signed by key", "recover.py", "--dry-run", "pip install"):
            assert words in plain
        assert "recover \\\n" in plain
    repository = command.studio().repository.repository_id()
    assert repository in re.sub(r"\s", "", sheet_text(sheet))


def test_the_page_is_one_file_without_scripts(command: Command) -> None:
    everything(command)
    page = sheet_page(recovery_sheet(command.studio()))
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert "default-src 'none'" in page
    assert "<svg" in page


def test_the_fullest_sheet_fits_one_page(command: Command, tmp_path: Path) -> None:
    everything(command)
    ended = command("key", "sheet", "--output", "sheet.html")
    assert ended.returncode == 0, ended
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    pdf = tmp_path / "sheet.pdf"
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}")
    subprocess.run(
        [CHROMIUM, *options, f"--print-to-pdf={pdf}", str(command.root / "sheet.html")],
        check=True,
        capture_output=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == 1


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    command = Command(tmp_path / "<img src=x onerror=alert(1)>")
    page = sheet_page(recovery_sheet(command.studio()))
    assert "<img" not in page


def test_a_sheet_that_would_not_help_says_so(command: Command) -> None:
    configure(command)
    ended = command("key", "sheet")
    assert ended.returncode == 1
    assert ALONE in ended.stderr
    assert "not encrypted" in ended.stdout


def test_the_text_is_for_any_printer(command: Command) -> None:
    everything(command)
    ended = command("key", "sheet", "--output", "sheet.txt")
    assert ended.returncode == 0, ended
    lines = (command.root / "sheet.txt").read_text().splitlines()
    long = [line for line in lines if len(line) > 80]
    assert all("/" in line for line in long), "only addresses and paths are longer: they are copied exactly"


def test_a_sheet_needs_no_key_of_a_bucket(command: Command) -> None:
    """Whoever prints it may lack the variable or the file that the keys come from."""
    configure(command, {**CLOUD, "secret_key": {"$file": "/nowhere/key"}}, destinations=PLACES)
    sheet = recovery_sheet(command.studio())
    assert [place.name for place in sheet.places] == ["cloud", "second", "third", "disk", "this machine"]
    assert [bool(place.credentials) for place in sheet.places] == [True, True, True, False, False]
