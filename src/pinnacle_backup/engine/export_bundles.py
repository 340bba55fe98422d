"""
Small entries of an export: bundles are copied where nothing in them changed, and made anew elsewhere.

An earlier bundle holds its entries one after the other. As entries come in path order, their tar bytes are
composed again and compared with the bundle's: when all of it was met, its member is copied as it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from pinnacle_backup.archive.content import Member
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.engine.bundles import MOST_ENTRIES, TARGET_SIZE
from pinnacle_backup.engine.export_members import is_copyable
from pinnacle_backup.model.entry import Entry, Extent


class Composed(NamedTuple):
    """
    A small entry as it stands in the tar stream.

    Attributes:
        place: Of its line in the manifest.
        entry: The entry.
        data: Header, content and padding.
        start: Where in ``data`` the content begins.
        length: Of the content.
    """

    place: int
    entry: Entry
    data: bytes
    start: int
    length: int


class Bundles:
    """
    Takes small entries in path order and writes members of the new archive.

    Args:
        writer: Of the new archive.
        codec, level: How members are made.
        settle: Receives each entry's place and the entry with its new extents.
    """

    def __init__(
        self, writer: ArchiveWriter, codec: Codec, level: int, settle: Callable[[int, Entry], None]
    ) -> None:
        self._writer = writer
        self._codec = codec
        self._level = level
        self._settle = settle
        self._gathered: list[Composed] = []
        self._size = 0
        self._run: _Run | None = None

    def add(self, composed: Composed, member: Member | None = None, start: int = 0) -> None:
        """
        Take the next entry.

        Args:
            composed: The entry.
            member: The member that its content lies in now; None where there is not exactly one.
            start: Where in that member the content begins.
        """
        if not self._continue(composed, member):
            self._give_up()
            if not self._begin(composed, member, start - composed.start):
                self._gather(composed)
        if self._run is not None and self._run.is_whole:
            self._copy(self._run)

    def finish(self) -> None:
        """Write what was gathered."""
        self._give_up()
        self._flush()

    def _continue(self, composed: Composed, member: Member | None) -> bool:
        run = self._run
        return run is not None and (member is None or run.is_of(member)) and run.take(composed)

    def _begin(self, composed: Composed, member: Member | None, before: int) -> bool:
        """Begin to compare with a member, in which entries without content may stand before this one."""
        leading = self._leading(before)
        if member is None or not is_copyable(member, self._codec) or leading is None:
            return False
        run = _Run(member)
        if not all(run.take(other) for other in (*leading, composed)):
            return False
        del self._gathered[len(self._gathered) - len(leading) :]
        self._size -= before
        self._run = run
        return True

    def _leading(self, length: int) -> Sequence[Composed] | None:
        """Return the last gathered entries of that length, all without content; None where there are none."""
        index = len(self._gathered)
        while length > 0 and index and not self._gathered[index - 1].length:
            index -= 1
            length -= len(self._gathered[index].data)
        return None if length else self._gathered[index:]

    def _give_up(self) -> None:
        """Make the entries anew whose old member has something else after them."""
        run, self._run = self._run, None
        for composed in run.taken if run else ():
            self._gather(composed)

    def _gather(self, composed: Composed) -> None:
        self._gathered.append(composed)
        self._size += len(composed.data)
        if self._size >= TARGET_SIZE or len(self._gathered) >= MOST_ENTRIES:
            self._flush()

    def _flush(self) -> None:
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered:
            data = b"".join(composed.data for composed in gathered)
            self._write(self._codec.compress(data, self._level), gathered)

    def _copy(self, run: _Run) -> None:
        self._run = None
        self._flush()
        self._write(run.member.raw, run.taken)

    def _write(self, member: bytes, taken: Sequence[Composed]) -> None:
        offset = self._writer.append(member)
        position = 0
        for place, entry, data, start, length in taken:
            extent = Extent(0, offset, len(member), position + start, length)
            self._settle(place, msgspec.structs.replace(entry, extents=(extent,) if length else ()))
            position += len(data)


class _Run:
    """Entries that were met in a member so far, from its beginning on."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.taken: list[Composed] = []
        self._filled = 0

    @property
    def is_whole(self) -> bool:
        return self._filled == len(self.member.data)

    def is_of(self, member: Member) -> bool:
        return (member.backup, member.offset) == (self.member.backup, self.member.offset)

    def take(self, composed: Composed) -> bool:
        """Take the entry if the member goes on with exactly its bytes."""
        if not self.member.data.startswith(composed.data, self._filled):
            return False
        self.taken.append(composed)
        self._filled += len(composed.data)
        return True
