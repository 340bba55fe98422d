"""Writing an archive in its commit order: data members, manifest, trailer (format.md, "The plain stream")."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from typing import IO, Final

from pinnacle_backup.archive import manifest, tar
from pinnacle_backup.archive.members import LARGEST, Codec
from pinnacle_backup.archive.trailer import Trailer
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.backup import BackupSummary, ManifestPart
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.streams import Buffer, ByteWriter

_PART: Final = 1 << 20
_IN_MEMORY: Final = 8 << 20
_COPY: Final = 1 << 20


class ArchiveWriter:
    """
    Writes one plain stream. Memory does not grow with the number of entries.

    Args:
        sink: Receives the plain stream; committing it is the caller's.
        codec: Makes the members of the manifest.
        level: Compression level of the manifest.
        scratch: Folder where a large manifest waits until the data is written.
    """

    def __init__(self, sink: ByteWriter, codec: Codec, *, level: int, scratch: str) -> None:
        self._sink = sink
        self._codec = codec
        self._level = level
        self._sha256 = hashlib.sha256()
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=scratch)  # noqa: SIM115
        self._lines = bytearray()
        self._first = b""
        self._parts: list[ManifestPart] = []
        self._manifest_length = 0
        self.sha256 = ""
        """Of the whole plain stream in hex, once it is finished."""
        self.offset = 0
        """Where the next member will lie."""

    def append(self, member: Buffer) -> int:
        """Append one member, and return its offset."""
        offset = self.offset
        self._sink.write(member)
        self._sha256.update(member)
        self.offset += len(member)
        return offset

    def add(self, entry: Entry) -> None:
        """
        Append a line to the manifest. Entries come in path order.

        Raises:
            FormatError: The line is longer than any reader would read.
        """
        if not self._lines:
            self._first = to_bytes(entry.path)
        line = manifest.encode(entry)
        if len(line) > LARGEST - _PART:
            raise FormatError(f"{printable(entry.path)}: a file of so many chunks does not fit the manifest")
        self._lines += line
        if len(self._lines) >= _PART:
            self._end_part()

    def add_lines(self, lines: bytes) -> None:
        """Append lines to the manifest, as ``manifest.encode`` makes them. They come in path order."""
        while len(self._lines) + len(lines) >= _PART:
            end = lines.index(b"\n", max(_PART - len(self._lines) - 1, 0)) + 1
            self._take(lines[:end])
            self._end_part()
            lines = lines[end:]
        self._take(lines)

    def finish(self, summarise: Callable[[tuple[ManifestPart, ...]], BackupSummary]) -> BackupSummary:
        """
        Write manifest, summary, end and trailer.

        Args:
            summarise: Makes the summary when the manifest's index is known.
        """
        self._end_part()
        header_size = len(self._codec.store(bytes(tar.BLOCK)))
        first_part = self.offset + header_size
        index = tuple(
            ManifestPart(p.first, p.member + first_part, p.stored, p.length, p.sha256) for p in self._parts
        )
        summary = summarise(index)
        line = manifest.encode_summary(summary)
        self._manifest_length += len(line)
        self.append(self._codec.store(tar.manifest_header(self._manifest_length)))
        self._copy_parts()
        self._end(line)
        return summary

    def close(self) -> None:
        """Give back the spool."""
        self._spool.close()

    def _take(self, lines: bytes) -> None:
        if lines and not self._lines:
            self._first = to_bytes(manifest.first_path(lines))
        self._lines += lines

    def _end_part(self) -> None:
        if not self._lines:
            return
        member = self._codec.compress(self._lines, self._level)
        sha256 = hashlib.sha256(member).hexdigest()
        self._parts.append(
            ManifestPart(self._first, self._spool.tell(), len(member), len(self._lines), sha256)
        )
        self._spool.write(member)
        self._manifest_length += len(self._lines)
        self._lines.clear()

    def _copy_parts(self) -> None:
        self._spool.seek(0)
        while chunk := self._spool.read(_COPY):
            self.append(chunk)

    def _end(self, line: bytes) -> None:
        member = self._codec.compress(line, self._level)
        offset = self.append(member)
        self.append(self._codec.compress(tar.padding(self._manifest_length) + tar.END, self._level))
        summary_sha256 = hashlib.sha256(member).digest()
        trailer = Trailer(offset, len(member), len(line), summary_sha256, self._sha256.digest())
        last = trailer.encode(self._codec)
        self._sink.write(last)
        self._sha256.update(last)
        self.sha256 = self._sha256.hexdigest()
