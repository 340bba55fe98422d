"""`audit`: who did what, and whether that is still what was written."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from pinnacle_backup.cli.audit_table import show_check, show_events
from pinnacle_backup.cli.output import Output
from pinnacle_backup.model.accounts import AuditCheck, AuditEvent

CLI = Callable[..., Any]


@pytest.fixture
def filled(cli: CLI) -> CLI:
    """A studio with three events."""
    for number in range(3):
        cli("token", "create", "--role", "viewer", "--name", f"t{number}")
    return cli


def cut_off(cli: CLI, above: int) -> None:
    with sqlite3.connect(cli.root / ".pinnacle" / "state.db") as db:
        db.execute("DROP TRIGGER audit_stays")
        db.execute("DELETE FROM audit WHERE number > ?", (above,))
    db.close()


def test_events_are_listed_newest_first(filled: CLI) -> None:
    title, *lines = filled("audit").out.splitlines()
    assert title.split() == ["EVENT", "TIME", "WHO", "WHAT", "OUTCOME"]
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert "token-create 3 (t2): viewer, 90 days" in lines[0]
    assert len(filled("audit", "--limit", "1").out.splitlines()) == 2
    assert json.loads(filled("audit", "--action", "login", "--json").out) == {"events": []}


def test_an_empty_trail_is_said(cli: CLI) -> None:
    assert cli("audit").out == "Nothing is in the audit trail yet.\n"
    assert cli("audit", "check").out == "The trail is empty.\n"


def test_a_whole_trail_gives_an_anchor(filled: CLI) -> None:
    ended = filled("audit", "check")
    assert ended.code == 0
    first, second = ended.out.splitlines()
    assert first == "The trail is whole: 3 events, and 3 hashes from the logs agree."
    anchor = second.split()[1]
    assert filled("audit", "check", "--anchor", anchor).code == 0
    both = filled("audit", "--check")
    assert (both.code, both.out.splitlines()[-2]) == (0, first)


def test_a_broken_trail_exits_with_13(filled: CLI) -> None:
    cut_off(filled, 1)
    ended = filled("audit", "check")
    assert ended.code == 13
    assert ended.out.splitlines() == [
        "The trail is broken at event 2: it is missing: the end was cut off.",
        "The 1 event before it is as it was written.",
    ]
    found = json.loads(filled("audit", "check", "--json").out)
    assert (found["broken"], found["events"]) == (2, 1)
    both = filled("audit", "--check", "--json")
    assert (both.code, json.loads(both.out)["check"]["broken"]) == (13, 2)


def test_what_is_no_anchor_exits_with_3(cli: CLI) -> None:
    assert cli("audit", "check", "--anchor", "x").code == 3


def event(**values: Any) -> AuditEvent:
    return AuditEvent(
        **{
            "number": 12,
            "time": "2026-11-22T14:03:22.000000Z",
            "who": "server:anna",
            "address": "192.0.2.1",
            "action": "restore",
            "object": "backup_20261120_020000.tar.gz",
            "detail": "in place, 1 created, 12,345 overwritten, 0 removed",
            "outcome": "good",
            "hash": "0" * 64,
            **values,
        }
    )


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    out = io.StringIO()
    events = [
        event(),
        event(detail="x" * 500),
        event(action="login", object="anna", detail="", outcome="failed"),
    ]
    show_events(Output(out, io.StringIO(), width=width), events)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "login anna" in lines[-1]


def test_a_broken_beginning_says_no_more() -> None:
    out = io.StringIO()
    assert (
        show_check(
            Output(out, io.StringIO()), AuditCheck(events=0, newest="", broken=1, reason="it is missing")
        )
        == 13
    )
    assert out.getvalue() == "The trail is broken at event 1: it is missing.\n"
