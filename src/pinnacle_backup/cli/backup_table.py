"""
The list of backups: one line each where the terminal is wide enough, else two.

Groups begin with a full backup, oldest first, so that the newest stands next to the prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import MappingProxyType

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, WARNINGS, warn_of_problems
from pinnacle_backup.cli.table import GAP, Cell, Column, Row, total_width
from pinnacle_backup.cli.text import age, counted, instant, local, number, size, width, zone_name
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import AlsoIn, ListedBackups
from pinnacle_backup.repository.listing import Listing

INDENT = "  "
_TYPE = {FULL: "full"}


def show_listing(out: Output, listed: ListedBackups, *, now: datetime) -> int:
    """Print the backups and return the exit code: 1 when an archive cannot be listed."""
    code = WARNINGS if listed.problems else DONE
    out.json(listed)
    if listed.backups:
        show_backups(out, listed.backups, now, listed.also_in)
        if out.width is not None:
            out.data("", _sum(listed.backups, listed.directory))
    elif not listed.problems:
        empty = f"No backups yet in {printable(listed.directory)}."
        out.data(empty, out.as_called("Make one: pinnacle-backup create"))
    for name, count in listed.only_in.items():
        command = out.as_called(f"pinnacle-backup --repository {name} list")
        out.say(f"{counted(count, 'more backup')} in {printable(name)}: {command}")
    warn_of_problems(out, f"{counted(len(listed.problems), 'archive')} cannot be used:", listed.problems)
    return code


def show_backups(
    out: Output, backups: Sequence[BackupInfo], now: datetime, also_in: AlsoIn = MappingProxyType({})
) -> None:
    """
    Print backups in groups of a full one and what builds on it.

    Args:
        out: Where to.
        backups: Which.
        now: The time.
        also_in: The other places of each, by name; empty where there are none at all.
    """
    grouped = list(in_groups(backups))
    zone = zone_name([instant(backup.header.created) for backup in backups])
    columns, rows = _table(grouped, now, zone, also_in)
    if total_width(columns, rows) <= out.columns:
        out.table(columns, rows)
    else:
        for backup, note in grouped:
            out.data(*_two_lines(out, backup, note, now, zone, also_in))


def in_groups(backups: Iterable[BackupInfo]) -> Iterator[tuple[BackupInfo, str]]:
    """
    Yield each full backup and behind it what builds on it, both oldest first.

    The text beside a backup says what is wrong with its place; it is empty where nothing is.
    """
    ordered = sorted(backups, key=lambda backup: (backup.header.created, backup.name))
    children: dict[str, list[BackupInfo]] = {}
    for backup in ordered:
        children.setdefault(backup.header.base, []).append(backup)
    listing = Listing(tuple(ordered))
    for backup in ordered:
        if not listing.has(backup.header.base):
            yield backup, "no base" if backup.header.base else _note(listing, backup)
            yield from ((child, _note(listing, child)) for child in children.pop(backup.header.id, ()))


def _note(listing: Listing, backup: BackupInfo) -> str:
    """Tell of a backup whose base is there, if it needs one, whether another archive is missing."""
    return "incomplete" if listing.missing(backup) else ""


def _table(
    grouped: Sequence[tuple[BackupInfo, str]], now: datetime, zone: str, also_in: AlsoIn
) -> tuple[list[Column], list[Row]]:
    columns = [
        Column("NAME"),
        Column("TYPE"),
        Column(f"MADE ({zone})" if zone else "MADE"),
        Column("SIZE", right=True),
        Column("STORED", right=True),
        Column("PATHS", right=True),
        Column("ENC"),
        Column("VERIFIED"),
        Column("PIN"),
        *([Column("ALSO IN")] if also_in else []),
    ]
    return columns, [_row(backup, note, now, zone, also_in) for backup, note in grouped]


def _row(backup: BackupInfo, note: str, now: datetime, zone: str, also_in: AlsoIn) -> Row:
    return (
        Cell(_indented(backup), "bad" if note else "strong" if backup.header.type == FULL else ""),
        Cell(type_of(backup, short=True)),
        Cell(_made(backup, zone)),
        Cell(size(backup.totals.size)),
        Cell(size(backup.stored)),
        Cell(number(backup.totals.entries)),
        Cell("enc" if backup.encrypted else ""),
        Cell(note) if note else _verified(backup, now),
        Cell("pin" if backup.pinned else ""),
        *([Cell(_places(backup, also_in))] if also_in else []),
    )


def _places(backup: BackupInfo, also_in: AlsoIn) -> str:
    return ", ".join(map(printable, also_in.get(backup.name, ())))


def type_of(backup: BackupInfo, *, short: bool = False) -> str:
    """Return ``full``, ``incremental`` or ``safety``; short: ``incr``."""
    if backup.header.safety:
        return "safety"
    return "incr" if short and backup.header.type != FULL else backup.header.type


def _indented(backup: BackupInfo) -> str:
    return (INDENT if backup.header.base else "") + printable(backup.name)


def _made(backup: BackupInfo, zone: str) -> str:
    moment = instant(backup.header.created)
    return local(moment) if zone else f"{local(moment)} {moment.astimezone().tzname()}"


def _verified(backup: BackupInfo, now: datetime) -> Cell:
    if not backup.verified:
        return Cell("never", "warn")
    return Cell(_ago(age(instant(backup.verified), now)), "good")


def _ago(how_long: str) -> str:
    return how_long if how_long == "now" else f"{how_long} ago"


def _two_lines(
    out: Output, backup: BackupInfo, note: str, now: datetime, zone: str, also_in: AlsoIn
) -> Iterator[str]:
    name = _indented(backup)
    made = _made(backup, zone) + (f" {zone}" if zone else "")
    style = "bad" if note else "strong" if backup.header.type == FULL else ""
    space = " " * max(out.columns - width(name) - width(made), len(GAP))
    yield out.style(name, style) + space + made
    verified = _verified(backup, now)
    words = [
        Cell(type_of(backup)),
        Cell(counted(backup.totals.entries, "path")),
        Cell(f"{size(backup.totals.size)} in {size(backup.stored)}"),
        Cell("encrypted" if backup.encrypted else ""),
        Cell("not verified", "warn") if not backup.verified else Cell(f"verified {verified.text}", "good"),
        Cell("pinned" if backup.pinned else ""),
        Cell(f"also in {places}" if (places := _places(backup, also_in)) else ""),
        Cell(note, "bad"),
    ]
    indent = INDENT * (3 if backup.header.base else 2)
    yield indent + ", ".join(out.style(word.text, word.style or "dim") for word in words if word.text)


def _sum(backups: Sequence[BackupInfo], where: str) -> str:
    stored = size(sum(backup.stored for backup in backups))
    return f"{counted(len(backups), 'backup')}, {stored} in {printable(where)}"
