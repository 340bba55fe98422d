"""The ways that a studio's messages take: which are set up, in words, and sending through one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.notifications import Smtp
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import StateError
from pinnacle_backup.notify.apprise_urls import send_to, service
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.signal import BODY_LIMIT, SECONDS, Signal
from pinnacle_backup.state.messages import Draft

SMTP: Final = "smtp"
URL: Final = "urls[{}]"
PING: Final = "ping"
"""Names of channels, as in the outbox."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """
    What waits in the outbox for people.

    Attributes:
        message: What it says.
        recipients: Who of those in ``to_email`` has not got it yet; none means all.
    """

    message: Message
    recipients: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """
    A message that did not reach everybody, though its channel works.

    Attributes:
        error: Why, one line.
        rest: What is left to deliver.
    """

    error: str
    rest: str


@dataclass(frozen=True)
class Channel:
    """
    One way to tell somebody.

    Attributes:
        name: As in the outbox.
        words: Who is told, and how.
        send: Takes what waits, and how many seconds it may take; raises ``NotificationError`` where nothing
            gets through at present.
    """

    name: str
    words: str
    send: Callable[[str, float], Refused | None]

    @property
    def for_people(self) -> bool:
        """Whether people read what it carries."""
        return self.name != PING


def channels_of(studio: Studio) -> tuple[Channel, ...]:
    """Return all channels that are set up and switched on."""
    settings = studio.configuration.notifications
    if not settings.enabled:
        return ()
    channels = [_mail(studio, settings.smtp)] if settings.smtp.enabled else []
    channels += [_url(number, url) for number, url in enumerate(settings.urls) if url]
    if settings.ping_url:
        channels.append(_pings(studio, settings.ping_url))
    return tuple(channels)


def letters(channels: tuple[Channel, ...], message: Message) -> tuple[Draft, ...]:
    """Return the message for all channels that people read."""
    content = encoded(Letter(message=message))
    return tuple(Draft(channel=channel.name, content=content) for channel in channels if channel.for_people)


def encoded(content: Letter | Signal) -> str:
    """Return what is kept in the outbox."""
    return msgspec.json.encode(content).decode()


def _mail(studio: Studio, settings: Smtp) -> Channel:
    def send(content: str, seconds: float) -> Refused | None:
        from pinnacle_backup.notify.smtp import offer_mail  # noqa: PLC0415 - only who sends mail pays for it

        letter = msgspec.json.decode(content, type=Letter)
        refused = offer_mail(
            letter.message, settings, root=studio.root, recipients=letter.recipients, seconds=seconds
        )
        if not refused:
            return None
        rest = msgspec.structs.replace(letter, recipients=tuple(refused))
        return Refused("; ".join(dict.fromkeys(refused.values())), encoded(rest))

    account = f", as {settings.username}" if settings.username else ""
    server = f"{settings.server}:{settings.port} ({_security(settings)}{account})"
    return Channel(SMTP, f"e-mail to {settings.to_email} through {server}", send)


def _security(settings: Smtp) -> str:
    if not settings.use_tls:
        return "not encrypted"
    how = "TLS" if settings.implicit_tls else "STARTTLS"
    return how if settings.verify_certificate else f"{how}, certificate not checked"


def _url(number: int, url: Secret) -> Channel:
    def send(content: str, _seconds: float) -> Refused | None:
        send_to(url, msgspec.json.decode(content, type=Letter).message)
        return None

    name = URL.format(number)
    return Channel(name, f"{service(url)} (notifications.{name})", send)


def _pings(studio: Studio, url: Secret) -> Channel:
    from pinnacle_backup.notify.ping import ping, place  # noqa: PLC0415 - only who pings pays for it

    def send(content: str, seconds: float) -> Refused | None:
        signal = msgspec.json.decode(content, type=Signal)
        body = log_of(studio, signal.run)
        ping(url, signal.kind, run_id=signal.run_id, body=body, seconds=min(seconds, SECONDS))
        return None

    return Channel(PING, f"pings to {place(url)}", send)


def log_of(studio: Studio, run: int) -> bytes:
    """Return the end of a run's log; nothing where it cannot be read."""
    try:
        lines = studio.runs.lines(run) if run else []
    except StateError:
        return b""
    text = "".join(f"{line.time} {line.level}: {line.text}\n" for line in lines)
    return text.encode("utf-8", "backslashreplace")[-BODY_LIMIT:]
