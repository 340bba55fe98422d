"""A run is followed to its end, also through a restart of its server, and Ctrl-C."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import DamagedError, Interrupted, PasswordError, PinnacleError, ServerError
from pinnacle_backup.model.results import VerifyReport
from pinnacle_backup.model.runs import RunLine
from pinnacle_backup.remote.address import parse_address
from pinnacle_backup.remote.client import Client
from pinnacle_backup.remote.connection import Connector
from pinnacle_backup.remote.following import Following

from .hostile import Handler, Hostile, http, saying

REPORT = {"name": "b", "entries": 1, "size": 2, "databases": 0, "archives": ["b"], "seconds": 0.1}


class Seen:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.nbytes = 0
        self.lines: list[str] = []
        self.notices: list[str] = []

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        self.phases.append(name)

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        self.nbytes += nbytes

    def line(self, run: int, line: RunLine) -> None:
        self.lines.append(f"{run}: {line.text}")

    def notice(self, text: str) -> None:
        self.notices.append(text)


def looked(
    outcome: str = "running", progress: dict[str, Any] | None = None, log: str = "", **run: Any
) -> bytes:
    lines = [{"number": 1, "time": "", "level": "info", "text": log}] if log else []
    return json.dumps(
        {"run": {"id": 7, "verb": "verify", "outcome": outcome, **run}, "log": lines, "progress": progress}
    ).encode()


def in_turn(*answers: bytes, result: object = None) -> Handler:
    """Answer each look with the next one, then always with the last; nothing at all for an empty one."""
    waiting = list(answers)

    async def handle(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/result" in head:
            writer.write(http(json.dumps({"result": result}).encode()))
        elif b"/cancel" in head:
            writer.write(http(b'{"run": 7, "href": ""}', status="202 Accepted"))
        elif answer := waiting.pop(0) if len(waiting) > 1 else waiting[0]:
            writer.write(http(answer))
        await writer.drain()

    return handle


def following(server: Hostile, seen: Seen, sleep: Callable[[float], None] = lambda _: None) -> Following:
    connector = Connector(address=parse_address(server.url), token=Secret("t"))
    return Following(Client(connector, "1"), 7, progress=seen, told=seen, sleep=sleep)


def test_progress_log_and_report_arrive() -> None:
    seen = Seen()
    steps = (
        looked(progress={"phase": "read", "bytes": 10, "total_bytes": 100}, log="started"),
        looked(progress={"phase": "read", "bytes": 60, "total_bytes": 100}),
        looked(progress={"phase": "check", "bytes": 5}),
        looked("good", exit_code=0),
    )
    with saying(in_turn(*steps, result={"exit_code": 0, "report": REPORT})) as server:
        found = following(server, seen).found(VerifyReport)
    assert (found.name, found.entries) == ("b", 1)
    assert (seen.phases, seen.nbytes, seen.lines) == (["read", "check"], 65, ["7: started"])


def test_a_restart_of_the_server_is_waited_for() -> None:
    with saying(in_turn(looked(), b"", b"", looked("good", exit_code=0))) as server:
        assert following(server, Seen()).ended().outcome == "good"


def test_a_record_that_is_locked_there_for_a_moment_is_waited_for() -> None:
    """The run goes on: to end here would say that it has failed."""
    told = {"type": "about:blank", "title": "The record cannot be used", "status": 503, "code": "state"}
    asked = []

    async def handle(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(head)
        if len(asked) == 2:
            writer.write(
                http(json.dumps(told).encode(), status="503 Unavailable", kind="application/problem+json")
            )
        else:
            writer.write(http(looked() if len(asked) < 3 else looked("good", exit_code=0)))
        await writer.drain()

    with saying(handle) as server:
        assert following(server, Seen()).ended().outcome == "good"


@pytest.mark.parametrize(
    ("run", "kind", "code"),
    [
        (
            {"outcome": "failed", "exit_code": 12, "code": "wrong-password", "message": "no"},
            PasswordError,
            12,
        ),
        ({"outcome": "failed", "exit_code": 13, "code": "damaged", "message": "no"}, DamagedError, 13),
        ({"outcome": "failed", "exit_code": 77, "code": "new", "message": "no"}, PinnacleError, 77),
        ({"outcome": "cancelled", "exit_code": 130, "code": "interrupted"}, Interrupted, 130),
        ({"outcome": "killed", "message": "no"}, PinnacleError, 2),
        ({"outcome": "good", "exit_code": 0}, ServerError, 2),
    ],
)
def test_a_run_without_a_report_ends_as_its_command_would(
    run: dict[str, Any], kind: type[PinnacleError], code: int
) -> None:
    with saying(in_turn(looked(**run))) as server, pytest.raises(kind) as caught:
        following(server, Seen()).found(VerifyReport)
    assert caught.value.exit_code == code


def test_a_damaged_backup_is_a_report_and_no_error() -> None:
    damaged = {**REPORT, "problems": [{"path": "x", "reason": "damaged"}]}
    answers = in_turn(looked("failed", exit_code=13), result={"exit_code": 13, "report": damaged})
    with saying(answers) as server:
        assert following(server, Seen()).found(VerifyReport).problems[0].path == "x"


def test_ctrl_c_cancels_there_and_waits() -> None:
    seen, presses = Seen(), iter([True])

    def sleep(_: float) -> None:
        if next(presses, False):
            raise KeyboardInterrupt

    steps = (looked(), looked(), looked("cancelled", exit_code=130))
    with saying(in_turn(*steps)) as server, pytest.raises(Interrupted, match="stopped before its end"):
        following(server, seen, sleep).found(VerifyReport)
    assert any(b"POST /api/v1/runs/7/cancel" in head for head in server.requests)
    assert seen.notices == ["cancelling run 7 on the server; Ctrl-C again leaves it to itself"]


def test_a_second_ctrl_c_leaves_it_to_itself() -> None:
    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    with saying(in_turn(looked())) as server, pytest.raises(Interrupted, match="run 7 may go on") as caught:
        following(server, Seen(), sleep).ended()
    assert caught.value.hint == "pinnacle-backup runs show 7"
    assert sum(b"/cancel" in head for head in server.requests) == 1
