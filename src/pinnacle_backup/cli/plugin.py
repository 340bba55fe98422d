"""
``status --check``: what monitoring systems understand.

One line with the worst fact, figures behind a bar, then a line for everything that is wrong; the exit code is
the answer. See the Monitoring Plugins Development Guidelines, "Plugin Output for Nagios".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pinnacle_backup.app.checks import CRITICAL_PERCENT, WARN_PERCENT
from pinnacle_backup.app.overdue import LATE
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.text import instant
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.health import CRITICAL, OK, UNKNOWN, WARNING, Check
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.schedule.job import BACKUPS

EXIT_CODES: Final = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}


def show_check(out: Output, status: StudioStatus, now: datetime) -> int:
    """Answer a monitoring system, and return the exit code that it expects."""
    out.json(status)
    figures = " ".join(_figures(status, now))
    out.data(f"PINNACLE {status.level.upper()} - {_clean(status.headline)} | {figures}")
    out.data(*(_line(out, check) for check in status.checks if check.level != OK))
    return EXIT_CODES[status.level]


def show_unknown(out: Output, error: PinnacleError) -> int:
    """Say that nothing can be told, and why."""
    hint = out.as_called(error.hint)
    out.json({"level": UNKNOWN, "headline": error.message, "hint": hint})
    out.data(f"PINNACLE UNKNOWN - {_clean(error.message)}")
    if hint:
        out.data(f"hint: {_clean(hint)}")
    return EXIT_CODES[UNKNOWN]


def _line(out: Output, check: Check) -> str:
    advice = f" (hint: {out.as_called(check.advice)})" if check.advice else ""
    return _clean(f"{check.level.upper()} {check.name}: {check.sentence}{advice}")


def _figures(status: StudioStatus, now: datetime) -> Iterator[str]:
    """Yield performance data: ``label=value[unit];[warning];[critical];[minimum];[maximum]``."""
    if status.newest is not None:
        scheduled = any(run.run in BACKUPS for run in status.upcoming)
        limit = "" if scheduled else f";;{int(LATE.total_seconds())}"
        yield f"age={_seconds(status.newest.header.created, now)}s{limit}"
    if status.verified:
        yield f"verified={_seconds(status.verified, now)}s"
    if status.space is not None:
        yield f"free={status.space.percent:.1f}%;{WARN_PERCENT:g}:;{CRITICAL_PERCENT:g}:;0;100"
    yield f"stored={status.stored}B;;;0"
    yield f"backups={sum(status.counts.values())};;;0"


def _seconds(iso: str, now: datetime) -> int:
    return max(int((now - instant(iso)).total_seconds()), 0)


def _clean(text: str) -> str:
    """Keep a text on its line, and without the bar that begins the figures."""
    return " ".join(text.replace("|", "/").split())
