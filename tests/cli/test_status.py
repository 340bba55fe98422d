"""How things stand: for a person what is wrong and what to do, for a monitoring system a line and a code."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.plugin import show_check
from pinnacle_backup.cli.state import show_status
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.model.health import Check, Space, health_of
from pinnacle_backup.model.queries import StudioStatus, UpcomingRun
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.runs import Origin, Run
from pinnacle_backup.state.instants import iso

from .conftest import Ended

Cli = Callable[..., Ended]

PERFORMANCE = re.compile(r"'?[a-z]+'?=[0-9.]+(s|%|B)?(;[0-9.:]*){0,4}")


def status(*checks: Check, **changes: object) -> StudioStatus:
    health = health_of(checks, protected="the newest backup is 3 hours old")
    values: dict[str, object] = {
        "root": "/srv/studio",
        "directory": "/srv/studio/backups",
        "level": health.level,
        "headline": health.headline,
        "checks": health.checks,
        "counts": {"full": 2, "incremental": 0, "safety": 1},
        "represented": 1,
        "stored": 10**9,
        "space": Space(free=10**12, total=2 * 10**12),
        "schedule": ("full backup every day at 02:00", "cleanup every Sunday at 04:00"),
    }
    return StudioStatus(**(values | changes))


FINE = Check(name="backup", level="ok", sentence="fine")
LATE = Check(
    name="backup",
    level="critical",
    sentence="the newest backup is 9 days old",
    advice="pinnacle-backup create",
)
IDLE = Check(
    name="scheduler",
    level="warning",
    sentence="nothing happens by itself: the scheduler does not run",
    advice="pinnacle-backup schedule --start-scheduler --daemon, or for good: pinnacle-backup service install",
)


def shown(given: StudioStatus, now: datetime, width: int | None = None) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    assert (
        show_status(Output(out, err, width=width, program="python scripts/backup_restore.py"), given, now)
        == 0
    )
    return out.getvalue(), err.getvalue()


def test_what_is_wrong_comes_first_and_says_what_to_do(now: datetime) -> None:
    text, _ = shown(status(LATE, IDLE, FINE), now)
    assert text.startswith(
        "Not protected: the newest backup is 9 days old.\n"
        "  hint: python scripts/backup_restore.py create\n\n"
        "Look: nothing happens by itself: the scheduler does not run.\n"
        "  hint: python scripts/backup_restore.py schedule --start-scheduler"
    )
    assert "fine" not in text


def test_where_all_is_well_the_facts_follow_at_once(now: datetime) -> None:
    text, err = shown(status(FINE), now)
    assert text.startswith("Protected: the newest backup is 3 hours old.\n\nstudio     /srv/studio\n")
    assert not err


@pytest.mark.parametrize("width", [80, 120])
def test_sentences_and_hints_fit_the_terminal(width: int, now: datetime) -> None:
    text, _ = shown(status(LATE, IDLE), now, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert re.search(r"^ *(hint: )?python \S+ schedule --start-scheduler --daemon,", text, re.MULTILINE)
    assert re.search(r"^ *(for good: )?python \S+ service install$", text, re.MULTILINE)


def test_that_nobody_is_told_is_told(now: datetime) -> None:
    assert "\ntold       nobody; `notify` says how" in shown(status(FINE), now)[0]


def test_the_facts(now: datetime, backup: Callable[..., object]) -> None:
    drill = DrillRecord(
        id="1", ended=iso(now - timedelta(days=12)), backup="b", outcome="proven", seconds=185
    )
    failed = msgspec.structs.replace(drill, outcome="failed", ended=iso(now))
    running = Run(
        id=7,
        verb="create",
        detail="full",
        origin=Origin(job="daily-full"),
        started=iso(now - timedelta(minutes=3)),
    )
    text, err = shown(
        status(
            FINE,
            newest=backup(1),
            verified=iso(now - timedelta(days=2)),
            drill=failed,
            proven=drill,
            running=(running,),
            upcoming=(UpcomingRun(job="daily-full", run="full", start="", words="tomorrow at 02:00"),),
            paused="for ever",
            scheduler="`x` by process 7 since 10:00:00",
            told=("e-mail to anna@example.org",),
            waiting=2,
            space=Space(free=10**12, total=2 * 10**12, full_at=iso(now + timedelta(days=40, minutes=1))),
            problems=(Problem("x.tar.gz", "cut off"),),
        ),
        now,
    )
    for line in (
        r"newest     1 d ago \(2026-11-\d\d \d\d:\d\d\), backup_20261119_010000.tar.gz",
        r"backups    2 full, 1 safety: 1.0 GB in /srv/studio/backups",
        r"room       1.0 TB free \(50 %\), full in about 40 days \(30 December\)",
        r"verified   2 d ago \(.*\)",
        r"drill      12 d ago \(.*\), restored in 3 min 5 s; failed just now \(.*\)",
        r"running    full backup \(daily-full\) for 3 min",
        r"schedule   full backup every day at 02:00\n           cleanup every Sunday at 04:00",
        r"next       tomorrow at 02:00: full \(daily-full\)",
        r"scheduler  `x` by process 7 since 10:00:00",
        r"paused     until somebody resumes it",
        r"told       e-mail to anna@example.org",
        r"messages   2 messages to be delivered",
    ):
        assert re.search(f"^{line}$", text, re.MULTILINE), line
    assert "x.tar.gz: cut off" in err


def test_nothing_hostile_reaches_the_terminal(now: datetime) -> None:
    text, _ = shown(status(FINE, root="/srv/\033[2J", schedule=("\033]0;x",)), now)
    assert "\033" not in text


def checked(given: StudioStatus, now: datetime) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = show_check(Output(out, io.StringIO()), given, now)
    return code, out.getvalue().splitlines()


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warning", 1), ("critical", 2), ("unknown", 3)])
def test_the_exit_code_and_the_first_word_are_the_answer(level: str, code: int, now: datetime) -> None:
    found, lines = checked(status(Check(name="x", level=level, sentence="y")), now)
    assert found == code
    assert lines[0].startswith(f"PINNACLE {level.upper()} - ")


def test_one_line_with_figures_then_a_line_for_each_fault(
    now: datetime, backup: Callable[..., object]
) -> None:
    _, lines = checked(status(LATE, IDLE, FINE, newest=backup(1)), now)
    first, bar, figures = lines[0].partition(" | ")
    assert (first, bar) == ("PINNACLE CRITICAL - Not protected: the newest backup is 9 days old.", " | ")
    assert all(PERFORMANCE.fullmatch(figure) for figure in figures.split(" "))
    assert figures == "age=135302s;;93600 free=50.0%;10:;2:;0;100 stored=1000000000B;;;0 backups=3;;;0"
    assert lines[1:] == [
        "CRITICAL backup: the newest backup is 9 days old (hint: pinnacle-backup create)",
        f"WARNING scheduler: {IDLE.sentence} (hint: {IDLE.advice})",
    ]


def test_no_text_breaks_the_line_or_begins_the_figures(now: datetime) -> None:
    nasty = Check(name="runs", level="warning", sentence="a|b\nc\r\td", advice="x|y")
    _, lines = checked(status(nasty), now)
    assert len(lines) == 2
    assert lines[0].count("|") == 1
    assert lines[1] == "WARNING runs: a/b c d (hint: x/y)"


def test_a_studio_without_backups(cli: Cli) -> None:
    ended = cli("status")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Not protected: there is no backup yet.\n  hint: ")
    check = cli("status", "--check")
    assert (check.code, check.err) == (2, "")
    assert check.out.startswith("PINNACLE CRITICAL - Not protected: there is no backup yet. | ")


def test_json_has_all_checks_and_with_check_the_code(cli: Cli) -> None:
    plain, check = cli("status", "--json"), cli("status", "--check", "--json")
    assert (plain.code, check.code) == (0, 2)
    for ended in (plain, check):
        answer = json.loads(ended.out)
        assert (answer["level"], answer["headline"]) == ("critical", "Not protected: there is no backup yet.")
        assert {"backup", "scheduler", "logs", "record"} <= {check["name"] for check in answer["checks"]}


def test_a_wrong_configuration_is_unknown(cli: Cli) -> None:
    (cli.root / "config.json").write_text('{"backup": {"retention_days": "many"}}')
    ended = cli("status", "--check")
    assert (ended.code, ended.err) == (3, "")
    assert ended.out.startswith("PINNACLE UNKNOWN - ")
    assert "backup.retention_days" in ended.out
    assert json.loads(cli("status", "--check", "--json").out)["level"] == "unknown"


def test_a_place_that_is_not_there_is_unknown(cli: Cli, tmp_path: Path) -> None:
    ended = cli("status", "--check", "--root", str(tmp_path / "missing"))
    assert (ended.code, ended.err) == (3, "")
    assert ended.out.startswith("PINNACLE UNKNOWN - ")


def test_an_unexpected_error_is_unknown_and_logged(cli: Cli) -> None:
    """A day that is none can only come from somebody who writes into our record."""
    assert cli("status").code == 0
    record = sqlite3.connect(cli.root / ".pinnacle" / "state.db")
    with record:
        record.execute("INSERT INTO sample VALUES ('no day', 1, 1, 1)")
    record.close()
    ended = cli("status", "--check")
    assert (ended.code, ended.err) == (3, "")
    assert ended.out.startswith("PINNACLE UNKNOWN - unexpected error: ValidationError")
    assert "Traceback" in (cli.root / "logs" / "backup_errors.log").read_text()


def test_backups_that_are_gone_are_no_backups_that_there_never_were(cli: Cli) -> None:
    (cli.root / "backups").write_text("")
    ended = cli("status")
    assert ended.out.startswith("Not protected: cannot list ")
    assert "backups    cannot be listed in " in ended.out
    assert "never\n" not in ended.out


def test_what_the_configuration_leaves_to_be_desired_is_told_once(cli: Cli) -> None:
    (cli.root / "config.json").unlink()
    ended = cli("status", "--root", str(cli.root))
    assert "no config.json" in ended.out
    assert "config.json" not in ended.err
    check = cli("status", "--check", "--root", str(cli.root))
    assert "WARNING configuration: no config.json" in check.out
    assert not check.err


def test_metrics_are_printed_or_written_without_a_word(cli: Cli, tmp_path: Path) -> None:
    printed = cli("metrics")
    assert (printed.code, printed.err) == (0, "")
    assert "pinnacle_health_level 2.0\n" in printed.out
    file = tmp_path / "x.prom"
    written = cli("metrics", "--textfile", str(file))
    assert (written.code, written.out, written.err) == (0, "", "")
    names = [family.name for family in text_string_to_metric_families(file.read_text())]
    assert names == [family.name for family in text_string_to_metric_families(printed.out)]
    assert json.loads(cli("metrics", "--json").out)["metrics"].startswith("# HELP pinnacle_build_info ")


def test_metrics_that_cannot_be_written_are_an_error(cli: Cli, tmp_path: Path) -> None:
    ended = cli("metrics", "--textfile", str(tmp_path / "missing" / "x.prom"))
    assert ended.code == 2
    assert "cannot be written" in ended.err
