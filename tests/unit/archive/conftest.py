"""What the tests of the archive share: plain streams in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import BackupHeader, BackupSummary, BackupTotals
from pinnacle_backup.model.entry import Entry


class Memory:
    """A plain stream that was written, and can be read."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.reads: list[tuple[int, int]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.data += data

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > len(self.data):
            raise DamagedError("the file is too short")
        self.reads.append((offset, length))
        return bytes(self.data[offset : offset + length])

    def close(self) -> None:
        self.closed = True


HEADER = BackupHeader(repository="00" * 16, id="11" * 16, type="full", created="2026-11-22T14:03:22.000000Z")


def make_summary(
    index, *, header: BackupHeader = HEADER, archives: tuple[str, ...] = (HEADER.id,)
) -> BackupSummary:
    return BackupSummary(
        backup=header,
        totals=BackupTotals(),
        tool="test",
        host="test",
        sources=(),
        archives=archives,
        index=index,
    )


Build = Callable[..., Memory]


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    return Memory


@pytest.fixture(scope="session")
def summary_of() -> Callable[..., BackupSummary]:
    """Make a summary around a manifest's index."""
    return make_summary


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write an archive of members and manifest lines, into memory."""

    def made(
        entries: Iterable[Entry] = (), members: Iterable[bytes] = (), *, compression: str = "gzip", **summary
    ) -> Memory:
        sink = Memory()
        writer = ArchiveWriter(sink, codec_of(compression), level=1, scratch=str(tmp_path))
        for member in members:
            writer.append(member)
        for entry in entries:
            writer.add(entry)
        writer.finish(lambda index: make_summary(index, **summary))
        writer.close()
        return sink

    return made
