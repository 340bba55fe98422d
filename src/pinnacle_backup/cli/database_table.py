"""What a restore would change in databases, as a table."""

from __future__ import annotations

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import counted, number
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import DatabaseChange, RestorePlan, TableChange

_COLUMNS = (Column("TABLE"), *(Column(title, right=True) for title in ("ROWS NOW", "THEN", "GONE", "BACK")))


def show_databases(out: Output, plan: RestorePlan) -> None:
    """Show which rows change, and who holds databases."""
    for database in plan.databases:
        _show_database(out, database)
    show_use(out, plan)


def show_use(out: Output, plan: RestorePlan) -> None:
    """Show who holds databases that would be overwritten, and what that means."""
    for used in plan.live:
        out.note(f"the database {printable(used.path)} {used.reason}: it is changed live, at one stroke")
    for used in plan.in_use:
        out.warn(f"the database {printable(used.path)} {used.reason}: stop that before you restore")


def _show_database(out: Output, database: DatabaseChange) -> None:
    same = f"{counted(database.same, 'table')} the same" if database.same else ""
    notes = ", ".join(note for note in (same, database.note) if note)
    out.data("", f"In {printable(database.path)}{out.style(f'  {notes}' if notes else '', 'dim')}")
    if database.tables:
        out.table(_COLUMNS, [_row(table) for table in database.tables])


def _row(table: TableChange) -> tuple[Cell, ...]:
    return (
        Cell(table.name),
        _rows(table.now, "no table"),
        _rows(table.then, "no table"),
        _rows(table.lost, "?"),
        _rows(table.back, "?"),
    )


def _rows(count: int | None, unknown: str) -> Cell:
    return Cell(unknown, "dim") if count is None else Cell(number(count))
