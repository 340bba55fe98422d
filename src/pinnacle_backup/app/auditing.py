"""
Who did what, to what, and how it ended: written into the audit trail.

The hash of every event also goes into the log, as an anchor: so a trail whose end was cut off is noticed.
An event that cannot be written never stops what it tells of: it is an error in the log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.logs import ALL
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import Interrupted, PinnacleError, StateError, UsageError
from pinnacle_backup.model.accounts import Actor, AuditCheck, AuditEvent
from pinnacle_backup.state.audit import AuditTrail

STARTED, GOOD, FAILED = "started", "good", "failed"

_LONGEST: Final = 500
_LONGEST_DETAIL: Final = 2000
_ANCHOR: Final = re.compile(
    rb'(?:\A\S+ INFO |\A\{"time": .*"message": ")audit ([1-9][0-9]{0,15}) ([0-9a-f]{64}): '
)
ANEW: Final = "audit begins anew"
"""In a log: the studio was lost, and its trail with it; what the logs say of that one does not count."""

_BEGIN: Final = re.compile(rb'(?:\A\S+ INFO |\A\{"time": .*"message": ")' + ANEW.encode() + rb":")
_GIVEN: Final = re.compile(r"([1-9][0-9]{0,15}):([0-9a-f]{64})")


def actor_of(studio: Studio) -> Actor:
    """Return who started what this studio does."""
    return Actor(kind=studio.origin.kind, name=studio.origin.user)


def audit(
    studio: Studio,
    actor: Actor,
    action: str,
    object: str,  # noqa: A002 - the word that readers of trails know
    detail: str = "",
    outcome: str = GOOD,
) -> None:
    """
    Add an event to the trail. Never raises.

    Args:
        studio: Whose trail.
        actor: Who did it.
        action: What, in one word: ``restore``, ``user-add`` ...
        object: To what.
        detail: More, in words.
        outcome: ``STARTED``, ``GOOD`` or ``FAILED``.
    """
    what = one_line(studio.redact(object), limit=_LONGEST)
    try:
        event = AuditTrail(studio.state).add(
            actor,
            studio.now(),
            action=action,
            object=what,
            detail=one_line(studio.redact(detail), limit=_LONGEST_DETAIL),
            outcome=outcome,
        )
    except StateError as error:
        studio.log.error(
            "audit: %s of %s by %s (%s) is not in the trail: %s",
            action,
            what,
            actor.who,
            outcome,
            error.message,
        )
        return
    studio.log.info("audit %d %s: %s", event.number, event.hash, _words(event))


def _words(event: AuditEvent) -> str:
    where = f" from {event.address}" if event.address else ""
    return f"{event.action} {event.object} by {event.who}{where}: {event.outcome}"


@dataclass
class Audited:
    """
    What is told of an action that goes on.

    Attributes:
        detail: More, in words.
        outcome: How it ends, unless an error ends it.
    """

    detail: str
    outcome: str = GOOD

    def add(self, detail: str) -> None:
        """Tell more."""
        self.detail = _joined(self.detail, detail)

    def fail(self, reason: str) -> None:
        """Let it end badly, without an error."""
        self.outcome = FAILED
        self.add(reason)


@contextmanager
def audited(
    studio: Studio,
    action: str,
    object: str,  # noqa: A002 - as in ``audit``
    detail: str = "",
    *,
    announce: bool = False,
) -> Iterator[Audited]:
    """
    Audit what happens in the block: how it ended, errors included.

    Args:
        studio: Whose trail; who started what it does is the actor.
        action, object, detail: See ``audit``.
        announce: Also say that it begins: of what is killed in the middle there would be no word.
    """
    actor, going = actor_of(studio), Audited(detail)
    if announce:
        audit(studio, actor, action, object, detail, STARTED)
    try:
        yield going
    except BaseException as error:
        audit(studio, actor, action, object, _joined(going.detail, _reason(error)), FAILED)
        raise
    audit(studio, actor, action, object, going.detail, going.outcome)


def list_events(
    studio: Studio, limit: int, *, below: int = 0, action: str = "", who: str = ""
) -> list[AuditEvent]:
    """
    Return events, newest first.

    Args:
        studio: Whose trail.
        limit: How many at most.
        below: Only those with smaller numbers; 0 for all.
        action, who: Only those; empty for all.
    """
    return AuditTrail(studio.state).newest(limit, below=below, action=action, who=who)


def audit_kinds(studio: Studio) -> tuple[list[str], list[str]]:
    """Return all actions and all actors that the trail holds, to choose from."""
    return AuditTrail(studio.state).kinds()


def check_audit(studio: Studio, anchor: str = "") -> AuditCheck:
    """
    Find the first event that is not as it was written, also by the anchors that the logs hold.

    Args:
        studio: Whose trail.
        anchor: One more that was kept elsewhere: number and hash, ``42:9f86...``.

    Raises:
        UsageError: That is no anchor.
    """
    anchors = dict(_anchors_in_logs(studio))
    if anchor:
        given = _GIVEN.fullmatch(anchor.strip().lower())
        if given is None:
            raise UsageError(
                f"{one_line(anchor, limit=80)!r} is no anchor",
                hint="one is a number, a colon and 64 hex digits",
            )
        anchors[int(given[1])] = given[2]
    return AuditTrail(studio.state).check(anchors)


def _anchors_in_logs(studio: Studio) -> dict[int, str]:
    """Return the anchors in all log files that are kept; of two for one event the older one counts."""
    folder = os.path.join(studio.root, studio.configuration.logging.directory)
    anchors: dict[int, str] = {}
    for number in range(studio.configuration.logging.files, -1, -1):
        name = f"{ALL}.{number}" if number else ALL
        for found, digest in _anchors_in(os.path.join(folder, name)):
            if not found:
                anchors.clear()
            else:
                anchors.setdefault(found, digest)
    return anchors


def _anchors_in(path: str) -> Iterator[tuple[int, str]]:
    """Yield number and hash of each anchor; 0 where a new trail begins."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # a log that cannot be read says nothing against the trail
    with open(descriptor, "rb") as log:
        for line in log:
            if _BEGIN.match(line):
                yield 0, ""
            found = _ANCHOR.match(line)
            if found:
                yield int(found[1]), found[2].decode()


def _joined(detail: str, reason: str) -> str:
    return f"{detail}: {reason}" if detail else reason


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | Interrupted):
        return "stopped before its end"
    return error.message if isinstance(error, PinnacleError) else f"unexpected error: {type(error).__name__}"
