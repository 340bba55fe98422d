"""From an event to the outbox: the rules decide, the condition and the message are written down together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from pinnacle_backup.app.channels import channels_of, letters
from pinnacle_backup.app.delivering import send_unrecorded
from pinnacle_backup.app.own_program import typed
from pinnacle_backup.app.run_message import Sender, cleaned
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.notifications import Events
from pinnacle_backup.errors import StateError
from pinnacle_backup.model.conditions import GOOD, Condition
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.rules import SILENCE, Decision, Event, decide
from pinnacle_backup.state.conditions import Conditions
from pinnacle_backup.state.messages import Draft, Messages

Compose = Callable[[Decision, Condition | None], Message]
"""Makes a message of what was decided and how the subject stood before."""


def sender_of(studio: Studio) -> Sender:
    """Return from where a new message comes."""
    name = studio.randomness(16).hex()
    return Sender(id=name, root=studio.root, host=os.uname().nodename, program=typed())


def tell(studio: Studio, event: Event, compose: Compose) -> None:
    """Remember what an event changes, and queue what people are told of it."""
    channels = tuple(channel for channel in channels_of(studio) if channel.for_people)
    switches = studio.configuration.notifications.events if channels else SILENCE

    def drafts_of(decision: Decision, known: Condition | None) -> tuple[Draft, ...]:
        if not decision.send:
            return ()
        return letters(channels, cleaned(compose(decision, known), studio.redact))

    try:
        conditions = Conditions(studio.state)
        known = conditions.get(event.subject)
        decision = decide(known, event, switches)
        if not _is_old_news(known, decision):
            drafts = drafts_of(decision, known)
            conditions.change(event.subject, _settled(event, switches, drafts), studio.now())
        studio.unrecorded.pop(event.subject, None)
    except StateError as error:
        studio.log.warning("notifications: %s", error.message)
        _tell_unrecorded(studio, event, drafts_of(decide(None, event, switches), None))


def _tell_unrecorded(studio: Studio, event: Event, drafts: Sequence[Draft]) -> None:
    """Tell at once, and in this process once: the scheduler comes every minute, for days perhaps."""
    known = studio.unrecorded.get(event.subject)
    if known != event.level and send_unrecorded(studio, drafts):
        studio.unrecorded[event.subject] = event.level


def _settled(
    event: Event, switches: Events, drafts: Sequence[Draft]
) -> Callable[[Condition | None], tuple[Condition, Sequence[Draft]]]:
    """Return what decides once more within the transaction: another process may have told it meanwhile."""

    def work(known: Condition | None) -> tuple[Condition, Sequence[Draft]]:
        decision = decide(known, event, switches)
        return decision.condition, drafts if decision.send else ()

    return work


def _is_old_news(known: Condition | None, decision: Decision) -> bool:
    """Tell whether there is nothing to write down: the scheduler says once a minute that all is well."""
    if decision.send:
        return False
    if known is None:
        return decision.condition.level == GOOD
    return (known.level, known.told) == (decision.condition.level, decision.condition.told)


def queue(studio: Studio, drafts: Sequence[Draft]) -> None:
    """Queue messages that are no change of a condition."""
    if not drafts:
        return
    try:
        Messages(studio.state).add(drafts, studio.now())
    except StateError as error:
        studio.log.warning("notifications: %s", error.message)
        send_unrecorded(studio, drafts)
