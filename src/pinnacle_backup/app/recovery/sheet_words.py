"""The recovery sheet as plain text, and the words that all its forms share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from pinnacle_backup.app.addresses import is_address
from pinnacle_backup.app.qr import qr_text
from pinnacle_backup.model.sheet import Sheet, SheetStep

ALONE: Final = (
    "All backups lie on the machine that they protect. What destroys it takes them along, and then this "
    "sheet is of no use: enable cloud_storage, or set backup.destinations, and print it again."
)
NO_PASSWORD: Final = "The backups are not encrypted: no password is needed."  # noqa: S105 - a sentence
_LEAD: Final = (
    "With this sheet and any Linux machine the studio comes back, whatever happened to its own. "
    "Lock it away, and never keep it beside the backups."
)
_WIDTH: Final = 78
_LINE: Final = "_"


def to_write(sheet: Sheet) -> tuple[str, ...]:
    """Return what a person writes on the sheet by hand."""
    wanted = ["Password of the backups"] if sheet.encrypted else []
    buckets = {place.address.partition("://")[0] for place in sheet.places if is_address(place.address)}
    if "s3" in buckets:
        wanted += ["Access key of the bucket", "Secret key, or where it is"]
    if "gs" in buckets:
        wanted.append("Where the key file of Google is")
    if "az" in buckets:
        wanted += ["Storage account", "Its key, or where it is"]
    return tuple(wanted)


def doors(sheet: Sheet) -> tuple[str, ...]:
    """Return what opens which places, one sentence a kind."""
    names: dict[str, list[str]] = {}
    for place in sheet.places:
        if place.credentials:
            names.setdefault(place.credentials, []).append(place.name)
    return tuple(f"To {', '.join(places)}: {what}." for what, places in names.items())


def sheet_text(sheet: Sheet) -> str:
    """Return a sheet as plain text of 78 columns."""
    return "\n".join(_lines(sheet)) + "\n"


def _lines(sheet: Sheet) -> Iterator[str]:
    yield from (f"RECOVERY SHEET: {sheet.studio}", "=" * _WIDTH, *wrap(_LEAD, _WIDTH), "")
    yield from _pairs(sheet.facts)
    yield from _titled("Where the backups lie")
    for place in sheet.places:
        yield from (f"{place.name}:", f"    {place.address}")
    if not sheet.address:
        yield from ("", *wrap(ALONE, _WIDTH))
    yield from _titled("What opens them")
    yield from _needs(sheet)
    yield from _titled("How to get everything back")
    yield from _steps(sheet.steps)
    yield from _titled("Without this program")
    yield from _steps(sheet.without)
    code = qr_text(sheet.address) if sheet.address else ""
    if code:
        yield from _titled("The address to recover from")
        yield code
    yield from ("", "", *(f"{what:16}{_LINE * (_WIDTH - 16)}\n" for what in ("Printed on, by", "Kept at")))


def _needs(sheet: Sheet) -> Iterator[str]:
    wanted = to_write(sheet)
    longest = max(map(len, wanted), default=0) + 2
    for what in wanted:
        yield from (f"{what:{longest}}{_LINE * (_WIDTH - longest)}", "")
    if not sheet.encrypted:
        yield NO_PASSWORD
    for password in sheet.passwords:
        yield f"A password that opens the newest backup: {password}"
    for door in doors(sheet):
        yield from wrap(door, _WIDTH, subsequent_indent="    ")


def _titled(title: str) -> Iterator[str]:
    yield from ("", title, "-" * len(title))


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        yield from wrap(f"{name:15}{value}", _WIDTH, subsequent_indent=" " * 15, break_long_words=False)


def _steps(steps: Iterable[SheetStep]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield from wrap(f"{number}. {step.words}", _WIDTH, subsequent_indent="   ", break_long_words=False)
        yield from (f"       {command}" for command in step.commands)
