"""
Members: the independently decompressible units of an archive (format.md, "The plain stream").

A codec makes and opens members of one compression. Both codecs refuse anything that this
package would not have written, so that every stored byte has exactly one legal value.
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Final, Protocol

from isal import igzip_lib, isal_zlib

from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.streams import Buffer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST: Final = 64 << 20
"""No reader decompresses more than this from one member."""

_SAMPLE: Final = 16 << 10
_WORTH_IT: Final = 0.97


class Codec(Protocol):
    """Makes and opens the members of one compression."""

    name: str
    extension: str

    def compress(self, data: Buffer, level: int) -> bytes:
        """Return the data as one member; content that does not shrink is stored as it is."""

    def condense(self, data: Buffer, level: int) -> bytes:
        """Return the data as ``compress`` does, smaller if ten times the time can do it; level 0 stays 0."""

    def store(self, data: Buffer) -> bytes:
        """Return the data as one uncompressed member, whose length depends on the data's length only."""

    def decompress(self, member: Buffer) -> bytes:
        """
        Return what exactly one member holds.

        Raises:
            FormatError: The bytes are not one whole, sound member.
        """

    def wrap_trailer(self, payload: bytes) -> bytes:
        """Return the payload as the member that ends an archive."""

    def trailer_size(self, payload_size: int) -> int:
        """Return how long ``wrap_trailer`` makes a payload of that size."""

    def unwrap_trailer(self, trailer: bytes) -> bytes:
        """
        Return the payload.

        Raises:
            FormatError: A byte differs from what ``wrap_trailer`` makes of it.
        """


def _shrinks(data: Buffer) -> bool:
    """Guess from the middle of the data whether compression is worth its time."""
    view = memoryview(data)
    if len(view) < 2 * _SAMPLE:
        return True
    middle = (len(view) - _SAMPLE) // 2
    sample = view[middle : middle + _SAMPLE]
    return len(igzip_lib.compress(sample, 1)) < _SAMPLE * _WORTH_IT


class Gzip:
    """Members are gzip members (RFC 1952) with a header that never varies."""

    name = "gzip"
    extension = ".tar.gz"

    _HEADER: Final = bytes.fromhex("1f8b08000000000000ff")
    _TRAILER_HEADER: Final = bytes.fromhex("1f8b08040000000000ff")
    _EMPTY: Final = bytes.fromhex("0300") + bytes(8)
    _STORED_BLOCK: Final = 0xFFFF
    _CONDENSED: Final = 5
    """Level of zlib. Pages of databases become 7 % smaller than by ISA-L; at 6, in twice the time, 11 %."""

    def compress(self, data: Buffer, level: int) -> bytes:
        if not _shrinks(data):
            return self.store(data)
        return igzip_lib.compress(data, level, flag=igzip_lib.COMP_GZIP) if level else self.store(data)

    def condense(self, data: Buffer, level: int) -> bytes:
        if not level or not _shrinks(data):
            return self.store(data)
        deflated = zlib.compress(data, self._CONDENSED, wbits=-zlib.MAX_WBITS)
        return b"".join((self._HEADER, deflated, self._footer(data)))

    def store(self, data: Buffer) -> bytes:
        """Write deflate's stored blocks (RFC 1951, 3.2.4)."""
        view = memoryview(data)
        parts: list[Buffer] = [self._HEADER]
        for start in range(0, max(len(view), 1), self._STORED_BLOCK):
            block = view[start : start + self._STORED_BLOCK]
            last = start + len(block) >= len(view)
            parts.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF))
            parts.append(block)
        parts.append(self._footer(view))
        return b"".join(parts)

    def decompress(self, member: Buffer) -> bytes:
        if len(member) < 20 or bytes(member[:10]) != self._HEADER:
            raise FormatError("a member does not begin as members do")
        (length,) = struct.unpack("<I", member[-4:])
        if length > LARGEST:
            raise FormatError(f"a member claims to hold {length:,} bytes, more than any may")
        decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        try:
            data: bytes = decompressor.decompress(member, length + 1)
        except isal_zlib.error as error:  # type: ignore[misc] # its stub says "object"
            raise FormatError(f"a member does not decompress ({error})") from error
        if len(data) != length or not decompressor.eof or decompressor.unused_data:
            raise FormatError("a member is cut short or followed by other bytes")
        return data

    def wrap_trailer(self, payload: bytes) -> bytes:
        extra = b"PB" + struct.pack("<H", len(payload)) + payload
        return self._TRAILER_HEADER + struct.pack("<H", len(extra)) + extra + self._EMPTY

    def _footer(self, data: Buffer) -> bytes:
        return struct.pack("<II", isal_zlib.crc32(data), memoryview(data).nbytes & 0xFFFFFFFF)

    def trailer_size(self, payload_size: int) -> int:
        return 26 + payload_size

    def unwrap_trailer(self, trailer: bytes) -> bytes:
        payload = trailer[16:-10]
        if trailer != self.wrap_trailer(payload):
            raise FormatError("the archive does not end with its trailer")
        return payload


