"""The message about a backup that should have been made and was not, and the one that ends it."""

from __future__ import annotations

from pinnacle_backup.app.run_message import Sender, sentence
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.conditions import Condition
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.words import age, instant, local, local_with_zone
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.rules import Decision
from pinnacle_backup.store.locks import holders


def overdue_message(studio: Studio, decision: Decision, sender: Sender) -> Message:
    """Return the alarm."""
    runs = bool(holders(studio.state_directory, "scheduler"))
    look = f"See why: {sender.command('runs')} and {sender.command('status')}"
    start = f"The scheduler does not run. Start it: {sender.command('schedule --start-scheduler --daemon')}"
    return _message(
        decision,
        sender,
        subject="Backup overdue",
        headline=sentence(decision.condition.text),
        facts=(*_newest(studio), ("Scheduler", "running" if runs else "not running")),
        advice=look if runs else start,
    )


def on_time_message(studio: Studio, decision: Decision, known: Condition | None, sender: Sender) -> Message:
    """Return the end of the alarm."""
    before = f"overdue since {local(instant(known.since))}" if known else ""
    return _message(
        decision,
        sender,
        subject="Backups are on time again",
        headline="Backups are made in time again.",
        facts=(*_newest(studio), ("Before", before)),
    )


def _message(
    decision: Decision,
    sender: Sender,
    *,
    subject: str,
    headline: str,
    facts: tuple[tuple[str, str], ...],
    advice: str = "",
) -> Message:
    condition = decision.condition
    where = (("Studio", printable(sender.root)), ("Machine", sender.host))
    return Message(
        id=sender.id,
        level=condition.level,
        subject=f"{subject}: {sender.words}",
        headline=headline,
        facts=(*facts, *where),
        advice=advice,
        root=sender.root,
        host=sender.host,
        moment=instant(condition.since),
    )


def _newest(studio: Studio) -> tuple[tuple[str, str], ...]:
    try:
        states = (info for info in studio.repository.list() if not info.header.safety)
        newest = next(iter(states), None)
    except PinnacleError as error:
        return (("Newest backup", f"cannot be told: {error.message}"),)
    if newest is None:
        return (("Newest backup", "there is none"),)
    made = instant(newest.header.created)
    return (
        ("Newest backup", printable(newest.name)),
        ("Made", f"{local_with_zone(made)}, {age(made, studio.now())} ago"),
    )
