"""How layers hand bytes to one another: random reads and sequential writes."""

from __future__ import annotations

from typing import Protocol

Buffer = bytes | bytearray | memoryview


class ByteSource(Protocol):
    """Bytes that can be read at any place."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read_at(self, offset: int, length: int) -> bytes:
        """
        Return exactly ``length`` bytes from ``offset``.

        Raises:
            DamagedError: Fewer bytes are there, or they are not authentic.
            StoreError: They cannot be read.
        """

    def close(self) -> None:
        """Give back what reading needed."""


class ByteWriter(Protocol):
    """Takes bytes in order."""

    def write(self, data: Buffer) -> None:
        """
        Append the bytes; they are taken before this returns, so the buffer may be used again.

        Raises:
            StoreFull: No space is left.
            StoreError: They cannot be written.
        """


class ByteSink(ByteWriter, Protocol):
    """Bytes that come in order and appear under their name all at once, or never."""

    def check(self, sha256: str) -> None:
        """
        Make what was written durable, read it back from the medium and compare.

        Args:
            sha256: In hex, of all that was written.

        Raises:
            DamagedError: Other bytes came back.
            StoreError: It cannot be read back.
        """

    def commit(self) -> None:
        """
        Make all that was written durable and visible under its final name.

        Raises:
            ObjectExists: The name was taken meanwhile; nothing was overwritten.
            StoreError: Nothing became visible.
        """

    def abort(self) -> None:
        """Forget all that was written. Harmless after ``commit`` and when called twice."""