class Zstd:
    """Members are zstd frames (RFC 8878) with content size and checksum."""

    name = "zstd"
    extension = ".tar.zst"

    _MAGIC: Final = bytes.fromhex("28b52ffd")
    _SKIPPABLE: Final = struct.pack("<I", 0x184D2A5E)
    _RAW_BLOCK: Final = 128 << 10

    def compress(self, data: Buffer, level: int) -> bytes:
        options = {
            int(zstd.CompressionParameter.compression_level): level,
            int(zstd.CompressionParameter.checksum_flag): 1,
        }
        return zstd.compress(data, options=options)

    def condense(self, data: Buffer, level: int) -> bytes:
        return self.compress(data, level)  # higher ones take long, and not always less room

    def store(self, data: Buffer) -> bytes:
        """Write raw blocks in a single-segment frame without checksum (RFC 8878, 3.1.1)."""
        view = memoryview(data)
        parts: list[Buffer] = [self._MAGIC, b"\xe0", struct.pack("<Q", len(view))]
        for start in range(0, max(len(view), 1), self._RAW_BLOCK):
            block = view[start : start + self._RAW_BLOCK]
            last = start + len(block) >= len(view)
            parts.append(((len(block) << 3) | last).to_bytes(3, "little"))
            parts.append(block)
        return b"".join(parts)

    def decompress(self, member: Buffer) -> bytes:
        if bytes(member[:4]) != self._MAGIC:
            raise FormatError("a member does not begin as members do")
        try:
            length = zstd.get_frame_info(bytes(member[:18])).decompressed_size
            if length is None or length > LARGEST:
                raise FormatError(f"a member claims to hold {length} bytes, which none may")
            decompressor = zstd.ZstdDecompressor()
            data: bytes = decompressor.decompress(member, length + 1)
        except zstd.ZstdError as error:
            raise FormatError(f"a member does not decompress ({error})") from error
        if len(data) != length or not decompressor.eof or decompressor.unused_data:
            raise FormatError("a member is cut short or followed by other bytes")
        return data

    def wrap_trailer(self, payload: bytes) -> bytes:
        return self._SKIPPABLE + struct.pack("<I", len(payload)) + payload

    def trailer_size(self, payload_size: int) -> int:
        return 8 + payload_size

    def unwrap_trailer(self, trailer: bytes) -> bytes:
        payload = trailer[8:]
        if trailer != self.wrap_trailer(payload):
            raise FormatError("the archive does not end with its trailer")
        return payload


CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (Gzip(), Zstd())}


def codec_of(name: str) -> Codec:
    """Return the codec of that name; FormatError where there is none."""
    try:
        return CODECS[name]
    except KeyError:
        raise FormatError(f"the archive uses an unknown compression, {name!r}") from None


def codec_of_stream(first: bytes) -> Codec:
    """Return the codec that a plain stream was made with, by its first bytes."""
    if first.startswith(b"\x1f\x8b"):
        return CODECS["gzip"]
    if first.startswith(b"\x28\xb5\x2f\xfd"):
        return CODECS["zstd"]
    raise FormatError("this is neither a gzip nor a zstd file")
