"""Key slots, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, WARNINGS, warn_of_problems
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import counted, instant, local
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import ArchiveKeys, KeyReport


def show_keys(out: Output, archives: Sequence[ArchiveKeys]) -> int:
    """Print one line a key slot."""
    out.json({"archives": archives})
    rows = []
    for archive in archives:
        for place, slot in enumerate(archive.slots):
            name = printable(archive.name) if not place else ""
            label = Cell(printable(slot.label)) if slot.label else Cell("-", "dim")
            rows.append((Cell(name), Cell(str(slot.number)), label, Cell(local(instant(slot.created)))))
    if rows:
        columns = (Column("NAME"), Column("SLOT", right=True), Column("LABEL"), Column("ADDED"))
        out.table(columns, rows)
    else:
        out.data("No backup is encrypted.")
    return DONE


def show_key_report(out: Output, report: KeyReport, one: str, several: str) -> int:
    """Tell which archives were changed, and return the exit code."""
    code = WARNINGS if report.skipped else DONE
    out.result(code, report)
    warn_of_problems(out, f"{counted(len(report.skipped), 'archive')} left as before:", report.skipped)
    count = len(report.changed)
    out.say(f"{counted(count, 'backup')} {one if count == 1 else several}")
    return code
