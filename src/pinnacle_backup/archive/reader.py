"""Reading an archive: from its trailer to its summary, its entries and their content."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

from pinnacle_backup.archive import manifest, trailer
from pinnacle_backup.archive.members import LARGEST, Codec, codec_of_stream
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.backup import BackupSummary, ManifestPart
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes, order_key, to_bytes
from pinnacle_backup.model.streams import ByteSource

_TAIL: Final = 64 << 10
_STEP: Final = 256 << 10
"""Read at once to check the whole: what the processor's caches hold, and the heap need not give back."""


class ArchiveReader:
    """
    One archive, open for random reads. Nothing is believed before its hash was checked.

    Args:
        source: The plain stream.
        name: What messages call the archive.

    Raises:
        FormatError: This is no archive of ours, or one that was cut or changed.
    """

    def __init__(self, source: ByteSource, name: str) -> None:
        self.name = name
        self._source = source
        self._tail_offset, self._tail = source.size, b""
        self._codec = codec_of_stream(self._read(0, min(4, source.size)))
        size = trailer.trailer_size(self._codec)
        if source.size < size:
            raise FormatError(f"{name} is cut short")
        start = max(0, source.size - _TAIL)
        self._tail_offset, self._tail = start, self._read(start, source.size - start)
        try:
            self._trailer = trailer.decode(self._tail[-size:], self._codec)
        except FormatError as error:
            hint = "it was cut, changed, or made by another program"
            raise FormatError(f"{name}: {error.message}", hint=hint) from error
        self._end = source.size - size
        self.summary = self._read_summary()
        self._firsts = [part.first.replace(b"/", b"\0") for part in self.summary.index]

    @property
    def codec(self) -> Codec:
        """The codec that the members were made with."""
        return self._codec

    def entries(self, *, start: str = "") -> Iterator[Entry]:
        """
        Yield the manifest's entries in path order, from the path ``start`` on.

        Raises:
            DamagedError: A part is damaged; what was yielded before is sound.
        """
        key = order_key(start)
        last = b""
        for part in self.summary.index[self._part_of(key) :]:
            for entry in self._decode_part(part):
                this = order_key(entry.path)
                if this <= last:
                    raise FormatError(f"{self.name}: the manifest is not in path order")
                last = this
                if this >= key:
                    yield entry

    def part_starts(self) -> list[str]:
        """Return the first path of each part of the manifest."""
        return [from_bytes(part.first) for part in self.summary.index]

    def part(self, number: int) -> list[Entry]:
        """Return the entries of one part of the manifest; a manifest without entries has one empty part."""
        return self._decode_part(self.summary.index[number]) if self.summary.index else []

    def find(self, path: str) -> Entry | None:
        """Return the manifest's entry of that path, reading one part only."""
        key = order_key(path)
        for part in self.summary.index[self._part_of(key) :][:1]:
            for entry in self._decode_part(part):
                if entry.path == path:
                    return entry
        return None

    def member(self, offset: int, stored: int) -> bytes:
        """
        Return what the member at that place holds, decompressed.

        Raises:
            DamagedError: No sound member lies there.
        """
        return self.decompress(self.raw_member(offset, stored))

    def raw_member(self, offset: int, stored: int) -> bytes:
        """Return the member as it is stored, compressed."""
        if not 0 < stored <= LARGEST or offset < 0 or offset + stored > self._end:
            raise FormatError(f"{self.name}: the manifest points outside the archive")
        return self._read(offset, stored)

    def decompress(self, raw: bytes) -> bytes:
        """Return what a member of this archive holds; see ``member``."""
        try:
            return self._codec.decompress(raw)
        except FormatError as error:
            raise DamagedError(f"{self.name}: {error.message}") from error

    def check_stream(self, advance: Callable[[int], None]) -> str:
        """
        Read every byte and compare their SHA-256 with the trailer's.

        Returns:
            The SHA-256 of the whole plain stream in hex, trailer included.

        Raises:
            DamagedError: A byte differs.
        """
        digest = hashlib.sha256()
        for offset in range(0, self._end, _STEP):
            data = self._read(offset, min(_STEP, self._end - offset))
            digest.update(data)
            advance(len(data))
        if digest.digest() != self._trailer.stream_sha256:
            raise DamagedError(f"{self.name}: the SHA-256 of the archive's bytes is not the recorded one")
        digest.update(self._tail[self._end - self._tail_offset :])
        return digest.hexdigest()

    def close(self) -> None:
        """Give back the source."""
        self._source.close()

    def _read_summary(self) -> BackupSummary:
        wanted = self._trailer
        if wanted.stored > LARGEST or wanted.member + wanted.stored > self._end:
            raise FormatError(f"{self.name}: the trailer points outside the archive")
        raw = self._read(wanted.member, wanted.stored)
        if hashlib.sha256(raw).digest() != wanted.summary_sha256:
            raise DamagedError(f"{self.name}: the summary is damaged")
        line = self.decompress(raw)
        if len(line) != wanted.length:
            raise DamagedError(f"{self.name}: the summary is damaged")
        return manifest.decode_summary(line)

    def _decode_part(self, part: ManifestPart) -> list[Entry]:
        raw = self.raw_member(part.member, part.stored)
        if hashlib.sha256(raw).hexdigest() != part.sha256:
            raise DamagedError(f"{self.name}: the manifest is damaged from {from_bytes(part.first)!r} on")
        lines = self.decompress(raw)
        entries = manifest.decode(lines)
        if len(lines) != part.length or not entries or to_bytes(entries[0].path) != part.first:
            raise FormatError(f"{self.name}: the manifest's index does not fit the manifest")
        return entries

    def _part_of(self, key: bytes) -> int:
        return max(bisect_right(self._firsts, key) - 1, 0)

    def _read(self, offset: int, length: int) -> bytes:
        """Read, from the tail that is already here where possible."""
        if self._tail and offset >= self._tail_offset:
            start = offset - self._tail_offset
            return self._tail[start : start + length]
        return self._source.read_at(offset, length)
