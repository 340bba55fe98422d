"""
How the golden archives were made: fixed ids, times and randomness, no file system.

The files beside this one are never made again while the format has its version; a test builds `tiny` anew,
whose members are all stored, and compares every byte. Run with `src` on the path, this writes what is missing:
that is how a future version adds its files.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import Codec, codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto.content_id import content_id, content_id_key
from pinnacle_backup.crypto.envelope import EncryptedSink
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupSummary, BackupTotals
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FIFO, FILE, SYMLINK, Entry, Extent, PageTable
from pinnacle_backup.model.paths import EXTERNAL

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = "00112233445566778899aabbccddeeff"
PASSWORD = "correct horse"
MASTER_KEY = bytes(range(32))
KEY = content_id_key(bytes.fromhex(REPOSITORY), None)
SECOND = 1_000_000_000
NOW = 1_795_356_202 * SECOND + 123_456_789
"""2026-11-22 14:03:22 UTC."""

BIG = [b"first chunk " * 50, b"second chunk " * 40]
PAGES = [b"SQLite format 3\0".ljust(512, b"\1"), bytes(512)]
GROUP = "fd00:2a"
Small = tuple[Entry, bytes]


def tiny_entries() -> list[Small]:
    return [
        (Entry(path="config.json", type=FILE, mode=0o644, mtime_ns=NOW), b'{"backup": {}}\n'),
        (Entry(path="uploads", type=DIRECTORY, mode=0o755, mtime_ns=NOW), b""),
    ]


def small_entries() -> list[Small]:
    return [
        (Entry(path=f"{EXTERNAL}/srv", type=DIRECTORY, mode=0o755, mtime_ns=NOW), b""),
        (Entry(path=f"{EXTERNAL}/srv/note", type=FILE, mode=0o600, mtime_ns=NOW), b"outside the root\n"),
        (Entry(path="config.json", type=FILE, mode=0o644, mtime_ns=NOW), b'{"backup": {}}\n'),
        (Entry(path="data", type=DIRECTORY, mode=0o2750, uid=1000, gid=1000, mtime_ns=NOW), b""),
        (Entry(path="data/empty", type=FILE, mode=0o644, mtime_ns=NOW), b""),
        (Entry(path="data/fifo", type=FIFO, mode=0o640, mtime_ns=NOW), b""),
        (Entry(path="data/hard-1", type=FILE, mode=0o644, mtime_ns=NOW, group=GROUP), b"two names\n"),
        (
            Entry(
                path="data/holes", type=FILE, mode=0o644, mtime_ns=NOW, size=300_000, holes=((4, 299_992),)
            ),
            b"headtail",
        ),
        (Entry(path="data/link", type=SYMLINK, mode=0o777, target="../config.json", mtime_ns=NOW), b""),
        (
            Entry(
                path="data/old",
                type=FILE,
                mode=0o4755,
                uid=3_000_000,
                gid=3_000_001,
                mtime_ns=-1,
                xattrs={"user.note": b"\0\xff", "user.\udcfe": b"x"},
            ),
            b"before 1970\n",
        ),
        (Entry(path="data/" + "n" * 150, type=FILE, mode=0o644, mtime_ns=NOW), b"long\n"),
        (Entry(path="data/\udcff", type=SYMLINK, mode=0o777, target="\udcfe", mtime_ns=NOW), b""),
        (Entry(path="data/ümlaut", type=SYMLINK, mode=0o777, target="\udcfd", mtime_ns=NOW), b""),
    ]


class Memory:
    """A file in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


class Building:
    """An archive under construction: entries go to the tar stream at once, lines to the manifest at the end."""

    def __init__(self, codec: Codec, level: int, header: BackupHeader) -> None:
        self.memory, self.codec, self.level, self.header = Memory(), codec, level, header
        self.writer = ArchiveWriter(self.memory, codec, level=level, scratch=tempfile.gettempdir())
        self.lines: list[Entry] = []

    def bundle(self, entries: Iterable[Small]) -> None:
        """Store small entries in one member."""
        stream, starts = bytearray(), []
        entries = [(_complete(entry, content), content) for entry, content in entries]
        for entry, content in entries:
            content_map = tar.sparse_map(entry.size, entry.holes) if entry.holes else b""
            size = len(content_map) + len(content)
            stream += tar.sparse_header(entry, size) + content_map if content_map else tar.header(entry, size)
            starts.append(len(stream))
            stream += content + tar.padding(len(content))
        member = self.codec.compress(stream, self.level)
        offset = self.writer.append(member)
        for (entry, content), start in zip(entries, starts, strict=True):
            if content:
                entry.extents = (Extent(0, offset, len(member), start, len(content)),)
            self.lines.append(entry)

    def second_name(self, path: str, first: str) -> None:
        """Store another name of a file."""
        known = next(entry for entry in self.lines if entry.path == first)
        fields = {name: getattr(known, name) for name in Entry.__struct_fields__}
        entry = Entry(**{**fields, "path": path})
        self.writer.append(self.codec.compress(tar.header(entry, link=first), self.level))
        self.lines.append(entry)

    def chunks(self, entry: Entry, parts: Iterable[bytes], *, ids: bool = True) -> None:
        """Store a large file."""
        content = b"".join(parts)
        _complete(entry, content)
        self.writer.append(self.codec.compress(tar.header(entry, len(content)), self.level))
        entry.extents = tuple(self.run(part, KEY if ids else b"") for part in parts)
        if padding := tar.padding(len(content)):
            self.writer.append(self.codec.store(padding))
        self.lines.append(entry)

    def run(self, content: bytes, key: bytes) -> Extent:
        """Store one member's content, and return its extent."""
        member = self.codec.compress(content, self.level)
        identity = content_id(key, content).hex() if key else ""
        return Extent(0, self.writer.append(member), len(member), 0, len(content), identity)

    def internal(self, number: int, content: bytes, *, key: bytes) -> Extent:
        """Store content that does not stand under its own path."""
        entry = Entry(path=f".pinnacle/chunks/{number:08d}", type=FILE, mode=0o600)
        self.writer.append(self.codec.compress(tar.header(entry, len(content)), self.level))
        extent = self.run(content, key)
        self.writer.append(self.codec.store(tar.padding(len(content))))
        return extent

    def finish(self, archives: tuple[str, ...], totals: BackupTotals) -> bytes:
        """Write the manifest and what follows it; return the plain stream."""
        for entry in sorted(
            self.lines, key=lambda entry: entry.path.encode(errors="surrogateescape").replace(b"/", b"\0")
        ):
            self.writer.add(entry)
        self.writer.finish(
            lambda index: BackupSummary(
                backup=self.header,
                totals=totals,
                tool="pinnacle-backup 1.0.0",
                host="studio",
                sources=("config.json", "data"),
                databases=tuple(entry.path for entry in self.lines if entry.pages),
                archives=archives,
                index=index,
                users={"0": "root"},
                groups={"0": "root"},
            )
        )
        self.writer.close()
        return bytes(self.memory.data)


