"""
Requests in plain text where connections are encrypted: whoever sends one is told to write ``https``.

Nothing of the request is read, nor answered with: the address is our own, whatever name was asked for.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

_PASSED_OVER_BYTES: Final = 64 * 1024
"""So much more of the request is taken, so that the answer arrives; who sends more is cut off."""


class EncryptedOnly(ssl.SSLContext):
    """How connections are encrypted; ``answer`` is for those that are not."""

    answer = b""

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *further: Any, **options: Any
    ) -> ssl.SSLObject:
        """Begin a connection."""
        begun = super().wrap_bio(incoming, outgoing, *further, **options)
        assert isinstance(begun, _Connection)
        begun.incoming, begun.outgoing, begun.answer = incoming, outgoing, self.answer
        return begun


class _Connection(ssl.SSLObject):
    """One connection, encrypted or refused."""

    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    answer: bytes
    _refused: ssl.SSLError | None = None
    _passed_over = 0

    def do_handshake(self) -> None:
        """Go on; where that is a request in plain text, answer it, and wait for the other side to go."""
        if self._refused is None:
            try:
                return super().do_handshake()
            except ssl.SSLError as error:
                if error.reason != "HTTP_REQUEST":
                    raise
                self._refused = error
                self.outgoing.read()
                self.outgoing.write(self.answer)
        self._passed_over += len(self.incoming.read())
        if self._passed_over > _PASSED_OVER_BYTES:
            raise self._refused
        raise ssl.SSLWantReadError


def encrypted_only(url: str) -> EncryptedOnly:
    """
    Return how to encrypt, without a certificate yet.

    Args:
        url: Our address, for those who come without encryption.
    """
    context = EncryptedOnly(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Connection
    context.answer = _answer(f"Connections to this server are encrypted: write https, as in {url}\n".encode())
    return context


def _answer(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 400 Bad Request",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body
