"""The recovery sheet: to the terminal or into a file."""

from __future__ import annotations

import os

from pinnacle_backup.app.recovery.sheet_page import sheet_page
from pinnacle_backup.app.recovery.sheet_words import ALONE, sheet_text
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, WARNINGS
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.sheet import Sheet


def show_sheet(out: Output, sheet: Sheet, path: str, *, as_text: bool) -> int:
    """Print the sheet or write it to a file; return the exit code: 1 where no backup outlives the machine."""
    out.json({**_fields(sheet), "address": sheet.address})
    if path:
        as_text = as_text or path.endswith(".txt")
        _write(path, sheet_text(sheet) if as_text else sheet_page(sheet))
        out.say(f"{printable(os.path.abspath(path))} is the recovery sheet: print it, and lock it away.")
    else:
        out.data(sheet_text(sheet).rstrip("\n"))
    if sheet.address:
        return DONE
    out.warn(ALONE)
    return WARNINGS


def _fields(sheet: Sheet) -> dict[str, object]:
    return {name: getattr(sheet, name) for name in sheet.__struct_fields__}


def _write(path: str, content: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        raise StoreError(f"cannot write {printable(path)}: {error.strerror}") from error
