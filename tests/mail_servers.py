"""Real mail servers on the loopback interface, authorities that sign their certificates, and receivers of pings."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class Authority:
    """
    A certificate authority of one's own.

    Attributes:
        file: Its certificate, PEM.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = self._signed(self._name, self._key.public_key(), constraints)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """Return what a server of these names encrypts with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.issue(*names, expired=expired))
        return context

    def issue(self, *names: str, expired: bool = False) -> Path:
        """Return a file with a certificate for hosts or addresses, and its key, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._signed(subject, key.public_key(), alternatives, days=-1 if expired else 1)
        file = self._folder / f"server-{certificate.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return file

    def _signed(
        self, subject: x509.Name, key: Any, extension: x509.ExtensionType, *, days: int = 1
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )


class Mail(NamedTuple):
    """A mail as it arrived: for whom, and what it is."""

    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        """Its plain text."""
        return _part(self.message, "plain")

    @property
    def html(self) -> str:
        """Its HTML."""
        return _part(self.message, "html")


class MailServer:
    """
    A mail server in a thread.

    Args:
        tls: What it encrypts with; None offers no STARTTLS.
        implicit: Whether it encrypts from the beginning.
        account: User and password that it insists on; None lets everybody in.
        refuses: Recipients that it does not take.
        port: Where; 0 for any free one.

    Attributes:
        mails: What arrived.
        port: Where it listens.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        account: tuple[str, str] | None = None,
        refuses: frozenset[str] = frozenset(),
        port: int = 0,
    ) -> None:
        self.mails: list[Mail] = []
        self.port = port or free_port()
        self._refuses = refuses
        self._account = account
        options: dict[str, Any] = {"ssl_context": tls} if implicit else {"tls_context": tls}
        if account:
            options |= {"auth_required": True, "authenticator": self._knows}
            options |= {"auth_require_tls": bool(tls) and not implicit}
        self._controller = Controller(self, hostname=HOST, port=self.port, **options)

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        """Take a recipient or not."""
        if address in self._refuses:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        """Take a mail."""
        message = message_from_bytes(envelope.content, policy=default)
        self.mails.append(Mail(list(envelope.rcpt_tos), message))
        return "250 OK"

    def _knows(self, server, session, envelope, mechanism, data) -> AuthResult:
        user, password = (part.decode() for part in (data.login, data.password))
        if (user, password) == self._account:
            return AuthResult(success=True)
        said = f"535 5.7.8 {user} cannot log in with {password}"  # some servers do repeat it
        return AuthResult(success=False, handled=False, message=said)


class Ping(NamedTuple):
    """A request as it arrived."""

    path: str
    body: bytes


class PingServer:
    """
    A receiver of pings in a thread.

    Args:
        answer: Returns the status and the headers for a path.

    Attributes:
        pings: What arrived.
        url: Its address.
    """

    def __init__(self, answer: Callable[[str], tuple[int, dict[str, str]]] = lambda _: (200, {})) -> None:
        self.pings: list[Ping] = []
        pings = self.pings

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                pings.append(Ping(self.path, body))
                status, headers = answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> PingServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def free_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _alternative(name: str) -> x509.GeneralName:
    if name.replace(".", "").isdigit():
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
