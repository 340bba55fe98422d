"""How runs are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.table import Cell, Column, total_width, widths
from pinnacle_backup.cli.text import (
    age,
    counted,
    duration,
    instant,
    local,
    local_with_zone,
    shorten,
    size,
    zone_name,
)
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import (
    CANCELLED,
    FAILED,
    GOOD,
    KILLED,
    RUNNING,
    WARNINGS,
    Run,
    RunLine,
    backup_words,
)

_STYLES = {GOOD: "good", WARNINGS: "warn", FAILED: "bad", KILLED: "bad", CANCELLED: "dim", RUNNING: "strong"}
_WHAT = 2
_NARROWEST, _WIDEST = 20, 64
_MAKERS = frozenset(("create", "drill"))
"""What they are about is not in their detail."""
_LEVELS = {"info": "", "warning": "warn", "error": "bad"}


def show_runs(out: Output, runs: Sequence[Run], now: datetime) -> int:
    """Print a line for each run, newest first."""
    out.json({"runs": runs})
    if not runs:
        out.data("No such run is recorded.")
        return DONE
    zone = zone_name([instant(run.started) for run in runs])
    columns = (
        Column("RUN", right=True),
        Column(f"STARTED ({zone})" if zone else "STARTED"),
        Column("WHAT"),
        Column("BY"),
        Column("TOOK"),
        Column("OUTCOME"),
    )
    rows = [_row(run, now, zone) for run in runs]
    too_much = total_width(columns, rows) - out.columns
    if too_much > 0:
        widest = widths(columns, rows)[_WHAT]
        rows = [_narrowed(row, max(widest - too_much, _NARROWEST)) for row in rows]
    out.table(columns, rows)
    return DONE


def _narrowed(row: tuple[Cell, ...], most: int) -> tuple[Cell, ...]:
    """Return the row with no more than so many cells for what was done: all else is short."""
    what = row[_WHAT]
    return (*row[:_WHAT], Cell(shorten(what.text, most), what.style), *row[_WHAT + 1 :])


def _row(run: Run, now: datetime, zone: str) -> tuple[Cell, ...]:
    started = instant(run.started)
    took = age(started, now) if run.outcome == RUNNING else duration(run.seconds) if run.seconds else ""
    return (
        Cell(str(run.id)),
        Cell(local(started) if zone else local_with_zone(started)),
        Cell(_what(run, run.facts.backup if run.verb in _MAKERS else "")),
        Cell(run.origin.job or run.origin.user, "dim"),
        Cell(took),
        Cell(run.outcome, _STYLES[run.outcome]),
    )


def _what(run: Run, name: str = "") -> str:
    return shorten(printable(f"{run.verb} {run.detail}  {name.partition('.tar.')[0]}".strip()), _WIDEST)


def show_run_details(out: Output, run: Run, lines: Sequence[RunLine]) -> int:
    """Print one run with its log."""
    out.json({"run": run, "log": lines})
    out.data(out.style(f"Run {run.id}: {_what(run)}", "title"), "")
    out.facts(
        [
            ("outcome", out.style(run.outcome, _STYLES[run.outcome])),
            ("", printable(run.message)),
            ("what to do", printable(run.hint)),
            ("started", f"{local_with_zone(instant(run.started))} by {_by(run)}"),
            ("took", duration(run.seconds) if run.ended and run.seconds else ""),
            ("backup", printable(backup_words(run))),
            ("figures", _figures(run)),
            ("exit code", "" if run.exit_code is None else str(run.exit_code)),
            ("stopped by", printable(run.stopped_by)),
        ]
    )
    if lines:
        out.data("")
    for line in lines:
        moment = instant(line.time).astimezone().strftime("%H:%M:%S")
        out.data(f"{out.style(moment, 'dim')}  {out.style(printable(line.text), _LEVELS[line.level])}")
    return DONE


def _by(run: Run) -> str:
    origin = run.origin
    if not origin.job:
        return f"{printable(origin.user)} ({origin.kind})"
    again = f", attempt {origin.attempt}" if origin.attempt > 1 else ""
    return f"{origin.kind} (job {origin.job}{again})"


def _figures(run: Run) -> str:
    facts = run.facts
    parts = [
        counted(facts.entries, "path") if facts.entries else "",
        f"{size(facts.read)} read" if facts.read else "",
        f"{size(facts.stored)} stored" if facts.stored else "",
        f"{counted(facts.removed, 'backup')} deleted" if facts.removed else "",
        f"{size(facts.freed)} given back" if facts.freed else "",
    ]
    return ", ".join(part for part in parts if part)
