"""
One request and its answer: HTTP/1.1 over a connection of its own, encrypted beyond this machine.

Redirects are never followed and proxies of the environment never asked: a token goes to the one address that
the person named, or nowhere.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import ConfigError, ServerError
from pinnacle_backup.remote.address import Address, is_loopback
from pinnacle_backup.remote.faults import named_faults

_CHUNK: Final = 256 * 1024
CONNECT_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 180.0
"""Longer than a server takes for anything that it does not answer at once: a test of all channels."""


class Answer:
    """
    An answer whose head is there.

    Args:
        address: Who answers.
        response: As the library has it.
    """

    def __init__(self, address: Address, response: http.client.HTTPResponse) -> None:
        self._address = address
        self._response = response
        self.status = response.status
        self.kind = response.headers.get_content_type()

    @property
    def has_end(self) -> bool:
        """Whether it can be told that all of it has come."""
        return self._response.chunked or self._response.length is not None

    def read(self) -> bytes:
        """
        Return the next bytes of it; none at its end.

        Raises:
            ServerError: Some of it is missing.
        """
        with named_faults(self._address):
            chunk = self._response.read1(_CHUNK)
            if not chunk and self._response.length:  # which the library leaves to us
                raise http.client.IncompleteRead(b"", self._response.length)
            return chunk


@dataclass(frozen=True, kw_only=True)
class Connector:
    """
    Opens connections to one server.

    Attributes:
        address: Where it is.
        token: Who asks.
        ca_file: Certificates to trust instead of the machine's; None for the machine's.
        agent: What this program calls itself.
    """

    address: Address
    token: Secret
    ca_file: str | None = None
    agent: str = "pinnacle-backup"

    @contextmanager
    def exchange(self, method: str, path: str, body: bytes | None = None) -> Iterator[Answer]:
        """
        Send a request and give its answer, whose head is there, for the time of the block.

        Raises:
            ServerError: The server cannot be reached, or is not the one that it should be, or stops talking.
        """
        connection = self._connection()
        try:
            self._connect(connection)
            with named_faults(self.address):
                connection.request(method, self.address.path + path, body, self._headers(body))
                found = connection.getresponse()
            yield Answer(self.address, found)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.address.host, self.address.port
        if not self.address.secure:
            return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._trust())

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        with named_faults(self.address):
            connection.connect()
            assert connection.sock is not None
            if not self.address.secure and not is_loopback(connection.sock.getpeername()[0]):
                raise ServerError(
                    f"{self.address.host} is not this machine, and {self.address.url} is not encrypted",
                    hint="use https://",
                )
            connection.sock.settimeout(ANSWER_SECONDS)

    def _trust(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            shown = one_line(self.ca_file or "")
            what = error.strerror if isinstance(error, OSError) and error.strerror else "it holds none"
            if isinstance(error, ssl.SSLError):
                what = "it holds none in PEM form"
            raise ConfigError(f"--ca-file {shown}: no certificate can be read: {what}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is not None:  # the very certificate of the server is enough
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    def _headers(self, body: bytes | None) -> Mapping[str, str]:
        headers = {
            "Authorization": f"Bearer {self.token.reveal()}",
            "Accept": "application/json",
            "User-Agent": self.agent,
            "Connection": "close",
        }
        return headers if body is None else {**headers, "Content-Type": "application/json"}
