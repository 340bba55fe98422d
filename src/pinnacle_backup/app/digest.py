"""The summary of a week: how the runs ended, and how the studio stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.app.channels import channels_of, letters
from pinnacle_backup.app.delivering import unfailing
from pinnacle_backup.app.run_message import Sender, cleaned
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.telling import queue, sender_of
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.conditions import BAD, GOOD, WARNING
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, WARNINGS, Run
from pinnacle_backup.model.words import age, counted, instant, local, size
from pinnacle_backup.notify.message import Message, last_lines
from pinnacle_backup.notify.rules import VERBS
from pinnacle_backup.state.properties import Properties

_REMEMBERED: Final = "weekly_digest"
_HOUR: Final = 8
_WEEK: Final = timedelta(days=7)


def weekly_digest(studio: Studio, now: datetime) -> None:
    """
    Queue the summary of the last seven days: on Monday from 8:00 on, once; on a later day if that was missed.

    Args:
        studio: Of which studio.
        now: The time, in the zone that the day and the hour are meant in.
    """
    channels = tuple(channel for channel in channels_of(studio) if channel.for_people)
    if not channels or not studio.configuration.notifications.events.weekly_digest:
        return
    with unfailing(studio):
        if _is_due(Properties(studio.state), now):
            runs = [run for run in studio.runs.since(now - _WEEK) if run.verb in VERBS]
            message = cleaned(digest_message(studio, runs, now, sender_of(studio)), studio.redact)
            queue(studio, letters(channels, message))


def _is_due(properties: Properties, now: datetime) -> bool:
    """Tell whether this week's is to be sent, and remember that it was."""
    monday = now.replace(hour=_HOUR, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    if now < monday:
        return False
    week = monday.date().isoformat()
    known = properties.get(_REMEMBERED)
    if known == week or not properties.change(_REMEMBERED, week):
        return False
    return bool(known) or now.weekday() == 0  # who switches it on in mid-week does not get one at once


def digest_message(studio: Studio, runs: Sequence[Run], now: datetime, sender: Sender) -> Message:
    """Return the summary of these runs."""
    failed = [run for run in runs if run.outcome in BAD_OUTCOMES]
    warned = [run for run in runs if run.outcome == WARNINGS]
    backups = [run for run in runs if run.verb == "create" and run.outcome not in (*BAD_OUTCOMES, CANCELLED)]
    level = BAD if failed or not backups else WARNING if warned else GOOD
    return Message(
        id=sender.id,
        level=level,
        subject=f"{_verdict(failed, warned, backups)}: {sender.words}, the week to {now:%Y-%m-%d}",
        headline=f"{counted(len(backups), 'backup')} in the last seven days, {_troubles(failed, warned)}.",
        facts=(
            *_by_verb(runs),
            *_standing(studio, now),
            ("Studio", printable(sender.root)),
            ("Machine", sender.host),
        ),
        details=last_lines([_line(run) for run in (*failed, *warned)]),
        advice=_advice(level, backups, sender),
        root=sender.root,
        host=sender.host,
        moment=now,
    )


def _verdict(failed: Sequence[Run], warned: Sequence[Run], backups: Sequence[Run]) -> str:
    if failed:
        return f"{counted(len(failed), 'failure')} this week"
    if not backups:
        return "No backup this week"
    return f"{counted(len(warned), 'run')} with warnings this week" if warned else "A good week"


def _troubles(failed: Sequence[Run], warned: Sequence[Run]) -> str:
    parts = [counted(len(failed), "run") + " failed"] if failed else []
    parts += [f"{counted(len(warned), 'run')} with warnings"] if warned else []
    return " and ".join(parts) or "and nothing failed"


def _by_verb(runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    """Return for each verb how its runs ended."""
    counts = {verb: Counter(run.outcome for run in runs if run.verb == verb) for verb in sorted(VERBS)}
    return tuple(
        (_NAMES.get(verb, verb.capitalize()), ", ".join(f"{count:,} {word}" for word, count in found.items()))
        for verb, found in counts.items()
        if found
    )


_NAMES: Final = {"create": "Backups"}


def _standing(studio: Studio, now: datetime) -> tuple[tuple[str, str], ...]:
    try:
        backups = studio.repository.list()
        free = studio.repository.store.free_bytes()
    except PinnacleError as error:
        return (("Repository", f"cannot be read: {error.message}"),)
    newest = next((info for info in backups if not info.header.safety), None)
    made = f"{printable(newest.name)}, {age(instant(newest.header.created), now)} ago" if newest else "none"
    return (
        ("Newest backup", made),
        ("Stored", f"{counted(len(backups), 'backup')}, {size(sum(info.stored for info in backups))}"),
        ("Free", "" if free is None else size(free)),
    )


def _line(run: Run) -> str:
    job = f" ({run.origin.job})" if run.origin.job else ""
    return f"{local(instant(run.started))} {run.verb}{job} {run.outcome}: {run.message}"


def _advice(level: str, backups: Sequence[Run], sender: Sender) -> str:
    if level == GOOD:
        return ""
    if not backups:
        return f"Make a backup, and see why none was made: {sender.command('status')}"
    return f"See how things stand now: {sender.command('status')}"
