"""One backup in detail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinnacle_backup.cli.backup_table import type_of
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.text import age, counted, instant, local_with_zone, number, size
from pinnacle_backup.model.backup import BackupInfo, BackupSummary
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import BackupDetails

SHOWN_WARNINGS = 20


def show_details(out: Output, details: BackupDetails, now: datetime) -> int:
    """Print all that is known of one backup."""
    out.json(details)
    if out.as_json:
        return DONE
    out.data(out.style(printable(details.backup.name), "strong"))
    out.facts(_facts(details, now))
    if details.summary is not None:
        out.data("")
        _show_summary(out, details.summary)
    elif details.backup.encrypted:
        out.data("", out.style("More is readable with the password: --decrypt", "dim"))
    return DONE


def _facts(details: BackupDetails, now: datetime) -> list[tuple[str, str]]:
    backup, totals = details.backup, details.backup.totals
    return [
        ("type", type_of(backup)),
        ("made", _moment(backup.header.created, now)),
        ("restores", f"{counted(totals.entries, 'path')}, {size(totals.size)} ({number(totals.size)} bytes)"),
        ("stored", f"{size(backup.stored)} ({number(backup.stored)} bytes), {backup.header.compression}"),
        ("changes", _changes(backup)),
        ("encrypted", "yes" if backup.encrypted else "no"),
        ("verified", _moment(backup.verified, now) if backup.verified else "never"),
        ("pinned", "yes, cleanup keeps it" if backup.pinned else "no"),
        ("protected", _until(details.protected_until)),
        ("warnings", number(totals.warnings) if totals.warnings else ""),
        ("shrunk", "suspiciously little was left of the sources" if totals.shrunk else ""),
        ("needs", _names(details.needs) or "no other archive"),
        ("needed by", _names(details.needed_by)),
        ("file", printable(details.path)),
        ("SHA-256", details.sha256),
        ("id", backup.header.id),
    ]


def _changes(backup: BackupInfo) -> str:
    if not backup.header.base:
        return ""
    totals = backup.totals
    return (
        f"{number(totals.added)} added, {number(totals.changed)} changed, {number(totals.deleted)} deleted"
        " since its base"
    )


def _moment(iso: str, now: datetime) -> str:
    moment = instant(iso)
    how_long = age(moment, now)
    return f"{local_with_zone(moment)}, {how_long if how_long == 'now' else how_long + ' ago'}"


def _until(iso: str) -> str:
    return f"until {local_with_zone(instant(iso))}: the provider lets nobody delete it" if iso else ""


def _names(names: Sequence[str]) -> str:
    return ", ".join(printable(name) for name in names)


def _show_summary(out: Output, summary: BackupSummary) -> None:
    out.facts(
        [
            ("machine", printable(summary.host)),
            ("written by", printable(summary.tool)),
            ("sources", _names(summary.sources)),
            ("databases", _names(summary.databases)),
        ]
    )
    for warning in summary.warnings[:SHOWN_WARNINGS]:
        out.data(f"  {out.style('!', 'warn')} {printable(warning)}")
    if len(summary.warnings) > SHOWN_WARNINGS:
        out.data(f"  and {number(len(summary.warnings) - SHOWN_WARNINGS)} more")
