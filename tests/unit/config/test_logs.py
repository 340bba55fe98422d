"""Which event goes into which log, and what it looks like there."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.config.logs import open_logs
from pinnacle_backup.config.schema import Backup, Configuration, Encryption, Logging
from pinnacle_backup.config.secrets import Secret

CANARY = "c4nary-of-the-m1ne"


def content(root: Path, name: str) -> list[str]:
    """Return what the log says, without times."""
    path = root / "logs" / name
    return [line[25:] for line in path.read_text().splitlines()] if path.exists() else []


def test_events_go_where_the_guide_says(tmp_path: Path):
    with open_logs(Configuration(), str(tmp_path)) as logs:
        logs.main.info("by hand")
        logs.auto.info("by itself")
        logs.main.warning("odd")
        logs.auto.error("broken")
        logs.main.debug("detail")

    assert content(tmp_path, "ultra_pinnacle.log") == [
        "INFO by hand",
        "INFO by itself",
        "WARNING odd",
        "ERROR broken",
    ]
    assert content(tmp_path, "auto_backup.log") == ["INFO by itself", "ERROR broken"]
    assert content(tmp_path, "backup_errors.log") == ["WARNING odd", "ERROR broken"]


def test_a_line_begins_with_local_time_and_its_offset(tmp_path: Path):
    script = (
        "import os, sys, time\n"
        "from pinnacle_backup.config.logs import open_logs\n"
        "from pinnacle_backup.config.schema import Configuration\n"
        "os.environ['TZ'] = 'Europe/Berlin'; time.tzset()\n"
        "logs = open_logs(Configuration(), sys.argv[1])\n"
        "record = logs.main.makeRecord('x', 20, '', 0, 'create %s: 1,203 files', ('b.tar.gz',), None)\n"
        "record.created = 1795179802\n"
        "logs.main.handle(record)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={"PYTHONPATH": ":".join(sys.path)}, check=True
    )

    assert (tmp_path / "logs/ultra_pinnacle.log").read_text() == (
        "2026-11-20T14:03:22+0100 INFO create b.tar.gz: 1,203 files\n"
    )


@pytest.mark.parametrize(("level", "written"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_the_level_is_the_configurations(tmp_path: Path, level: str, written: int):
    with open_logs(_with(level=level), str(tmp_path)) as logs:
        for name in ("debug", "info", "warning", "error"):
            getattr(logs.auto, name)("x")

    assert len(content(tmp_path, "ultra_pinnacle.log")) == written
    assert len(content(tmp_path, "auto_backup.log")) == written


def test_json_for_programs(tmp_path: Path):
    with open_logs(_with(format="json"), str(tmp_path)) as logs:
        logs.auto.warning("two\nlines of %s", "\udcff\x7f", extra={"run": 7, "verb": "create", "job": None})

    event = json.loads((tmp_path / "logs/ultra_pinnacle.log").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", event.pop("time"))
    assert event == {
        "level": "WARNING",
        "logger": "pinnacle_backup.auto",
        "pid": os.getpid(),
        "run": 7,
        "verb": "create",
        "message": "two\nlines of \udcff\x7f",
    }
    assert (tmp_path / "logs/ultra_pinnacle.log").read_bytes().count(b"\n") == 1


def test_no_message_forges_a_line(tmp_path: Path):
    with open_logs(Configuration(), str(tmp_path)) as logs:
        logs.main.info("file %s", "a\n2026-11-20T14:03:22+0100 INFO restore done\x1b[2J")

    assert content(tmp_path, "ultra_pinnacle.log") == [
        "INFO file a\\n2026-11-20T14:03:22+0100 INFO restore done\\x1b[2J"
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written(tmp_path: Path, form: str):
    configuration = msgspec.structs.replace(
        _with(format=form), backup=Backup(encryption=Encryption(key=Secret(CANARY)))
    )
    with open_logs(configuration, str(tmp_path), secrets=["of-the-command\nline"]) as logs:
        logs.main.info("the key is %s", CANARY)
        logs.main.info("run --encrypt hunter2 and %r", "of-the-command\nline")
        try:
            raise ValueError(CANARY)  # noqa: TRY301
        except ValueError:
            logs.auto.exception("failed")

    for path in (tmp_path / "logs").iterdir():
        text = path.read_text()
        assert CANARY not in text
        assert "hunter2" not in text
        assert "of-the-command" not in text
    main = (tmp_path / "logs/ultra_pinnacle.log").read_text()
    assert main.count("\n") == 3
    assert "Traceback" in main
    assert "ValueError: ********" in main


def test_a_log_that_cannot_be_written_gives_one_warning_and_no_error(tmp_path: Path):
    (tmp_path / "logs").write_text("in the way")
    warnings: list[str] = []

    with open_logs(Configuration(), str(tmp_path), warn=warnings.append) as logs:
        for _ in range(3):
            logs.auto.error("x")

    assert warnings == [f"the log {tmp_path}/logs/auto_backup.log cannot be written: File exists"]


@pytest.mark.parametrize("stderr", ["open", "closed", "none"])
def test_the_warning_goes_to_standard_error_if_there_is_one(tmp_path: Path, monkeypatch, stderr: str):
    (tmp_path / "logs").write_text("in the way")
    stream = io.StringIO()
    if stderr == "closed":
        stream.close()
    monkeypatch.setattr(sys, "stderr", None if stderr == "none" else stream)

    with open_logs(Configuration(), str(tmp_path)) as logs:
        logs.main.info("x")
        logs.main.info("y")

    if stderr == "open":
        assert stream.getvalue() == (
            f"warning: the log {tmp_path}/logs/ultra_pinnacle.log cannot be written: File exists\n"
        )


def test_the_folder_may_be_absolute(tmp_path: Path):
    with open_logs(_with(directory=str(tmp_path / "elsewhere")), "/nowhere") as logs:
        logs.main.info("x")

    assert (tmp_path / "elsewhere/ultra_pinnacle.log").exists()


def test_nothing_is_global(tmp_path: Path):
    """Two studios in one process do not hear of each other, nor does the root logger of either."""
    before = dict(logging.Logger.manager.loggerDict)
    with (
        open_logs(Configuration(), str(tmp_path / "a")) as a,
        open_logs(Configuration(), str(tmp_path / "b")) as b,
    ):
        a.main.info("of a")
        b.auto.info("of b")

    assert content(tmp_path / "a", "ultra_pinnacle.log") == ["INFO of a"]
    assert content(tmp_path / "b", "ultra_pinnacle.log") == ["INFO of b"]
    assert dict(logging.Logger.manager.loggerDict) == before
    assert a.main.parent is None


def test_after_close_events_are_lost_without_an_error(tmp_path: Path, capsys):
    logs = open_logs(Configuration(), str(tmp_path))
    logs.main.info("before")
    logs.close()
    logs.main.error("after")
    logs.auto.error("after")
    logs.close()

    assert content(tmp_path, "ultra_pinnacle.log") == ["INFO before"]
    assert capsys.readouterr().err == ""


def _with(**settings: str) -> Configuration:
    return Configuration(logging=Logging(**settings))
