"""What goes wrong between us and a mail server, in one line each, and never with a secret in it."""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator

from pinnacle_backup.config.notifications import Smtp
from pinnacle_backup.config.redact import Redactor, one_line
from pinnacle_backup.errors import NotificationError

_LONGEST_REPLY = 200
_NOT_FOR_THIS_NAME = 62
_EXPIRED = 10
_WHERE = "check notifications.smtp.server and notifications.smtp.port, and whether the server runs"


class Server:
    """
    A mail server as error messages call it.

    Args:
        settings: Which one.
        seconds: How long it had to answer.
    """

    def __init__(self, settings: Smtp, seconds: float) -> None:
        self.settings = settings
        self.seconds = seconds
        self.name = f"mail server {settings.server}:{settings.port}"
        self.account = one_line(settings.username or "", limit=100)
        self._redact = Redactor(_secret_forms(settings))

    def said(self, error: smtplib.SMTPResponseException) -> str:
        """Return the server's reply as one line; it may repeat what it was told, so secrets are masked."""
        reply = error.smtp_error
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
        return self.clean(f"{error.smtp_code} {' '.join(text.split())}")

    def clean(self, text: str) -> str:
        """Return a text of unknown origin as one short line without secrets."""
        return one_line(self._redact(text), limit=_LONGEST_REPLY).strip()


def reply_of(reply: tuple[int, bytes]) -> smtplib.SMTPResponseException:
    """Return a reply that smtplib keeps as a pair."""
    return smtplib.SMTPResponseException(*reply)


def no_starttls(server: Server) -> NotificationError:
    """Return the error of a server that cannot encrypt."""
    return NotificationError(
        f"{server.name} does not offer STARTTLS, so nothing was sent: it would have gone unencrypted",
        hint="use the server's TLS port (465), or set notifications.smtp.use_tls to false",
    )


def unusable_ca_file(path: str, error: Exception) -> NotificationError:
    """Return the error of a file that holds no certificates."""
    reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    return NotificationError(
        f"{one_line(path)} cannot be used: {reason or 'no certificates in PEM form in it'}",
        hint="notifications.smtp.ca_file names the certificate of the authority that signed the server's",
    )


def translated(error: Exception, server: Server) -> NotificationError:
    """Return what an error of smtplib, of ssl or of the network means."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        error = error.__context__  # smtplib takes time-outs and resets for disconnections
    if isinstance(error, smtplib.SMTPException):
        return _of_protocol(error, server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, server)
    if isinstance(error, ssl.SSLError):
        return _of_tls(error, server)
    return _of_network(error, server)


def _of_protocol(error: smtplib.SMTPException, server: Server) -> NotificationError:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotificationError(
            f"{server.name} refused the login of {server.account}: {server.said(error)}",
            hint=_login_hint(server.settings),
        )
    if isinstance(error, smtplib.SMTPSenderRefused):
        sender = server.settings.from_email
        return NotificationError(
            f"{server.name} refused the sender {sender}: {server.said(error)}",
            hint="set notifications.smtp.from_email to an address that this account may send from, "
            "and notifications.smtp.username where the server wants a login",
        )
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return NotificationError(f"{server.name} closed the connection", hint=_tls_hint(server.settings))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _of_missing_feature(error, server)
    if isinstance(error, smtplib.SMTPResponseException):
        return NotificationError(f"{server.name} refused: {server.said(error)}", hint=_WHERE)
    return NotificationError(f"{server.name} failed: {server.clean(str(error))}", hint=_WHERE)


def _login_hint(settings: Smtp) -> str:
    if settings.server.endswith(("gmail.com", "googlemail.com")):
        return "Gmail wants an app password here: https://myaccount.google.com/apppasswords"
    return "check notifications.smtp.username and notifications.smtp.password"


def _of_missing_feature(error: smtplib.SMTPNotSupportedError, server: Server) -> NotificationError:
    if "AUTH" in str(error):
        return NotificationError(
            f"{server.name} offers no login",
            hint="set notifications.smtp.username to null, or use_tls to true",
        )
    return NotificationError(
        f"{server.name} takes only addresses in ASCII letters",
        hint="check notifications.smtp.from_email and notifications.smtp.to_email",
    )


def _of_certificate(error: ssl.SSLCertVerificationError, server: Server) -> NotificationError:
    name = server.settings.server
    start = f"the certificate of {server.name}"
    if error.verify_code == _NOT_FOR_THIS_NAME or "doesn't match" in str(error.verify_message):
        return NotificationError(
            f'{start} is not for the name "{name}"',
            hint="set notifications.smtp.server to the name that the certificate is for",
        )
    if error.verify_code == _EXPIRED:
        return NotificationError(f"{start} has expired", hint="the server needs a new one")
    return NotificationError(
        f"{start} is not trusted: {server.clean(error.verify_message)}",
        hint="name the certificate of the authority that signed it in notifications.smtp.ca_file",
    )


def _of_tls(error: ssl.SSLError, server: Server) -> NotificationError:
    reason = (error.reason or "no reason given").replace("_", " ").lower()
    return NotificationError(
        f"{server.name}: no encrypted connection: {reason}", hint=_tls_hint(server.settings)
    )


def _tls_hint(settings: Smtp) -> str:
    if settings.implicit_tls:
        return "if the server begins unencrypted, set notifications.smtp.use_ssl to false, with its port"
    return "if the server expects TLS from the beginning, set notifications.smtp.use_ssl to true"


def _of_network(error: Exception, server: Server) -> NotificationError:
    if isinstance(error, socket.gaierror | UnicodeError):
        return NotificationError(f"mail server {server.settings.server} cannot be found", hint=_WHERE)
    if isinstance(error, TimeoutError):
        return NotificationError(
            f"{server.name} did not answer within {server.seconds:.3g} s",
            hint=f"{_WHERE}; {_tls_hint(server.settings)}",
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return NotificationError(f"{server.name} cannot be reached: {server.clean(reason).lower()}", hint=_WHERE)


def _secret_forms(settings: Smtp) -> Iterator[str]:
    """Yield what a reply could give away: the password, and what carries it (RFC 4616, LOGIN)."""
    password = settings.password.reveal() if settings.password else ""
    if not password:
        return
    for text in (password, f"\0{settings.username or ''}\0{password}"):
        yield text
        yield b64encode(text.encode("utf-8", "surrogatepass")).decode()
