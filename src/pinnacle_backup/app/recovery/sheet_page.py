"""The recovery sheet as a page: one file that needs nothing else, one sheet of A4 in black on white."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from pinnacle_backup.app.qr import qr_svg
from pinnacle_backup.app.recovery.sheet_words import ALONE, NO_PASSWORD, doors, to_write
from pinnacle_backup.model.sheet import Sheet, SheetStep


def sheet_page(sheet: Sheet) -> str:
    """Return the page of a sheet."""
    package = files("pinnacle_backup.app.recovery")
    template = Template(package.joinpath("sheet.html").read_text("utf-8"))
    return template.substitute(
        style=package.joinpath("sheet.css").read_text("utf-8"),
        studio=escape(sheet.studio),
        facts=_pairs(sheet.facts),
        code=_code(sheet.address),
        places=_places(sheet),
        needs=_needs(sheet),
        steps=_steps(sheet.steps),
        without=_steps(sheet.without),
    )


def _code(address: str) -> str:
    svg = qr_svg(address) if address else ""
    return f"<figure>{svg}<figcaption>The address to recover from</figcaption></figure>" if svg else ""


def _places(sheet: Sheet) -> str:
    shown = "".join(
        f'<dt>{escape(place.name)}</dt><dd class="address">{escape(place.address)}</dd>'
        for place in sheet.places
    )
    alarm = "" if sheet.address else f'<p class="note alarm">{escape(ALONE)}</p>'
    return f"<dl>{shown}</dl>{alarm}"


def _needs(sheet: Sheet) -> str:
    lines = "".join(f"<dt>{escape(what)}</dt><dd></dd>" for what in to_write(sheet))
    shown = f'<dl class="write">{lines}</dl>' if lines else ""
    notes = [] if sheet.encrypted else [NO_PASSWORD]
    if sheet.passwords:
        notes.append(f"Any one of these passwords opens the newest backup: {'; '.join(sheet.passwords)}.")
    notes += doors(sheet)
    return shown + "".join(f'<p class="note">{escape(note)}</p>' for note in notes)


def _steps(steps: Iterable[SheetStep]) -> str:
    return "".join(f"<li>{escape(step.words)}{_commands(step)}</li>" for step in steps)


def _commands(step: SheetStep) -> str:
    return f"<pre>{escape(chr(10).join(step.commands))}</pre>" if step.commands else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
