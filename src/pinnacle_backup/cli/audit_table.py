"""How the audit trail is shown."""

from __future__ import annotations

from collections.abc import Sequence

from pinnacle_backup.app.auditing import FAILED, GOOD
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DAMAGED, DONE
from pinnacle_backup.cli.table import Cell, Column, total_width
from pinnacle_backup.cli.text import counted, instant, local, number, shorten
from pinnacle_backup.model.accounts import AuditCheck, AuditEvent
from pinnacle_backup.model.paths import printable

_STYLES = {GOOD: "good", FAILED: "bad"}
_COLUMNS = (Column("EVENT", right=True), Column("TIME"), Column("WHO"), Column("WHAT"), Column("OUTCOME"))
_WHAT = 3
_NARROWEST = 20


def show_events(out: Output, events: Sequence[AuditEvent], check: AuditCheck | None = None) -> int:
    """Print a line for each event, newest first, and whether the trail is whole where that was checked."""
    out.json({"events": events, **({"check": check} if check else {})})
    if events:
        out.table(_COLUMNS, _fitting(out, [_row(event) for event in events]))
    else:
        out.data("Nothing is in the audit trail yet.")
    if check is None:
        return DONE
    out.data("")
    return _verdict(out, check)


def show_check(out: Output, check: AuditCheck) -> int:
    """Tell whether the trail is as it was written, and return the exit code."""
    out.json(check)
    return _verdict(out, check)


def _verdict(out: Output, check: AuditCheck) -> int:
    if check.broken:
        out.data(out.style(f"The trail is broken at event {number(check.broken)}: {check.reason}.", "bad"))
        if check.events:
            ones = "is as it was" if check.events == 1 else "are as they were"
            out.data(f"The {counted(check.events, 'event')} before it {ones} written.")
        return DAMAGED
    if not check.events:
        out.data("The trail is empty.")
        return DONE
    kept = f", and {counted(check.anchors, 'hash', 'hashes')} from the logs agree" if check.anchors else ""
    out.data(f"{out.style('The trail is whole', 'good')}: {counted(check.events, 'event')}{kept}.")
    out.facts([("anchor", f"{check.events}:{check.newest}")])
    return DONE


def _row(event: AuditEvent) -> tuple[Cell, ...]:
    where = f" {printable(event.address)}" if event.address else ""
    what = " ".join(filter(None, (event.action, printable(event.object))))
    detail = f": {printable(event.detail)}" if event.detail else ""
    return (
        Cell(str(event.number)),
        Cell(local(instant(event.time), seconds=True)),
        Cell(f"{printable(event.who)}{where}", "dim"),
        Cell(what + detail),
        Cell(event.outcome, _STYLES.get(event.outcome, "")),
    )


def _fitting(out: Output, rows: list[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Cut the words where the lines would be wider than the terminal."""
    without = [(*row[:_WHAT], Cell(""), *row[_WHAT + 1 :]) for row in rows]
    room = max(out.columns - total_width(_COLUMNS, without) + len(_COLUMNS[_WHAT].title), _NARROWEST)
    return [(*row[:_WHAT], Cell(shorten(row[_WHAT].text, room)), *row[_WHAT + 1 :]) for row in rows]
