"""A message as a mail: text and HTML in one (RFC 2046, 5.1.4), with headers that nobody can forge."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.html import as_html
from pinnacle_backup.notify.message import Message, as_text

_SENDER = "Pinnacle Backup"
_LONGEST_SUBJECT = 200


def compose(message: Message, *, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """
    Return the mail.

    It has one Message-ID for ever, so that a copy that is sent again is seen to be one, and says that a
    program wrote it (RFC 3834, 5), so that no absence notice answers it.

    Args:
        message: What it says.
        sender, recipients: E-mail addresses.

    Raises:
        NotificationError: An address is none.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender, "from_email", name=_SENDER)
    mail["To"] = tuple(_address(recipient, "to_email") for recipient in recipients)
    mail["Subject"] = one_line(message.subject, limit=_LONGEST_SUBJECT)
    mail["Date"] = format_datetime(message.moment)
    mail["Message-ID"] = f"<{message.id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(message))
    mail.add_alternative(as_html(message), subtype="html")
    return mail


def addresses(text: str) -> tuple[str, ...]:
    """Return the single addresses of a list that is separated by commas, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _address(text: str, key: str, *, name: str = "") -> Address:
    try:
        return Address(display_name=name, addr_spec=text)
    except (MessageError, ValueError, IndexError, AttributeError):  # the last one is a fault of Python's own
        raise NotificationError(
            f"{one_line(text)} is not an e-mail address", hint=f"set notifications.smtp.{key}"
        ) from None


def _domain(address: str) -> str:
    """Return what makes the Message-ID worldwide the only one; letters that no header takes are encoded."""
    try:
        return address.rpartition("@")[2].encode("idna").decode("ascii")
    except UnicodeError:
        return "localhost"
