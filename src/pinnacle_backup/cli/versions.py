"""Versions of paths across backups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pinnacle_backup.cli.entries import mode_text, modified
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, WARNINGS, warn_of_problems
from pinnacle_backup.cli.text import counted, size
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.entry import FILE
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import PathVersion
from pinnacle_backup.model.results import Problem


class Found(Protocol):
    """What a search gives."""

    @property
    def versions(self) -> Iterable[PathVersion]:
        """In path order, those of one path newest first; read once."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Backups that could not be searched; complete when all versions are read."""


def show_versions(out: Output, pattern: str, found: Found) -> int:
    """
    Print versions by path and return the exit code.

    Raises:
        BackupNotFound: No backup has such a path.
    """
    count = 0
    if out.as_json:
        out.json_stream({"pattern": pattern}, "versions", found.versions)
        return WARNINGS if found.problems else DONE
    path = None
    for version in found.versions:
        if version.entry.path != path:
            out.data(*([""] if path is not None else []), out.style(printable(version.entry.path), "strong"))
            path = version.entry.path
        out.data(_line(out, version))
        count += 1
    warn_of_problems(out, f"{counted(len(found.problems), 'backup')} not searched:", found.problems)
    if not count and not found.problems:
        raise BackupNotFound(
            f"no backup holds {printable(pattern)}", hint="patterns: * within a folder, ** across folders"
        )
    return WARNINGS if found.problems else DONE


def _line(out: Output, version: PathVersion) -> str:
    entry = version.entry
    shown = size(entry.size) if entry.type == FILE else entry.type
    newest = printable(version.backups[-1].name)
    others = len(version.backups) - 1
    more = out.style(f" and {counted(others, 'other')}", "dim") if others else ""
    return f"  {mode_text(entry)}  {shown:>6}  {modified(entry)}  in {newest}{more}"
