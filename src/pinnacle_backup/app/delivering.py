"""What waits in the outbox is delivered. Nothing here ever raises: a message never fails a run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from pinnacle_backup.app.channels import Channel, Refused, channels_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import ConfigError, NotificationError, PinnacleError
from pinnacle_backup.state.messages import Claimed, Draft, Messages


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of the messages that were due.

    Attributes:
        sent: How many were delivered.
        waiting: How many still wait, also those that were not due.
        errors: Why they wait, each reason once.
    """

    sent: int = 0
    waiting: int = 0
    errors: tuple[str, ...] = ()


def deliver(studio: Studio) -> int:
    """Try to deliver all that is due now, and return how many messages still wait."""
    return try_all(studio).waiting


def try_all(studio: Studio) -> Delivery:
    """Try to deliver all that is due now, for about as long as a mail server may take."""
    round_ = _Round(studio)
    waiting = 0
    with unfailing(studio):
        while round_.try_next():
            pass
        waiting = round_.messages.waiting().count
    return Delivery(sent=round_.sent, waiting=waiting, errors=tuple(dict.fromkeys(round_.errors)))


@contextmanager
def unfailing(studio: Studio) -> Iterator[None]:
    """Let nothing that goes wrong with messages get any further than the log."""
    try:
        yield
    except PinnacleError as error:
        studio.log.warning("notifications: %s", error.message)
    except Exception as error:  # noqa: BLE001 - a fault in here must not turn a good run into a failed one
        studio.log.error("notifications: unexpected error: %s: %s", type(error).__name__, error)


def send_unrecorded(studio: Studio, drafts: Iterable[Draft]) -> bool:
    """
    Send at once what cannot be queued, so that the worst, a full disk, is told all the same.

    Returns:
        Whether it was taken everywhere.
    """
    taken = True
    channels = {channel.name: channel for channel in channels_of(studio)}
    deadline = _deadline(studio)
    for draft in drafts:
        try:
            channels[draft.channel].send(draft.content, max(deadline - time.monotonic(), 1.0))
        except PinnacleError as error:
            taken = False
            _complain(studio, error, "a message is lost")
    return taken


class _Round:
    """One round through the outbox: every channel that turns out to be down is passed over from then on."""

    def __init__(self, studio: Studio) -> None:
        self.messages = Messages(studio.state)
        self.sent = 0
        self.errors: list[str] = []
        self._studio = studio
        self._channels = {channel.name: channel for channel in channels_of(studio)}
        self._down: set[str] = set()
        self._deadline = _deadline(studio)

    def try_next(self) -> bool:
        """Try to deliver one message; False where there is none, or no time left."""
        left = self._deadline - time.monotonic()
        claimed = self.messages.claim(self._studio.now(), passing_over=self._down) if left > 0 else None
        if claimed is None:
            return False
        channel = self._channels.get(claimed.channel)
        if channel is None:
            self.messages.forget(claimed)
            self._studio.log.info(
                "notifications: %s is no longer set up; a message is dropped", claimed.channel
            )
            return True
        self._try(claimed, channel, left)
        return True

    def _try(self, claimed: Claimed, channel: Channel, left: float) -> None:
        try:
            refused = channel.send(claimed.content, left)
        except (NotificationError, ConfigError) as error:  # the latter: a secret cannot be had
            self._down.add(channel.name)
            self._put_back(claimed, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - a fault in here must not end a backup, nor come again at once
            self._down.add(channel.name)
            self._put_back(claimed, f"{channel.name}: unexpected error: {type(error).__name__}")
        else:
            self._settle(claimed, refused)

    def _settle(self, claimed: Claimed, refused: Refused | None) -> None:
        if refused is None:
            self.messages.forget(claimed)
            self.sent += 1
            self._studio.log.info("notifications: told by %s", claimed.channel)
        else:
            self._put_back(claimed, refused.error, content=refused.rest, channel_is_down=False)

    def _put_back(
        self, claimed: Claimed, error: str, hint: str = "", *, content: str = "", channel_is_down: bool = True
    ) -> None:
        log = self._studio.log
        clean = self._studio.redact(error)
        goes_on = self.messages.postpone(
            claimed, self._studio.now(), clean, content=content, channel_is_down=channel_is_down
        )
        if not goes_on:
            log.error("notifications: a message of %s is given up: %s", claimed.created, clean)
        elif clean != claimed.error:
            log.warning("notifications: a message waits: %s%s", clean, f" ({hint})" if hint else "")
        self.errors.append(clean)


def _deadline(studio: Studio) -> float:
    return time.monotonic() + studio.configuration.notifications.smtp.timeout_seconds


def _complain(studio: Studio, error: PinnacleError, what: str) -> None:
    line = f"{what}: {studio.redact(error.message)}"
    studio.log.warning("notifications: %s", line)
    studio.warn_once(line)
