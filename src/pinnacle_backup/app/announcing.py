"""
People are told of what happens: a message is queued with each change that the rules find worth it.

Nothing here ever raises, and nothing fails a run: what goes wrong is logged, and what cannot be delivered
waits in the outbox. How things stand is remembered also where nobody is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from pinnacle_backup.app.channels import PING, Channel, channels_of, encoded
from pinnacle_backup.app.delivering import deliver, try_all, unfailing
from pinnacle_backup.app.digest import weekly_digest
from pinnacle_backup.app.overdue_message import on_time_message, overdue_message
from pinnacle_backup.app.run_message import run_message
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.telling import queue, sender_of, tell
from pinnacle_backup.errors import StateError
from pinnacle_backup.model.conditions import BAD, GOOD, OVERDUE, WARNING
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, Run, RunLine
from pinnacle_backup.notify.rules import BUSY, VERBS, Event, event_of
from pinnacle_backup.notify.signal import SECONDS, Kind, Signal
from pinnacle_backup.state.messages import Draft
from pinnacle_backup.store.locks import holders

__all__ = [
    "announce_on_time",
    "announce_overdue",
    "announce_run",
    "announce_start",
    "deliver",
    "tell_of",
    "weekly_digest",
]

_RANK: Final = (GOOD, WARNING, BAD)
_PINGED: Final = "create"
"""The verb that pings are about."""


def announce_start(studio: Studio, run: Run) -> None:
    """Tell the receiver of pings that a backup begins: now or never, as it measures the time from here."""
    channel = _ping_channel(studio)
    if channel is not None and run.verb == _PINGED:
        with unfailing(studio):
            channel.send(encoded(Signal(kind="start", run_id=_run_id(studio, run))), SECONDS)


def announce_run(studio: Studio, run: Run) -> None:
    """Queue what people and the receiver of pings are told of a run that has ended."""
    if run.verb not in VERBS:
        return
    with unfailing(studio):
        _queue_ping(studio, run)
        event = event_of(run)
        if event is not None and not _is_outdone(studio, run, event):
            lines, sender = _lines(studio, run), sender_of(studio)
            tell(studio, event, lambda decision, known: run_message(run, lines, decision, known, sender))


def announce_overdue(studio: Studio, text: str) -> None:
    """
    Queue the alarm that a backup which should have been made was not; once, however often it is called.

    Args:
        studio: Whose backup.
        text: Which one, in words, as in ``model.health.Overdue``.
    """
    event = Event(subject=OVERDUE, level=BAD, text=text, moment=studio.iso_now())
    with unfailing(studio):
        tell(studio, event, lambda decision, _: overdue_message(studio, decision, sender_of(studio)))


def announce_on_time(studio: Studio) -> None:
    """Queue the end of that alarm, if there was one."""
    event = Event(subject=OVERDUE, level=GOOD, text="", moment=studio.iso_now())
    with unfailing(studio):
        tell(
            studio, event, lambda decision, known: on_time_message(studio, decision, known, sender_of(studio))
        )


def tell_of(studio: Studio, run: Run) -> None:
    """Announce a run, and deliver at once where no scheduler does it. A person may be waiting."""
    if run.verb not in VERBS:
        return
    try:
        announce_run(studio, run)
        if run.outcome != CANCELLED and not holders(studio.state_directory, "scheduler"):
            for error in try_all(studio).errors:
                studio.warn_once(f"the notification waits: {error}")
    except KeyboardInterrupt:  # the run is over, and this does not undo it
        studio.warn_once("the notification waits: stopped before it was sent")


def _is_outdone(studio: Studio, run: Run, event: Event) -> bool:
    """
    Tell whether a run is a part of a job of which an earlier part did worse: the worst is how the job went.

    Else one good backup would be told to have made up for the damaged one that was read back before it.
    """
    try:
        parts = studio.runs.earlier_parts(run.id) if run.id and run.origin.job else []
    except StateError:
        return False
    known = (before for part in parts if (before := event_of(part)) is not None)
    return any(_RANK.index(before.level) > _RANK.index(event.level) for before in known)


def _queue_ping(studio: Studio, run: Run) -> None:
    channel = _ping_channel(studio)
    if channel is not None and run.verb == _PINGED:
        signal = Signal(kind=_ping_kind(run), run=run.id, run_id=_run_id(studio, run))
        queue(studio, (Draft(channel=channel.name, content=encoded(signal), replacing=True),))


def _lines(studio: Studio, run: Run) -> Sequence[RunLine]:
    try:
        return studio.runs.lines(run.id) if run.id else ()
    except StateError:
        return ()


def _ping_channel(studio: Studio) -> Channel | None:
    return next((channel for channel in channels_of(studio) if channel.name == PING), None)


def _ping_kind(run: Run) -> Kind:
    """Return what the receiver is told; a backup that was stopped or never began changes nothing there."""
    if run.outcome == CANCELLED or run.code == BUSY:
        return "log"
    return "fail" if run.outcome in BAD_OUTCOMES else "success"


def _run_id(studio: Studio, run: Run) -> str:
    """Return what start and end of a run have in common, and no other run has."""
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, f"{sender_of(studio).host}{studio.root}#{run.id}@{run.started}")
    )
