"""Drills: how one went, which there were, and whether a report is genuine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DAMAGED, DONE, FAILED, WARNINGS, warn_of_problems
from pinnacle_backup.cli.table import GAP, Cell, Column, total_width
from pinnacle_backup.cli.text import (
    age,
    counted,
    instant,
    local,
    local_with_zone,
    number,
    size,
    span,
    speed,
    zone_name,
)
from pinnacle_backup.crypto.signing import in_groups
from pinnacle_backup.model.drills import PROVEN, CheckResult, DrillRecord, DrillReport, Genuineness
from pinnacle_backup.model.paths import printable


def show_drill(out: Output, report: DrillReport, page: str) -> int:
    """Tell what a drill found and where its report lies, and return the exit code."""
    proven = report.outcome == PROVEN
    bad = FAILED if report.came_back_whole else DAMAGED
    code = (WARNINGS if report.passed_over else DONE) if proven else bad
    out.result(code, report)
    if report.passed_over and not out.as_json:
        out.warn(printable(report.passed_over))
    _show_outcome(out, report)
    if proven:
        good = [counted(report.entries, "path"), size(report.nbytes)]
        good += [counted(len(report.databases), "database")] if report.databases else []
        good += [counted(len(report.checks), "own check")] if report.checks else []
        out.say(f"{', '.join(good)}: all as in the backup")
    out.say(f"Report: {printable(page)}")
    return code


def show_report(out: Output, found: Genuineness, page: str, now: datetime) -> int:
    """Print the summary of a report, and return 0 where it is genuine."""
    report = found.report
    out.json({**_with_signature(found), "page": page})
    if out.as_json:
        return _code(found)
    _show_outcome(out, report, always=True)
    out.facts(_facts(report, now))
    for check in report.checks:
        out.data(f"  {_check(out, check)}")
    out.data("", f"Report: {printable(page)}")
    if not found.genuine:
        out.warn("the file was changed: its signature does not fit")
    elif not found.own:
        out.warn("it is signed with another key than this studio's")
    return _code(found)


def show_genuineness(out: Output, found: Genuineness, file: str) -> int:
    """Tell whether a report is genuine, and return the exit code."""
    out.json(_with_signature(found))
    name = printable(file)
    if not found.genuine:
        out.data(out.style(f"{name} is NOT genuine", "bad"))
        out.data("It is not what the key in it signed: it was changed, or made up.")
    elif found.own:
        out.data(f"{out.style(f'{name} is genuine', 'good')}: signed with this studio's key, unchanged since")
    else:
        out.data(f"{out.style(f'{name} is unchanged', 'warn')}, but not signed with this studio's key")
        out.data("Whose key it is, only its fingerprint tells:")
    if not out.as_json:
        out.data(f"{found.report.id}: {found.report.backup.name}, {found.report.outcome}")
        out.data(" ".join(in_groups(found.fingerprint)))
    return _code(found)


def show_drills(out: Output, drills: Sequence[DrillRecord], now: datetime) -> int:
    """Print one line a drill, or two where the terminal is too narrow."""
    out.json({"drills": drills})
    if not drills:
        out.data("There was no drill yet.", out.as_called("To make one: pinnacle-backup drill"))
        return DONE
    zone = zone_name([instant(drill.ended) for drill in drills])
    columns, rows = _columns(zone), [_row(drill, now, zone) for drill in drills]
    if total_width(columns, rows) <= out.columns:
        out.table(columns, rows)
    else:
        out.data(*(line for drill in drills for line in _two_lines(out, drill, now)))
    return DONE


def _columns(zone: str) -> tuple[Column, ...]:
    return (
        Column("ID"),
        Column(f"ENDED ({zone})" if zone else "ENDED"),
        Column("AGE", right=True),
        Column("OUTCOME"),
        Column("RECOVERY", right=True),
        Column("BACKUP"),
    )


def _row(drill: DrillRecord, now: datetime, zone: str) -> tuple[Cell, ...]:
    ended = instant(drill.ended)
    return (
        Cell(printable(drill.id)),
        Cell(local(ended) if zone else local_with_zone(ended)),
        Cell(age(ended, now)),
        _outcome(drill),
        Cell(span(drill.seconds)),
        Cell(printable(drill.backup)),
    )


def _two_lines(out: Output, drill: DrillRecord, now: datetime) -> tuple[str, str]:
    ended, outcome = instant(drill.ended), _outcome(drill)
    how_long = age(ended, now)
    ago = "just now" if how_long == "now" else f"{how_long} ago"
    return (
        f"{printable(drill.id)}{GAP}{out.style(*outcome)} in {span(drill.seconds)}, {ago}",
        f"    {printable(drill.backup)}{GAP}{out.style(local_with_zone(ended), 'dim')}",
    )


def _outcome(drill: DrillRecord) -> Cell:
    return Cell(drill.outcome, "good" if drill.outcome == PROVEN else "bad")


def _show_outcome(out: Output, report: DrillReport, *, always: bool = False) -> None:
    """Say whether it is proven; what is wrong goes to stderr."""
    name = printable(report.backup.name)
    if report.outcome == PROVEN:
        rate = speed(report.nbytes, report.recovery_seconds)
        took = f"restored in {span(report.recovery_seconds)}" + (f" ({rate})" if rate else "")
        tell = out.data if always else out.say
        tell(f"{out.style(f'{name} is proven restorable', 'good')}: {took}")
        return
    if report.came_back_whole:
        failed = "a check of your own failed" if report.problem_count == 1 else "checks of your own failed"
        out.data(out.style(f"{name} came back whole, but {failed}", "bad"))
    else:
        out.data(out.style(f"{name} is NOT proven restorable", "bad"))
    warn_of_problems(out, f"{counted(report.problem_count, 'problem')} in the drill:", report.problems)


def _facts(report: DrillReport, now: datetime) -> list[tuple[str, str]]:
    seconds = report.seconds
    began = instant(report.started)
    how_long = age(began, now)
    old = span(report.data_age_seconds)
    checking = seconds.compare + seconds.databases + seconds.checks
    return [
        ("drill", report.id),
        ("passed over", printable(report.passed_over)),
        ("began", f"{local_with_zone(began)}, {how_long if how_long == 'now' else how_long + ' ago'}"),
        ("by", f"{printable(report.started_by)} on {printable(report.host)}"),
        ("data of", f"{local_with_zone(instant(report.backup.created))}, {old} old then"),
        ("recovery", f"{span(report.recovery_seconds)}, and {span(checking)} to check everything"),
        ("compared", f"{counted(report.entries, 'path')}, {number(report.nbytes)} bytes"),
        ("databases", _databases(report)),
        ("checks", _passed(report)),
    ]


def _databases(report: DrillReport) -> str:
    good = sum(database.good for database in report.databases)
    return f"{good} of {len(report.databases)} sound" if report.databases else "none"


def _passed(report: DrillReport) -> str:
    passed = sum(check.passed for check in report.checks)
    return f"{passed} of {len(report.checks)} passed" if report.checks else "none configured"


def _check(out: Output, check: CheckResult) -> str:
    word = out.style("passed", "good") if check.passed else out.style("failed", "bad")
    return f"{word} in {span(check.seconds)}: {printable(check.command)}"


def _with_signature(found: Genuineness) -> dict[str, object]:
    from pinnacle_backup.app.plain import plain

    facts: dict[str, object] = plain(found)
    return facts


def _code(found: Genuineness) -> int:
    if not found.genuine:
        return DAMAGED
    return DONE if found.own else WARNINGS
