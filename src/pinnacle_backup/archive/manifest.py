"""The manifest's lines: entries and the summary as JSON (format.md, "The manifest")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.backup import FORMAT_VERSION, BackupSummary
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FIFO, FILE, SYMLINK, Entry, Extent
from pinnacle_backup.model.paths import (
    EXTERNAL,
    INTERNAL,
    from_bytes,
    is_safe,
    order_key,
    printable,
    to_bytes,
)

_TYPES: Final = frozenset({FILE, DIRECTORY, SYMLINK, FIFO, ABSENT})


class _Line(Entry, omit_defaults=True, kw_only=True, gc=False):
    """An entry as it stands in the manifest where some of its names are not UTF-8."""

    path: str = ""
    path_base64: bytes = b""
    target_base64: bytes = b""
    xattrs_base64: tuple[tuple[bytes, bytes], ...] = ()


_encoder: Final = msgspec.json.Encoder()
_entries: Final = msgspec.json.Decoder(Entry)
_lines: Final = msgspec.json.Decoder(_Line)
_summaries: Final = msgspec.json.Decoder(BackupSummary)

UNPLACED: Final = -1
"""Stands for the offset of a member that is not in the archive yet."""

_UNPLACED: Final = b'"extents":[[0,-1,'
_PLACED: Final = b'"extents":[[0,%d,'

_ESCAPED: Final = b'_base64"'
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LARGEST_ID: Final = (1 << 32) - 2
"""One more is what ``chown`` takes for "leave it as it is"."""

_LARGEST_SIZE: Final = (1 << 63) - 1
"""No file system has larger files: offsets are signed."""


def encode(entry: Entry) -> bytes:
    """Return the entry's line."""
    try:
        return _encoder.encode(entry) + b"\n"
    except UnicodeEncodeError:
        return _encoder.encode(_escaped(entry)) + b"\n"


def encode_lines(entries: Sequence[Entry]) -> bytes:
    """Return the lines of entries, one after the other."""
    try:
        return _encoder.encode_lines(entries)
    except UnicodeEncodeError:
        return b"".join(map(encode, entries))


def placed(lines: bytes, member: int) -> bytes:
    """
    Return lines whose extents have ``UNPLACED`` for the offset of their member with the offset instead.

    What is replaced stands in no name: inside a JSON string a quotation mark is escaped.
    """
    return lines.replace(_UNPLACED, _PLACED % member)


def first_path(lines: bytes) -> str:
    """Return the path of the first of these lines."""
    return decode(lines[: lines.index(b"\n") + 1])[0].path


def encode_summary(summary: BackupSummary) -> bytes:
    """Return the manifest's last line."""
    return _encoder.encode(summary) + b"\n"


def decode(part: bytes) -> list[Entry]:
    """
    Return the entries of one manifest part.

    Raises:
        FormatError: A line is not an entry, or an entry breaks a rule that restoring relies on.
    """
    try:
        if _ESCAPED in part:
            entries = [_unescaped(line) for line in _lines.decode_lines(part)]
        else:
            entries = _entries.decode_lines(part)
    except _UNREADABLE as error:
        raise FormatError(f"a line of the manifest cannot be read: {error}") from error
    for entry in entries:
        _check(entry)
    return entries


def decode_summary(line: bytes) -> BackupSummary:
    """
    Return the summary.

    Raises:
        FormatError: The line is not a summary, or is one of a format that this version does not know.
    """
    try:
        summary = _summaries.decode(line)
    except _UNREADABLE as error:
        raise FormatError(f"the manifest's summary cannot be read: {error}") from error
    if summary.backup.format != FORMAT_VERSION:
        raise FormatError(
            f"the archive has format {summary.backup.format}, this version reads {FORMAT_VERSION}",
            hint="use a newer version of pinnacle-backup",
        )
    return summary


