"""
Messages to chats, phones and other services, by the optional library Apprise.

The addresses are secrets, as they hold tokens; messages name the service only.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from pinnacle_backup.config.redact import Redactor, one_line
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import ConfigError, NotificationError
from pinnacle_backup.model.conditions import BAD, GOOD, WARNING
from pinnacle_backup.notify.message import Message, as_text

_TYPES: Final = {GOOD: "success", WARNING: "warning", BAD: "failure"}
_DELIMITERS: Final = re.compile(r"[/:@?&=,+#;]+")
_LONGEST_REASON: Final = 200
_SHORTEST_SECRET: Final = 3


def send_to(url: Secret, message: Message) -> None:
    """
    Send a message to one service.

    Args:
        url: Its address, as Apprise understands it.
        message: What to say.

    Raises:
        NotificationError: It did not arrive, or Apprise is not installed.
        ConfigError: The address cannot be had.
    """
    address = url.reveal()
    apprise = _library()
    target = apprise.Apprise()
    with apprise.LogCapture(level=apprise.logging.INFO, fmt="%(levelname)s %(message)s") as log:
        try:
            sent = target.add(address) and target.notify(
                title=one_line(message.subject),
                body=as_text(message),
                notify_type=_TYPES.get(message.level, "failure"),
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - 170 services, each with errors of its own
            sent, why = False, type(error).__name__
        else:
            why = _reason(log.getvalue(), url)
    if not len(target):
        raise NotificationError(
            f"notifications.urls: Apprise does not understand an address that begins with {service(url)}:",
            hint="see https://appriseit.com/services for how to write it",
        )
    if not sent:
        raise NotificationError(f"{service(url)} did not take the message{why and f': {why}'}", hint=_HINT)


_HINT: Final = "check the address in notifications.urls, and whether this machine reaches the service"


def service(url: Secret) -> str:
    """Return which service an address is of: its scheme, and nothing of what follows."""
    try:
        scheme, separator, _ = url.reveal().partition("://")
    except ConfigError:  # it cannot be had; who sends to it is told
        return "unknown"
    return one_line(scheme, limit=30) if separator and scheme.isalnum() else "unknown"


def _library() -> Any:
    try:
        import apprise  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        raise NotificationError(
            "notifications.urls needs the library apprise, which is not installed",
            hint="pip install 'pinnacle-backup[apprise]'",
        ) from None
    return apprise


def _reason(log: str, url: Secret) -> str:
    """Return the last complaint of the library, without any part of the address."""
    complaints = [
        line.partition(" ")[2] for line in log.splitlines() if line.startswith(("WARNING ", "ERROR "))
    ]
    if not complaints:
        return ""
    return one_line(Redactor(_parts(url))(complaints[-1]).rstrip("."), limit=_LONGEST_REASON)


def _parts(url: Secret) -> list[str]:
    """Return all of an address that might be secret: every part of it behind the scheme."""
    text = url.reveal()
    found = {text, *_DELIMITERS.split(text.partition("://")[2])}
    found |= {unquote(part) for part in found}
    return [part for part in found if len(part) >= _SHORTEST_SECRET]
