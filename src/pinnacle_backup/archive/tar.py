"""
Tar headers: what plain tar needs for a faithful extraction (POSIX.1-2001, pax; format.md, "The tar stream").

Only writing lives here. Nothing is ever extracted by tar headers: readers go by the manifest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zlib import adler32

from pinnacle_backup.model.entry import DIRECTORY, FIFO, SYMLINK, Entry
from pinnacle_backup.model.paths import to_bytes

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
MANIFEST_PATH: Final = ".pinnacle/manifest.jsonl"

_TYPEFLAGS: Final = {DIRECTORY: b"5", SYMLINK: b"2", FIFO: b"6"}
_LARGEST_ID: Final = 0o7777777
_LARGEST_SIZE: Final = 0o77777777777
_SPACES: Final = b" " * 8
_TAIL: Final = b"ustar\x0000" + bytes(64) + b"0000000\x00" * 2
_PREFIX_END: Final = bytes(12)


def padding(size: int) -> bytes:
    """Return the zeros that fill content of that size up to whole blocks."""
    return bytes(-size % BLOCK)


def header(entry: Entry, size: int = 0, *, link: str = "") -> bytes:
    """
    Return the header blocks of an entry, pax records included where ustar cannot say it.

    Args:
        entry: What to write; its content is not looked at.
        size: Bytes of content that follow.
        link: For a second name of a file, the first one.
    """
    path = to_bytes(entry.path)
    target = to_bytes(link or entry.target)
    kind = b"1" if link else _TYPEFLAGS.get(entry.type, b"0")
    if entry.type == DIRECTORY:
        path += b"/"
    records: list[tuple[bytes, bytes]] = []
    name, prefix = _split(path)
    if not name:
        records.append((b"path", path))
        name = path[:100]
    if len(target) > 100:
        records.append((b"linkpath", target))
    records += _metadata(entry, size)
    block = _block(name, entry.mode, (entry.uid, entry.gid), size, _seconds(entry), kind, target, prefix)
    return _pax(records) + block if records else block


def sparse_map(size: int, holes: tuple[tuple[int, int], ...]) -> bytes:
    """Return the map that begins the content of a file with holes (GNU sparse format 1.0), padded."""
    segments: list[tuple[int, int]] = []
    position = 0
    for offset, length in holes:
        segments.append((position, offset - position))
        position = offset + length
    segments.append((position, size - position))
    numbers = [len(segments), *(number for segment in segments for number in segment)]
    text = b"".join(b"%d\n" % number for number in numbers)
    return text + padding(len(text))


def sparse_header(entry: Entry, stored: int) -> bytes:
    """
    Return the header blocks of a file with holes (GNU sparse format 1.0).

    Args:
        entry: The file, with its holes.
        stored: Bytes that follow: the map and the data segments.
    """
    folder, _, name = to_bytes(entry.path).rpartition(b"/")
    alias = (folder + b"/" if folder else b"") + b"GNUSparseFile.0/" + name
    records = [
        *([(b"path", alias)] if len(alias) > 100 else []),  # before the name, which shall win
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", to_bytes(entry.path)),
        (b"GNU.sparse.realsize", b"%d" % entry.size),
        *_metadata(entry, stored),
    ]
    owner = (entry.uid, entry.gid)
    return _pax(records) + _block(alias[:100], entry.mode, owner, stored, _seconds(entry), b"0", b"", b"")


def manifest_header(size: int) -> bytes:
    """Return the one block that precedes the manifest; its length never varies (base-256 above 8 GiB)."""
    return _block(to_bytes(MANIFEST_PATH), 0o600, (0, 0), size, 0, b"0", b"", b"", base256=True)


def _seconds(entry: Entry) -> int:
    return entry.mtime_ns // 1_000_000_000


def _metadata(entry: Entry, size: int) -> list[tuple[bytes, bytes]]:
    """Return the pax records for what does not fit into the fields of a ustar header."""
    records: list[tuple[bytes, bytes]] = []
    if size > _LARGEST_SIZE:
        records.append((b"size", b"%d" % size))
    if entry.uid > _LARGEST_ID:
        records.append((b"uid", b"%d" % entry.uid))
    if entry.gid > _LARGEST_ID:
        records.append((b"gid", b"%d" % entry.gid))
    if not 0 <= _seconds(entry) <= _LARGEST_SIZE:
        records.append((b"mtime", b"%d" % _seconds(entry)))
    for key, value in entry.xattrs.items():
        records.append((b"SCHILY.xattr." + to_bytes(key), value))
    return records


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Split a path into ustar's name and prefix; both empty where it does not fit."""
    if len(path) <= 100:
        return path, b""
    cut = path.find(b"/", max(len(path) - 101, 1), 156)
    if cut < 0 or cut == len(path) - 1:
        return b"", b""
    return path[cut + 1 :], path[:cut]


def _block(  # noqa: PLR0913, PLR0917 - the fields of a ustar header, in their order
    name: bytes,
    mode: int,
    owner: tuple[int, int],
    size: int,
    seconds: int,
    kind: bytes,
    target: bytes,
    prefix: bytes,
    *,
    base256: bool = False,
) -> bytes:
    """Return one ustar header block (POSIX.1-2001, pax, "ustar Interchange Format")."""
    if size <= _LARGEST_SIZE:
        size_field = b"%011o\0" % size
    else:
        size_field = b"\x80" + size.to_bytes(11, "big") if base256 else b"00000000000\0"
    head = b"%b%b%b%011o\0" % (
        name.ljust(100, b"\0"),
        _permissions(mode, owner),
        size_field,
        seconds if 0 <= seconds <= _LARGEST_SIZE else 0,
    )
    tail, tail_sum = _tail(kind, target[:100], prefix)
    return b"%b%06o\0 %b" % (head, _sum(head) + tail_sum, tail)


@lru_cache(maxsize=64)
def _permissions(mode: int, owner: tuple[int, int]) -> bytes:
    """Return the fields of mode and owner, of which there are few different ones."""
    uid, gid = (min(number, _LARGEST_ID) for number in owner)
    return b"%07o\0%07o\0%07o\0" % (mode, uid, gid)  # never 0: who ignores pax must not make a file root's


def _sum(data: bytes) -> int:
    """Return the sum of less than a block's bytes: the lower half of Adler-32 less one (RFC 1950, 8.2)."""
    return (adler32(data) & 0xFFFF) - 1


@lru_cache(maxsize=64)
def _tail(kind: bytes, target: bytes, prefix: bytes) -> tuple[bytes, int]:
    """Return what follows the checksum, nearly always the same, and its part of the checksum."""
    fields = (kind, target.ljust(100, b"\0"), _TAIL, prefix.ljust(155, b"\0"), _PREFIX_END)
    tail = b"".join(fields)
    return tail, sum(tail + _SPACES)


def _pax(records: list[tuple[bytes, bytes]]) -> bytes:
    """Return a pax extended header entry that holds the records."""
    body = b"".join(_record(key, value) for key, value in records)
    block = _block(b".pinnacle/pax", 0o600, (0, 0), len(body), 0, b"x", b"", b"")
    return block + body + padding(len(body))


def _record(key: bytes, value: bytes) -> bytes:
    """Return ``LENGTH KEY=VALUE\\n``, where the length counts its own digits."""
    rest = b" %b=%b\n" % (key, value)
    length = len(rest) + len(str(len(rest)))
    if len(str(length)) + len(rest) != length:
        length = len(rest) + len(str(length))
    return b"%d%b" % (length, rest)
