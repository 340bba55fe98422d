"""The trailer: the last bytes of an archive, which say where its summary lies (format.md, "The trailer")."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.archive.members import Codec
from pinnacle_backup.errors import FormatError

_LAYOUT: Final = struct.Struct(">QQQ32s32s")


@dataclass(frozen=True)
class Trailer:
    """
    Where the summary lies, and the hashes that everything else is checked against.

    Attributes:
        member: Offset of the summary member.
        stored: Its compressed length.
        length: Its decompressed length.
        summary_sha256: Of the summary member as stored.
        stream_sha256: Of the plain stream before the trailer.
    """

    member: int
    stored: int
    length: int
    summary_sha256: bytes
    stream_sha256: bytes

    def encode(self, codec: Codec) -> bytes:
        """Return the trailer as the archive's last member."""
        fields = (self.member, self.stored, self.length, self.summary_sha256, self.stream_sha256)
        return codec.wrap_trailer(_LAYOUT.pack(*fields))


def trailer_size(codec: Codec) -> int:
    """Return how many bytes the trailer takes."""
    return codec.trailer_size(_LAYOUT.size)


def decode(data: bytes, codec: Codec) -> Trailer:
    """
    Return the trailer of these bytes.

    Raises:
        FormatError: They are not a trailer in its one canonical form.
    """
    payload = codec.unwrap_trailer(data)
    if len(payload) != _LAYOUT.size:
        raise FormatError("the archive does not end with its trailer")
    return Trailer(*_LAYOUT.unpack(payload))
