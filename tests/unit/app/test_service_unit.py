"""The text of the unit, as systemd itself reads it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.app.service_unit import (
    Unit,
    checked_name,
    names_for,
    serve_options_of,
    studio_of,
    text_of,
)
from pinnacle_backup.errors import UsageError

FOLDERS = [
    "studio",
    "my studio",
    "a%b %n $HOME",
    'o\'brien "x"',
    "back\\slash",
    "ends with \\",
    "ends with ",
    "日本 é",
    "# x; [Unit]",
]


def unit(root: str, program: str, *, user: bool = False, serve: tuple[str, ...] | None = None) -> Unit:
    words = ("schedule", "--start-scheduler") if serve is None else ("serve", *serve)
    command = (program, "-P", "-m", "pinnacle_backup", "--root", root, *words)
    return Unit(name="pinnacle-backup-test", root=root, command=command, serve=serve, user=user)


def verified(written: Unit, folder: Path) -> str:
    """Have systemd check the unit, and return all that it understood."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    file = folder / written.file_name
    file.write_text(text_of(written))
    whose = ["--user"] if written.user else []
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *whose, str(file)],
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "debug", "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ours = [line for line in done.stderr.splitlines() if line.startswith(written.file_name)]
    complaints = [line for line in ours if re.search("unknown|invalid|ignor|failed", line, re.IGNORECASE)]
    assert complaints == []
    return done.stdout + done.stderr


@pytest.mark.parametrize("user", [False, True], ids=["machine", "user"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_systemd_understands_every_path(tmp_path: Path, folder: str, user: bool) -> None:
    """Blanks, quotes, specifiers, variables and comments in a path are part of it."""
    root = tmp_path / folder
    (root / "bin").mkdir(parents=True)
    program = root / "bin/python"
    program.symlink_to(sys.executable)

    understood = verified(unit(str(root), str(program), user=user), tmp_path)

    assert f"WorkingDirectory: {root}\n" in understood
    command = re.search(r"Command Line: (.*)", understood)
    assert command is not None
    words = [word.replace("$$", "$") for word in shlex.split(command[1].replace("\\$", "$"))]
    assert [word for word in words if str(tmp_path) in word] == [str(program), str(root)]


@pytest.mark.parametrize("user", [False, True], ids=["machine", "user"])
def test_systemd_understands_the_server_and_its_options(tmp_path: Path, user: bool) -> None:
    options = (
        "--host",
        "::",
        "--tls-certificate",
        "/etc/my certs/100%/$a.pem",
        "--allow-host",
        "b.example.org",
    )
    written = unit(str(tmp_path), sys.executable, user=user, serve=options)

    understood = verified(written, tmp_path)

    command = re.search(r"Command Line: (.*)", understood)
    assert command is not None
    words = [word.replace("$$", "$") for word in shlex.split(command[1].replace("\\$", "$"))]
    assert words[-len(options) :] == list(options)
    assert serve_options_of(text_of(written)) == options
    assert serve_options_of(text_of(unit(str(tmp_path), sys.executable))) is None


def test_what_people_have_started_outlives_the_server() -> None:
    """Unlike the scheduler, whose runs are all its own."""
    text = text_of(unit("/srv/studio", "/usr/bin/python3", serve=()))
    assert {"Type=notify", "Restart=on-failure", "KillMode=process", "WatchdogSec=5min"} <= set(
        text.splitlines()
    )
    assert "Backups and pages of /srv/studio" in text


def test_a_unit_names_its_studio_whatever_is_in_its_path() -> None:
    for folder in (*FOLDERS, "line\\nbreak"):
        assert studio_of(text_of(unit(f"/srv/{folder}", "/usr/bin/python3"))) == f"/srv/{folder}"
    assert studio_of("[Unit]\nDescription=another one\n") is None
    assert studio_of("# studio: 7\n") is None


@pytest.mark.parametrize("folder", ["line\nbreak", "bell\x07", "not \udcff UTF-8"])
def test_what_systemd_cannot_say_is_refused(folder: str) -> None:
    with pytest.raises(UsageError, match="systemd cannot use a path"):
        text_of(unit(f"/srv/{folder}", "/usr/bin/python3"))


def test_studios_of_one_name_have_services_of_their_own() -> None:
    assert names_for("/srv/Ultra_Pinnacle Studio/")[0] == "pinnacle-backup-ultra_pinnacle-studio"
    assert names_for("/")[0] == names_for("/日本")[0] == "pinnacle-backup-studio"
    assert names_for("/a/studio")[0] == names_for("/b/studio")[0]
    assert names_for("/a/studio")[1] != names_for("/b/studio")[1]
    for name in (*names_for("/srv/" + "x" * 250), *names_for("/srv/\udcff")):
        assert checked_name(name) == name


def test_a_name_may_have_its_ending() -> None:
    assert checked_name("nightly.service") == "nightly"


@pytest.mark.parametrize("name", ["", "../x", "a b", "a@b", "é", "-x", "x\n", "x" * 300])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        checked_name(name)


def test_every_setting_has_its_reason() -> None:
    """A comment stands above each group of settings, so that who reads the unit need not guess."""
    for serve in (None, ()):
        text = text_of(unit("/srv/studio", "/usr/bin/python3", serve=serve))
        service = text.partition("[Service]")[2].partition("[Install]")[0]
        for group in service.strip().split("\n\n"):
            assert group.startswith("#"), group


def test_stopping_is_not_failing_and_a_running_backup_is_stopped_in_order() -> None:
    text = text_of(unit("/srv/studio", "/usr/bin/python3"))
    assert {"Type=notify", "Restart=on-failure", "SuccessExitStatus=130", "KillMode=mixed"} <= set(
        text.splitlines()
    )