def merge(
    base: Iterable[Entry], changes: Iterable[Entry], *, absent: bool = False
) -> Iterator[tuple[Entry, bool]]:
    """
    Yield the complete state of an incremental in path order.

    Args:
        base: Entries of the full.
        changes: Entries of the incremental, whose lines replace the base's.
        absent: Also yield the lines that say a path is gone.

    Yields:
        (entry, whether it stands in the base's manifest).
    """
    changed = iter(changes)
    change = next(changed, None)
    for entry in base:
        key = order_key(entry.path)
        while change is not None and order_key(change.path) < key:
            if absent or change.type != ABSENT:
                yield change, False
            change = next(changed, None)
        if change is None or change.path != entry.path:
            yield entry, True
            continue
        if absent or change.type != ABSENT:
            yield change, False
        change = next(changed, None)
    while change is not None:
        if absent or change.type != ABSENT:
            yield change, False
        change = next(changed, None)


def _escaped(entry: Entry) -> _Line:
    fields = msgspec.structs.asdict(entry)
    for name in ("path", "target"):
        if not _is_text(fields[name]):
            fields[f"{name}_base64"] = to_bytes(fields.pop(name))
    names = entry.xattrs
    fields["xattrs"] = {name: value for name, value in names.items() if _is_text(name)}
    fields["xattrs_base64"] = tuple((to_bytes(n), v) for n, v in names.items() if not _is_text(n))
    return _Line(**fields)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unescaped(line: _Line) -> Entry:
    fields = {name: getattr(line, name) for name in Entry.__struct_fields__}
    if (line.path and line.path_base64) or (line.target and line.target_base64):
        raise FormatError(f"{printable(line.path)}: the manifest says a name in two ways")
    if line.path_base64:
        fields["path"] = from_bytes(line.path_base64)
    if line.target_base64:
        fields["target"] = from_bytes(line.target_base64)
    if line.xattrs_base64:
        fields["xattrs"] = line.xattrs | {from_bytes(n): v for n, v in line.xattrs_base64}
    return Entry(**fields)


def _check(entry: Entry) -> None:
    """Refuse what no writer of ours writes; restoring may then rely on it."""
    if not is_safe(entry.path) or _is_reserved(entry.path):
        raise FormatError(f"the manifest names a path outside the studio: {printable(entry.path)!r}")
    if entry.type not in _TYPES:
        raise FormatError(f"{printable(entry.path)}: unknown type {entry.type!r}")
    if not (0 <= entry.mode <= 0o7777 and 0 <= entry.uid <= _LARGEST_ID and 0 <= entry.gid <= _LARGEST_ID):
        raise FormatError(f"{printable(entry.path)}: impossible mode or owner")
    if "\0" in entry.target or (entry.xattrs and "\0" in "".join(entry.xattrs)):
        raise FormatError(f"{printable(entry.path)}: impossible link or attribute")
    if entry.type == FILE:
        _check_content(entry)
    elif entry.extents or entry.size or entry.holes or entry.pages:
        raise FormatError(f"{printable(entry.path)}: only files have content")


def _is_reserved(path: str) -> bool:
    """Tell whether the path is one of our own, where no source ever lies."""
    return path.startswith(INTERNAL + "/") and path != EXTERNAL and not path.startswith(EXTERNAL + "/")


def _check_content(entry: Entry) -> None:
    total = _length(entry, entry.extents)
    if entry.pages is not None:
        _length(entry, entry.pages.extents)
    end = -1
    for offset, length in entry.holes:
        if offset <= end or length <= 0 or offset + length > entry.size:
            raise FormatError(f"{printable(entry.path)}: impossible holes")
        end = offset + length
        total += length
    if entry.size > _LARGEST_SIZE:
        raise FormatError(f"{printable(entry.path)}: impossible size")
    if total != entry.size:
        raise FormatError(f"{printable(entry.path)}: extents and holes do not add up to the size")


def _length(entry: Entry, extents: Iterable[Extent]) -> int:
    total = 0
    for extent in extents:
        if min(extent.length, extent.start, extent.member, extent.archive, extent.stored) < 0:
            raise FormatError(f"{printable(entry.path)}: impossible extent")
        total += extent.length
    return total
