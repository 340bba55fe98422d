"""What systemd hears, through a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinnacle_backup.app.systemd import ALIVE, READY, STOPPING, notify, status, watchdog_seconds


@pytest.fixture(params=["file", "abstract"])
def listener(request, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and how the environment names it."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@pinnacle test {os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name.replace("@", "\0", 1) if name[0] == "@" else name)
        heard.settimeout(10)
        yield heard, name


def test_what_is_told_arrives(listener: tuple[socket.socket, str]) -> None:
    """Several assignments are one message: either all of them hold, or none."""
    heard, name = listener

    assert notify({"NOTIFY_SOCKET": name}, READY, status("next run at 02:00"))
    assert notify({"NOTIFY_SOCKET": name}, ALIVE)
    assert notify({"NOTIFY_SOCKET": name}, STOPPING)

    assert heard.recv(1000) == b"READY=1\nSTATUS=next run at 02:00"
    assert heard.recv(1000) == b"WATCHDOG=1"
    assert heard.recv(1000) == b"STOPPING=1"


def test_a_status_forges_no_second_assignment() -> None:
    assert status("a\nREADY=1\x1b[2J") == "STATUS=a\\nREADY=1\\x1b[2J"
    assert len(status("x" * 9999)) < 300
    assert status("odd \udcff").isprintable()


@pytest.mark.parametrize(
    "name", [None, "", "relative", "vsock:2:1234", "/nowhere/at/all", "@nobody", "/" + "x" * 200]
)
def test_where_nobody_listens_nothing_goes_wrong(name: str | None) -> None:
    assert not notify({} if name is None else {"NOTIFY_SOCKET": name}, READY)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "300000000"}, 300.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "³"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_it_names(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environ) == seconds