def _complete(entry: Entry, content: bytes) -> Entry:
    if entry.type == FILE:
        entry.sha256 = hashlib.sha256(content).hexdigest()
        entry.size = entry.size or len(content)
    return entry


def header(number: int, compression: str = "gzip", kind: str = FULL, base: str = "") -> BackupHeader:
    """Return the header of the golden archive of that number."""
    return BackupHeader(
        repository=REPOSITORY,
        id=f"{number:032x}",
        type=kind,
        created=f"2026-11-22T14:03:{number:02d}.123456Z",
        base=base,
        compression=compression,
    )


def tiny(number: int = 1) -> bytes:
    """A file and a folder, every member stored: no compressor has a say in its bytes."""
    building = Building(codec_of("gzip"), 0, header(number))
    building.bundle(tiny_entries())
    return building.finish((building.header.id,), BackupTotals(entries=2, size=15, added=2))


def encrypted() -> bytes:
    """The same in an envelope."""
    slot = seal(
        MASTER_KEY,
        PASSWORD,
        repository=bytes.fromhex(REPOSITORY),
        label="golden",
        created=NOW // SECOND,
        randomness=bytes,
    )
    memory = Memory()
    sink = EncryptedSink(memory, header(2), MASTER_KEY, [slot], randomness=lambda count: b"\x5a" * count)
    sink.write(tiny(2))
    sink.finish(BackupTotals(entries=2, size=15, added=2))
    return bytes(memory.data)


def full(number: int, compression: str) -> bytes:
    """Every kind of entry."""
    building = Building(codec_of(compression), 1, header(number, compression))
    building.bundle(small_entries())
    building.second_name("data/hard-2", "data/hard-1")
    building.chunks(Entry(path="data/big.bin", type=FILE, mode=0o644, mtime_ns=NOW), BIG)
    database = Entry(path="data/test.db", type=FILE, mode=0o644, mtime_ns=NOW)
    building.chunks(database, [b"".join(PAGES)], ids=False)
    table = b"".join(content_id(KEY, page) for page in PAGES)
    database.pages = PageTable(512, (building.internal(1, table, key=b""),))
    size = sum(entry.size for entry in building.lines)
    count = len(building.lines)
    return building.finish((building.header.id,), BackupTotals(entries=count, size=size, added=count))


def incremental(number: int, base_stream: bytes) -> bytes:
    """A changed chunk of the full's file, one new file, one deleted."""
    base = header(3)
    building = Building(codec_of("gzip"), 1, header(number, kind=INCREMENTAL, base=base.id))
    new = [BIG[0], b"another end\n"]
    entry = _complete(Entry(path="data/big.bin", type=FILE, mode=0o600, mtime_ns=NOW + 1), b"".join(new))
    place = next(extent for extent in _extents(base_stream) if extent.length == len(BIG[0]))
    moved = Extent(1, place.member, place.stored, place.start, place.length, place.id)
    entry.extents = (moved, building.internal(1, new[1], key=KEY))
    building.lines.append(entry)
    building.bundle([(Entry(path="data/new", type=FILE, mode=0o644, mtime_ns=NOW), b"new\n")])
    building.lines.append(Entry(path="data/empty", type=ABSENT))
    totals = BackupTotals(entries=16, size=301_709, added=1, changed=1, deleted=1, references=(base.id,))
    return building.finish((building.header.id, base.id), totals)


def _extents(stream: bytes) -> Iterator[Extent]:
    from pinnacle_backup.archive.reader import ArchiveReader

    class Source:
        size = len(stream)

        def read_at(self, offset: int, length: int) -> bytes:
            return stream[offset : offset + length]

        def close(self) -> None: ...

    for entry in ArchiveReader(Source(), "base").entries():
        yield from entry.extents


ARCHIVES = {
    "tiny.tar.gz": tiny,
    "tiny.tar.gz.enc": encrypted,
    "full.tar.gz": lambda: full(3, "gzip"),
    "full.tar.zst": lambda: full(4, "zstd"),
    "full_incremental.tar.gz": lambda: incremental(5, read("full.tar.gz")),
}


def read(name: str) -> bytes:
    """Return the bytes of a golden archive."""
    with open(os.path.join(HERE, name), "rb") as file:
        return file.read()


if __name__ == "__main__":
    for name, build in ARCHIVES.items():
        if not os.path.exists(path := os.path.join(HERE, name)):
            with open(path, "xb") as file:
                file.write(build())
            sys.stdout.write(f"{name}\n")
