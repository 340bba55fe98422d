"""How the studio stands."""

from __future__ import annotations

from datetime import datetime

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, warn_of_problems
from pinnacle_backup.cli.text import age, counted, instant, local_with_zone, size
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import StudioStatus

_STYLES = {"good": "good", "warning": "warn", "bad": "bad"}


def show_status(out: Output, status: StudioStatus, now: datetime) -> int:
    """Print the verdict, then the facts behind it."""
    out.json(status)
    out.data(out.style(status.headline, _STYLES[status.level]), "")
    out.facts(
        [
            ("studio", printable(status.root)),
            ("backups", _counts(status)),
            ("in", f"{printable(status.directory)}, {_room(status)}"),
            ("newest", _newest(status.newest, now)),
            ("verified", _moment(status.verified, now) if status.verified else "never"),
            ("schedule", "; ".join(status.schedule) or "nothing is scheduled"),
            ("scheduler", "running" if status.scheduler else "not running"),
        ]
    )
    warn_of_problems(out, f"{counted(len(status.problems), 'archive')} with problems:", status.problems)
    return DONE


def _room(status: StudioStatus) -> str:
    used = f"{size(status.stored)} used"
    return used if status.free is None else f"{used}, {size(status.free)} free"


def _counts(status: StudioStatus) -> str:
    words = [f"{count} {kind}" for kind, count in status.counts.items() if count]
    return ", ".join(words) or "none"


def _newest(backup: BackupInfo | None, now: datetime) -> str:
    if backup is None:
        return ""
    return f"{printable(backup.name)}, {_moment(backup.header.created, now)}"


def _moment(iso: str, now: datetime) -> str:
    moment = instant(iso)
    how_long = age(moment, now)
    return f"{local_with_zone(moment)}, {how_long if how_long == 'now' else how_long + ' ago'}"
