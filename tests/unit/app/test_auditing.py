"""What is in the audit trail, who finds out when it was changed, and that it stops nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.app.auditing import FAILED, actor_of, audit, audited, check_audit, list_events
from pinnacle_backup.app.cleanup import clean_up
from pinnacle_backup.app.runs import cancel_run
from pinnacle_backup.errors import PinnacleError, UsageError
from pinnacle_backup.model.accounts import Actor
from pinnacle_backup.model.runs import Origin
from pinnacle_backup.store.processes import process_of

from ...canaries import canary
from ...studios import Studio as Commands
from ...studios import warm_up
from .clocked import Clocked
from .server import Server

ANNA = Actor(kind="server", name="anna", address="192.0.2.1")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "studio")


def fill(server: Server, count: int = 6) -> None:
    for number in range(count):
        audit(server.studio, ANNA, "login", f"x{number}")


# Events


def test_who_what_when_and_how_it_ended(server: Server) -> None:
    audit(server.studio, ANNA, "restore", "backup_1.tar.gz", "in place", FAILED)
    (event,) = list_events(server.studio, 9)
    assert (event.who, event.address, event.action, event.object) == (
        "server:anna",
        "192.0.2.1",
        "restore",
        "backup_1.tar.gz",
    )
    assert (event.detail, event.outcome, event.time) == ("in place", "failed", server.studio.iso_now())


def test_the_actor_is_who_started_it(tmp_path: Path) -> None:
    assert actor_of(Server(tmp_path / "a", user="anna", kind="server").studio).who == "server:anna"
    assert actor_of(Server(tmp_path / "b", user="root").studio).who == "command:root"


def test_the_block_ends_well_badly_or_by_an_error(server: Server) -> None:
    with audited(server.studio, "one", "x", "words") as told:
        told.add("more")
    with audited(server.studio, "two", "x", announce=True) as told:
        told.fail("2 of 3")
    for error in (PinnacleError("what went wrong"), KeyboardInterrupt(), ValueError(canary("in-an-error"))):
        with pytest.raises(type(error)), audited(server.studio, "three", "x", "words"):
            raise error
    shown = [(event.action, event.detail, event.outcome) for event in list_events(server.studio, 9)[::-1]]
    assert shown == [
        ("one", "words: more", "good"),
        ("two", "", "started"),
        ("two", "2 of 3", "failed"),
        ("three", "words: what went wrong", "failed"),
        ("three", "words: stopped before its end", "failed"),
        ("three", "words: unexpected error: ValueError", "failed"),
    ]


def test_names_of_any_bytes_and_length_are_written(server: Server) -> None:
    audit(server.studio, ANNA, "restore", "a\udcff\nfake\x1b[31m", "y" * 10_000)
    (event,) = list_events(server.studio, 9)
    assert event.object == "a\\udcff\\nfake\\x1b[31m"
    assert len(event.detail) == 2000
    assert check_audit(server.studio).anchors == 1


def test_no_secret_gets_into_the_trail(tmp_path: Path) -> None:
    root = tmp_path / "studio"
    root.mkdir()
    secret = canary("of-the-mail-server")
    (root / "config.json").write_text(json.dumps({"notifications": {"smtp": {"password": secret}}}))
    os.chmod(root / "config.json", 0o600)
    server = Server(root)
    audit(server.studio, ANNA, "configure", f"smtp {secret}", f"password={secret}")
    (event,) = list_events(server.studio, 9)
    assert secret not in event.object + event.detail


def test_what_cannot_be_written_stops_nothing_and_is_an_error_in_the_log(server: Server) -> None:
    state = server.root / ".pinnacle" / "state.db"
    state.mkdir(parents=True)
    with audited(server.studio, "restore", "backup_1.tar.gz", announce=True):
        pass
    log = (server.root / "logs" / "backup_errors.log").read_text()
    assert "audit: restore of backup_1.tar.gz by command:root (started) is not in the trail: " in log
    assert "(good) is not in the trail" in log


# Anchors


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_holds_an_anchor_for_every_event(tmp_path: Path, form: str) -> None:
    root = tmp_path / "studio"
    root.mkdir()
    (root / "config.json").write_text(json.dumps({"logging": {"format": form}}))
    server = Server(root)
    fill(server)
    found = check_audit(server.studio)
    assert (found.events, found.anchors, found.broken) == (6, 6, 0)


def test_an_end_that_was_cut_off_is_seen_in_the_log(server: Server) -> None:
    fill(server)
    server.tamper("DELETE FROM audit WHERE number > 4")
    found = check_audit(server.studio)
    assert (found.broken, found.reason) == (5, "it is missing: the end was cut off")


def test_an_end_that_was_written_anew_is_seen_in_the_log(server: Server) -> None:
    fill(server)
    server.tamper("DELETE FROM audit WHERE number > 4")
    server.later(hours=1)
    fill(server)
    assert check_audit(server.studio).broken == 5


def test_a_whole_trail_that_went_away_is_seen_in_the_log(server: Server) -> None:
    fill(server)
    server.studio.state.close()
    os.unlink(server.root / ".pinnacle" / "state.db")
    assert check_audit(server.studio).broken == 1
    server.later(hours=1)
    fill(server, 8)
    assert check_audit(server.studio).broken == 1


def test_anchors_are_found_in_logs_that_were_set_aside(tmp_path: Path) -> None:
    root = tmp_path / "studio"
    root.mkdir()
    (root / "config.json").write_text(json.dumps({"logging": {"max_bytes": 65536, "files": 3}}))
    server = Server(root)
    fill(server, 3)
    log = server.root / "logs" / "ultra_pinnacle.log"
    shutil.move(log, f"{log}.1")
    fill(server, 3)
    assert check_audit(server.studio).anchors == 6


@pytest.mark.parametrize(
    "line",
    [
        "audit 3 {hash}: x",
        "x {hash}",
        "create: audit 3 {hash}: x",
        '"message": "audit 3 {hash}: ',
        '{{"time": "2026", "message": "audit 3 {hash}: ',
    ],
)
def test_no_name_fakes_an_anchor(server: Server, line: str) -> None:
    """Whoever may name a file must not make a good trail look bad."""
    fill(server, 3)
    fake = line.format(hash="0" * 64)
    audit(server.studio, ANNA, "restore", fake)
    server.studio.log.info("create: started: %s", fake)
    server.studio.log.warning("%s", fake)
    assert check_audit(server.studio).broken == 0


def test_an_anchor_may_be_kept_anywhere(server: Server) -> None:
    fill(server)
    found = check_audit(server.studio)
    anchor = f"{found.events}:{found.newest}"
    shutil.rmtree(server.root / "logs")
    assert check_audit(server.studio, anchor).anchors == 1
    server.tamper("DELETE FROM audit WHERE number = 6")
    assert check_audit(server.studio).broken == 0
    assert check_audit(server.studio, f" {anchor.upper()}\n").broken == 6


@pytest.mark.parametrize("anchor", ["x", "6", "0:" + "0" * 64, "6:" + "0" * 63, "6:" + "g" * 64])
def test_what_is_no_anchor_is_said(server: Server, anchor: str) -> None:
    with pytest.raises(UsageError, match="is no anchor"):
        check_audit(server.studio, anchor)


def test_without_logs_the_chain_alone_is_checked(server: Server) -> None:
    fill(server)
    log = server.root / "logs" / "ultra_pinnacle.log"
    os.unlink(log)
    os.symlink("/etc/passwd", log)
    assert check_audit(server.studio).anchors == 0


# What the commands write


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "commanded")


def events(commands: Commands) -> list[tuple[str, str, str]]:
    shown = json.loads(commands.good("audit", "--limit", "1000", "--json"))["events"]
    assert {event["who"].partition(":")[0] for event in shown} <= {"command", "schedule"}
    return [(event["action"], event["object"], event["outcome"]) for event in shown[::-1]]


def test_restores_and_deletions_are_audited_before_and_after(commands: Commands, tmp_path: Path) -> None:
    for name in ("one", "two"):
        commands.good("create", "--name", name)
    (commands.root / "uploads/sub/one.txt").write_text("changed")
    commands.good("restore", "one", "uploads", "--dry-run")
    commands.good("restore", "one", "uploads", "--yes")
    commands.good("restore", "two", "--target", str(tmp_path / "there"))
    commands.good("undo", "--yes")
    commands.good("cleanup", "--retention", "0", "--yes")
    written = [event for event in events(commands) if event[0] in ("restore", "cleanup")]
    saved = written[4][1]
    assert saved.startswith("before_restore_")
    assert written[:6] == [
        ("restore", "one.tar.gz", "started"),
        ("restore", "one.tar.gz", "good"),
        ("restore", "two.tar.gz", "started"),
        ("restore", "two.tar.gz", "good"),
        ("restore", saved, "started"),
        ("restore", saved, "good"),
    ]
    shown = json.loads(commands.good("audit", "--action", "restore", "--json"))["events"]
    assert shown[-1]["detail"] == "in place, 0 created, 1 overwritten, 0 removed"
    assert shown[-3]["detail"].startswith(f"into {tmp_path}/there, ")


def test_a_cleanup_names_what_it_deletes(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "clocked", datetime(2026, 1, 1, tzinfo=UTC))
    old = clocked.create()
    clocked.now = datetime(2026, 11, 22, tzinfo=UTC)
    clocked.create()
    assert clean_up(clocked.studio) == 0
    (ended, started) = list_events(clocked.studio, 9)
    assert (started.action, started.object, started.detail, started.outcome) == (
        "cleanup",
        "1 backup",
        old,
        "started",
    )
    assert (ended.detail, ended.outcome) == (f"deleted {old}", "good")


def test_keys_pins_and_the_schedule_are_audited(commands: Commands) -> None:
    known, new = canary("known"), canary("new")
    commands.good("create", "--name", "one", "--encrypt", known)
    commands.good("key", "add", "--label", "b", "--new", new, "--decrypt", known)
    commands.good("key", "remove", "b", "--decrypt", known)
    assert commands.run("key", "remove", "b", "one", "--decrypt", known).code == 3
    commands.good("pin", "one")
    commands.good("unpin", "one")
    commands.good("schedule", "--schedule-config", '{"weekly_cleanup": false}')
    assert commands.run("schedule", "--schedule-config", '{"weekly": false}').code == 3
    commands.good("schedule", "--pause")
    commands.good("schedule", "--resume")
    name = "one.tar.gz.enc"
    assert events(commands) == [
        ("key-add", "all backups", "good"),
        ("key-remove", "all backups", "good"),
        ("key-remove", "one", "failed"),
        ("pin", name, "good"),
        ("unpin", name, "good"),
        ("schedule", "config.json", "good"),
        ("pause", "the scheduler", "good"),
        ("resume", "the scheduler", "good"),
    ]
    commands.good("audit", "check")


def test_the_scheduler_and_who_ends_it_are_audited(commands: Commands) -> None:
    commands.good("schedule", "--start-scheduler", "--daemon")
    commands.good("schedule", "--stop-scheduler")
    shown = json.loads(commands.good("audit", "--json"))["events"][::-1]
    assert [(event["action"], event["who"].partition(":")[0]) for event in shown] == [
        ("scheduler-start", "schedule"),
        ("scheduler-stop", "command"),
    ]
    assert shown[0]["object"] == shown[1]["object"]


def test_who_stops_a_run_is_audited(server: Server) -> None:
    child = subprocess.Popen(["sleep", "60"])
    run = server.studio.runs.begin("create", "full", Origin(), server.now, process_of(child.pid))
    waiter = threading.Thread(target=child.wait)
    waiter.start()
    cancel_run(server.studio, run)
    waiter.join()
    (event,) = list_events(server.studio, 9)
    assert (event.who, event.action, event.object) == ("command:root", "cancel", f"run {run} (create)")


def test_a_restore_goes_on_where_the_trail_cannot_be_written(commands: Commands) -> None:
    commands.good("create", "--name", "one")
    (commands.root / "uploads/sub/one.txt").write_text("changed")
    state = commands.root / ".pinnacle" / "state.db"
    os.unlink(state)
    state.mkdir()
    commands.good("restore", "one", "uploads", "--yes")
    assert (commands.root / "uploads/sub/one.txt").read_text() == "one\n" * 400
    assert "is not in the trail" in (commands.root / "logs" / "backup_errors.log").read_text()
