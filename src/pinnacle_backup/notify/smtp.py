"""Mail through a server by SMTP (RFC 5321), encrypted from the beginning or with STARTTLS (RFC 3207)."""

from __future__ import annotations

import contextlib
import os
import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Final

from pinnacle_backup.config.notifications import Smtp
from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.mail import addresses, compose
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.smtp_errors import Server, no_starttls, reply_of, translated, unusable_ca_file

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST_SAID: Final = 1 << 20
"""Bytes that a server may answer with in one session."""


def send_mail(message: Message, settings: Smtp, *, root: str) -> None:
    """
    Send a message to everybody in ``to_email``.

    Args:
        message: What to say.
        settings: The mail server.
        root: The studio root, from which ``ca_file`` counts.

    Raises:
        NotificationError: Somebody did not get it; one line that says why.
    """
    refused = offer_mail(message, settings, root=root)
    if refused:
        raise NotificationError("; ".join(dict.fromkeys(refused.values())), hint=_WHO)


_WHO = "check notifications.smtp.to_email, and whether this account may send there"


def offer_mail(
    message: Message,
    settings: Smtp,
    *,
    root: str,
    recipients: tuple[str, ...] = (),
    seconds: float | None = None,
) -> dict[str, str]:
    """
    Offer a message to the mail server, and return the recipients that it did not take it for, and why.

    Args:
        message: What to say.
        settings: The mail server.
        root: The studio root, from which ``ca_file`` counts.
        recipients: Only these; none means everybody in ``to_email``.
        seconds: How long it may take at most; None for the configured time.

    Raises:
        NotificationError: The server could not be used: no mail gets through at present.
    """
    to = recipients or addresses(settings.to_email)
    mail = compose(message, sender=settings.from_email, recipients=to)
    allowed = settings.timeout_seconds if seconds is None else min(seconds, settings.timeout_seconds)
    server = Server(settings, allowed)
    try:
        with _session(settings, _context(settings, root), server) as session:
            _log_in(session, settings, server)
            return _hand_over(session, mail, settings.from_email, to, server)
    except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors, odd host names ValueErrors
        raise translated(error, server) from None


class _Plain(smtplib.SMTP):
    """
    A session that ends at a deadline, whatever the server does in between.

    smtplib's own time limit begins anew with every address of the server and every reply.
    """

    def __init__(self, host: str, port: int, allowed: float) -> None:
        self._deadline = time.monotonic() + allowed
        super().__init__(host, port, local_hostname="localhost", timeout=allowed)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002
        """Connect to the first address of the server that answers."""
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self._left())
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure

    def getreply(self) -> tuple[int, bytes]:
        """Wait for a reply until the deadline."""
        try:
            if self.file is None and self.sock is not None:
                self.file = BufferedReader(_Replies(self.sock, self._left))
            return super().getreply()
        except BaseException:
            self.close()
            raise

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class _Replies(RawIOBase):
    """What the server says, as long as there is time and it does not say too much."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left
        self._allowed = _MOST_SAID

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Wait for the next bytes until the deadline."""
        self._connection.settimeout(self._left())
        count = self._connection.recv_into(buffer)
        self._allowed -= count
        if self._allowed < 0:
            raise smtplib.SMTPException("it says too much")
        return count


class _Encrypted(_Plain):
    """The same, encrypted before the first word (RFC 8314, 3)."""

    def __init__(self, host: str, port: int, allowed: float, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(host, port, allowed)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = super()._get_socket(host, port, timeout)
        try:
            return self._context.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise


@contextlib.contextmanager
def _session(settings: Smtp, context: ssl.SSLContext, server: Server) -> Iterator[smtplib.SMTP]:
    """Connect, greet, and encrypt where that is configured."""
    where = settings.server, settings.port, server.seconds
    session = _Encrypted(*where, context) if settings.implicit_tls else _Plain(*where)
    try:
        session.local_hostname = _own_name(session)
        session.ehlo_or_helo_if_needed()
        if settings.use_tls and not settings.implicit_tls:
            _start_tls(session, context, server)
        yield session
    finally:
        session.close()


def _start_tls(session: smtplib.SMTP, context: ssl.SSLContext, server: Server) -> None:
    if not session.has_extn("starttls"):
        raise no_starttls(server)
    session.starttls(context=context)
    session.ehlo_or_helo_if_needed()


def _own_name(session: smtplib.SMTP) -> str:
    """Return what this machine calls itself to the server; its address where it has no full name."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = session.sock.getsockname()[0] if session.sock else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _context(settings: Smtp, root: str) -> ssl.SSLContext:
    file = os.path.join(root, settings.ca_file) if settings.ca_file else None
    try:
        context = ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        raise unusable_ca_file(file or "", error) from None
    if not settings.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _log_in(session: smtplib.SMTP, settings: Smtp, server: Server) -> None:
    if not settings.username:
        return
    password = settings.password.reveal() if settings.password else ""
    if not password:
        raise NotificationError(
            f"no password for {server.account} on {server.name}", hint="set notifications.smtp.password"
        )
    if (settings.username + password).isascii():
        session.login(settings.username, password)
        return
    plain = b64encode(f"\0{settings.username}\0{password}".encode()).decode()  # RFC 4616; smtplib takes ASCII
    code, reply = session.docmd("AUTH", f"PLAIN {plain}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, reply)


def _hand_over(
    session: smtplib.SMTP, mail: EmailMessage, sender: str, to: tuple[str, ...], server: Server
) -> dict[str, str]:
    try:
        refused = session.send_message(mail, sender, to)
    except smtplib.SMTPRecipientsRefused as error:
        unheard = next(reversed(error.recipients.values()))  # after a 421 the others were not even named
        refused = {address: error.recipients.get(address, unheard) for address in to}
    except smtplib.SMTPDataError as error:
        return dict.fromkeys(to, f"{server.name} refused the mail: {server.said(error)}")
    with contextlib.suppress(OSError):  # the mail is on its way; how the server says good-bye changes nothing
        session.quit()
    return {
        address: f"{server.name} refused the recipient {address}: {server.said(reply_of(reply))}"
        for address, reply in refused.items()
    }
