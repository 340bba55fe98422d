"""Looking at notifications: what is set up, whether it works, and what waits."""

from __future__ import annotations

import msgspec

from pinnacle_backup.app.channels import Channel, Letter, channels_of, encoded
from pinnacle_backup.app.delivering import Delivery, try_all
from pinnacle_backup.app.run_message import Sender
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.telling import sender_of
from pinnacle_backup.errors import PinnacleError, UsageError
from pinnacle_backup.model.conditions import GOOD, Condition
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import SERVER
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.signal import Signal
from pinnacle_backup.state.conditions import Conditions
from pinnacle_backup.state.messages import Backlog, Messages


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """
    One way that messages take.

    Attributes:
        name: As in the outbox: ``smtp``, ``urls[0]``, ``ping``.
        words: Who is told, and how.
    """

    name: str
    words: str


class NotificationsView(msgspec.Struct, frozen=True, kw_only=True):
    """
    How notifications are set up.

    Attributes:
        enabled: Whether anybody is told at all.
        channels: The ways that are set up and switched on.
        told, not_told: Names of the events that are told, and of those that are not.
        wrong: Subjects that do not stand well, the condition of each.
        backlog: What waits to be delivered.
    """

    enabled: bool
    channels: tuple[ChannelView, ...]
    told: tuple[str, ...]
    not_told: tuple[str, ...]
    wrong: tuple[Condition, ...]
    backlog: Backlog


class ChannelTest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of a test message.

    Attributes:
        name, words: As in ``ChannelView``.
        error: Why it did not arrive; empty where it was taken.
        hint: What to do about it.
    """

    name: str
    words: str
    error: str = ""
    hint: str = ""


def view(studio: Studio) -> NotificationsView:
    """
    Return how notifications are set up.

    Raises:
        StateError: What waits cannot be read.
    """
    settings = studio.configuration.notifications
    events = msgspec.structs.asdict(settings.events)
    return NotificationsView(
        enabled=settings.enabled,
        channels=tuple(ChannelView(name=each.name, words=each.words) for each in channels_of(studio)),
        told=tuple(name for name, wanted in events.items() if wanted),
        not_told=tuple(name for name, wanted in events.items() if not wanted),
        wrong=tuple(each for each in Conditions(studio.state).all() if each.level != GOOD),
        backlog=Messages(studio.state).waiting(),
    )


def test_channels(studio: Studio, *names: str) -> tuple[ChannelTest, ...]:
    """
    Send a test message through every channel that is set up, and return how that went.

    Args:
        studio: Whose.
        names: Of the channels; none for all.

    Raises:
        UsageError: One of them is not set up.
    """
    known = {channel.name: channel for channel in channels_of(studio)}
    for name in names:
        if name not in known:
            hint = f"channels that are: {', '.join(known) or 'none'}"
            raise UsageError(f"no channel {name!r} is set up", hint=hint)
    return tuple(_test(studio, known[name]) for name in names or known)


def retry(studio: Studio) -> Delivery:
    """
    Try to deliver all that waits now, whenever it would be due.

    Raises:
        StateError: What waits cannot be read.
    """
    Messages(studio.state).wake(studio.now())
    return try_all(studio)


def _test(studio: Studio, channel: Channel) -> ChannelTest:
    seconds = float(studio.configuration.notifications.smtp.timeout_seconds)
    letter = Letter(message=_test_message(studio, channel, sender_of(studio)))
    content = letter if channel.for_people else Signal(kind="log")
    error = hint = ""
    try:
        refused = channel.send(encoded(content), seconds)
    except PinnacleError as failure:
        error, hint = failure.message, failure.hint
    else:
        error = refused.error if refused else ""
        hint = "check notifications.smtp.to_email" if refused else ""
    if error:
        studio.log.warning("notifications: test: %s", error)
    return ChannelTest(name=channel.name, words=channel.words, error=studio.redact(error), hint=hint)


def _test_message(studio: Studio, channel: Channel, sender: Sender) -> Message:
    return Message(
        id=sender.id,
        level=GOOD,
        subject=f"Test message: {sender.words}",
        headline="Notifications work: this is a test that somebody asked for.",
        facts=(
            ("Sent by", f"{studio.origin.user or 'somebody'}, {_how(studio)}"),
            ("Sent as", channel.words),
            ("Studio", printable(studio.root)),
            ("Machine", sender.host),
        ),
        root=studio.root,
        host=sender.host,
        moment=studio.now(),
    )


def _how(studio: Studio) -> str:
    return "on the page of notifications" if studio.origin.kind == SERVER else "with the command notify test"
