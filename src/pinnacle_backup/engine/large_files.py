"""
Large files and databases: read once, in order, into shared buffers that workers compress.

The parent reads, hashes the whole and finds the cut points; the workers hash and compress
the parts. A file is thus spread over all processors without being copied through a pipe.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

from pyfastcdc import FastCDC

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.engine.chunk_sizes import ChunkSizes, chunk_sizes
from pinnacle_backup.engine.chunks import PAGE_HASH, Run, Stored, store_chunks, store_pages
from pinnacle_backup.engine.extents import ArchiveTable, Slices, join
from pinnacle_backup.engine.left_members import LeftMembers, taken
from pinnacle_backup.engine.page_tables import MOST_EXTENTS, Before, NewPageTable
from pinnacle_backup.engine.scope import Scope
from pinnacle_backup.engine.tar_stream import file_header
from pinnacle_backup.engine.workers import Pipeline
from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.entry import Entry, Extent, PageTable
from pinnacle_backup.model.streams import Buffer

_FILL: Final = 4 << 20
"""Bytes that a buffer is filled with, where chunks are not larger."""


@dataclass
class _Pages:
    """What a database has beside what all large files have."""

    size: int
    base: Slices
    """The content in the base, for pages that did not change."""
    table: NewPageTable
    position: int = 0


@dataclass
class _File:
    """A large file on its way into the archive."""

    entry: Entry
    own: bool
    """Whether it is a tar entry under its own path."""
    extents: list[Extent] = field(default_factory=list)
    pages: _Pages | None = None


class LargeFiles:
    """
    Stores large files by way of a pipeline.

    Args:
        pipeline: To the workers.
        writer: Receives the members.
        codec: Makes what is not made by workers.
        table: The archive table of the backup.
        key: For content ids and page hashes.
        scratch: Folder for page tables of very large databases.
        advance: Called with every count of bytes read.
        sizes: Tells by the bytes of a file how large its chunks are.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        pipeline: Pipeline,
        writer: ArchiveWriter,
        codec: Codec,
        table: ArchiveTable,
        *,
        key: bytes,
        scratch: str,
        advance: Callable[[int], None],
        sizes: Callable[[int], ChunkSizes] = chunk_sizes,
    ) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._codec = codec
        self._table = table
        self._key = key
        self._scratch = scratch
        self._advance = advance
        self._sizes = sizes
        self._numbers = 0

    def store(
        self,
        descriptor: int,
        entry: Entry,
        segments: Sequence[tuple[int, int]],
        *,
        scope: Scope | None,
        then: Callable[[Entry], None],
    ) -> None:
        """
        Store an ordinary large file in content-defined chunks.

        Args:
            descriptor: The open file.
            entry: Its metadata with size and holes; completed here.
            segments: (offset, length) of its data.
            scope: Where content may lie already; None makes it a tar entry under its own path.
            then: Called with the finished entry when its turn comes.

        Raises:
            SourceError: It cannot be read to its end; ``then`` is not called.
        """
        file = _File(entry, own=scope is None)
        stored = _stored(segments)
        if file.own:
            self._pipeline.then(lambda: self._begin(file, stored))
        digest = hashlib.sha256()
        with self._giving_up(file, stored):
            for buffer, lengths in self._chunked(descriptor, segments, digest.update):
                number = 0 if file.own else self._number()
                self._pipeline.call(
                    self._chunks_done(file, buffer), store_chunks, buffer, lengths, self._key, scope, number
                )
        entry.sha256 = digest.hexdigest()
        self._pipeline.then(lambda: self._end(file, stored, then))

    def store_database(
        self,
        descriptor: int,
        entry: Entry,
        page_size: int,
        *,
        before: Before | None,
        then: Callable[[Entry], None],
    ) -> None:
        """
        Store a database that stands still, page by page.

        Args:
            descriptor: Its bytes.
            entry: Its metadata with size; completed here.
            page_size: Bytes a page.
            before: The base's version; None where it has none with pages of this size.
            then: Called with the finished entry when its turn comes.

        Raises:
            SourceError: It cannot be read to its end; ``then`` is not called.
        """
        base = before or Before((), (), ())
        table = NewPageTable(self._scratch, base.table)
        pages = _Pages(page_size, Slices(base.content), table)
        file = _File(entry, own=before is None, pages=pages)
        if file.own:
            self._pipeline.then(lambda: self._begin(file, entry.size))
        digest = hashlib.sha256()
        hashes = _Pieces(iter(base.hashes))
        whole = _FILL - _FILL % page_size
        with self._giving_up(file, entry.size):
            for buffer, length in self._filled(descriptor, entry.size, whole, digest.update):
                piece = hashes.take(-(-length // page_size) * PAGE_HASH)
                number = 0 if file.own else self._number()
                done = self._pages_done(file, pages, buffer, length)
                self._pipeline.call(done, store_pages, buffer, length, page_size, self._key, piece, number)
        entry.sha256 = digest.hexdigest()
        self._pipeline.then(lambda: self._end_database(file, pages, then))

    def first_chunk(self, descriptor: int, segments: Sequence[tuple[int, int]]) -> tuple[bytes, int] | None:
        """Return (content id, length) of a file's first chunk; None where it has no content."""
        sizes = self._sizes(_stored(segments))
        for offset, length in segments[:1]:
            with reading():
                data = os.pread(descriptor, min(length, sizes.largest), offset)
            for chunk in _chunker(sizes).cut_buf(data):
                return content_id(self._key, data[: chunk.length]), chunk.length
        return None

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _chunked(
        self, descriptor: int, segments: Iterable[tuple[int, int]], update: Callable[[Buffer], None]
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield (buffer, chunk lengths), with each buffer full of whole chunks."""
        sizes = self._sizes(_stored(segments))
        chunker, fill = _chunker(sizes), max(_FILL, sizes.largest)
        for start, length in segments:
            position, end = start, start + length
            rest = b""
            while position < end or rest:
                buffer = self._pipeline.buffer()
                view = self._pipeline.workers.buffer(buffer)
                view[: len(rest)] = rest
                wanted = min(fill - len(rest), end - position)
                with self._returning(buffer):
                    got = self._read(descriptor, view[len(rest) : len(rest) + wanted], position, update)
                position = position + got if got == wanted else end
                filled = len(rest) + got
                lengths = [chunk.length for chunk in chunker.cut_buf(view[:filled])]
                rest = b""
                if position < end and len(lengths) > 1:
                    rest = bytes(view[filled - lengths.pop() : filled])
                yield buffer, lengths

    def _filled(
        self, descriptor: int, size: int, whole: int, update: Callable[[Buffer], None]
    ) -> Iterator[tuple[int, int]]:
        """Yield (buffer, length), with as many whole pages as fit in each buffer."""
        for offset in range(0, size, whole):
            buffer = self._pipeline.buffer()
            wanted = min(whole, size - offset)
            view = self._pipeline.workers.buffer(buffer)[:wanted]
            with self._returning(buffer):
                if self._read(descriptor, view, offset, update) < wanted:
                    raise SourceError("it became shorter while it was held")
            yield buffer, wanted

    def _read(self, descriptor: int, view: memoryview, offset: int, update: Callable[[Buffer], None]) -> int:
        """Fill the view from the file; return how many bytes there were."""
        got = 0
        with reading():
            while got < len(view) and (count := os.preadv(descriptor, [view[got:]], offset + got)):
                got += count
        update(view[:got])
        self._advance(got)
        return got

    @contextmanager
    def _returning(self, buffer: int) -> Iterator[None]:
        """Give a buffer back that could not be filled."""
        try:
            yield
        except SourceError:
            self._pipeline.workers.give_buffer(buffer)
            raise

    @contextmanager
    def _giving_up(self, file: _File, stored: int) -> Iterator[None]:
        """Complete the tar entry of a file that cannot be read to its end; no manifest will list it."""
        try:
            yield
        except SourceError:
            self._pipeline.then(lambda: self._abandon(file, stored))
            raise

    def _abandon(self, file: _File, stored: int) -> None:
        if file.own:
            self._pad(stored, sum(extent.length for extent in file.extents))
        if file.pages is not None:
            file.pages.table.close()

    def _begin(self, file: _File, stored: int) -> None:
        """Append the tar header of a file under its own path."""
        self._writer.append(self._codec.compress(file_header(file.entry, stored), 1))

    def _chunks_done(self, file: _File, buffer: int) -> Callable[[Stored], None]:
        def done(result: Stored) -> None:
            offsets = self._append(buffer, result.members)
            for run in result.runs:
                if run.place is not None:
                    file.extents.append(self._table.extent(run.place, run.id))
                else:
                    file.extents.append(_extent(run, offsets, result.members.lengths))

        return done

    def _append(self, buffer: int, members: LeftMembers) -> list[int]:
        """Append what a worker made, return the offsets, and give the buffer back."""
        offsets = [self._writer.append(member) for member in taken(self._pipeline.workers, buffer, members)]
        self._pipeline.workers.give_buffer(buffer)
        return offsets

    def _pages_done(self, file: _File, pages: _Pages, buffer: int, length: int) -> Callable[[Stored], None]:
        def done(result: Stored) -> None:
            offsets = self._append(buffer, result.members)
            for run in result.runs:
                if run.member >= 0:
                    file.extents.append(_extent(run, offsets, result.members.lengths))
                else:
                    file.extents += pages.base.take(pages.position + run.start, run.length)
            pages.position += length
            pages.table.add(result.hashes, [(-(-r.length // pages.size), r.member >= 0) for r in result.runs])

        return done

    def _end(self, file: _File, stored: int, then: Callable[[Entry], None]) -> None:
        """Complete the entry, and its tar entry too."""
        got = sum(extent.length for extent in file.extents)
        if got < stored:  # it shrank while it was read: tar's promise is kept with zeros
            file.entry.changed, file.entry.holes, file.entry.size = "rewritten", (), got
        if file.own:
            self._pad(stored, got)
        file.entry.extents = join(file.extents)
        then(file.entry)

    def _pad(self, promised: int, got: int) -> None:
        missing = promised - got + len(tar.padding(promised))
        for start in range(0, missing, _FILL):
            self._writer.append(self._codec.compress(bytes(min(_FILL, missing - start)), 1))

    def _end_database(self, file: _File, pages: _Pages, then: Callable[[Entry], None]) -> None:
        size = file.entry.size
        if file.own and size % tar.BLOCK:
            self._writer.append(self._codec.store(tar.padding(size)))
        file.entry.extents = join(file.extents)
        room = MOST_EXTENTS - len(file.entry.extents)
        with closing(pages.table) as table:
            extents = table.store(self._writer, self._codec, number=self._number(), room=room)
        file.entry.pages = PageTable(pages.size, extents)
        then(file.entry)


@contextmanager
def reading() -> Iterator[None]:
    """
    Tell that a source cannot be read from whatever else fails.

    Raises:
        SourceError: It cannot.
    """
    try:
        yield
    except OSError as error:
        raise SourceError(f"{os.strerror(error.errno or 0)} while it was read") from error


def _stored(segments: Iterable[tuple[int, int]]) -> int:
    return sum(length for _, length in segments)


def _chunker(sizes: ChunkSizes) -> FastCDC:
    return FastCDC(avg_size=sizes.average, min_size=sizes.smallest, max_size=sizes.largest)


def _extent(run: Run, offsets: Sequence[int], lengths: Sequence[int]) -> Extent:
    return Extent(0, offsets[run.member], lengths[run.member], run.start, run.length, run.id)


class _Pieces:
    """Takes a stream of buffers in pieces of other lengths."""

    def __init__(self, stream: Iterator[Buffer]) -> None:
        self._stream = stream
        self._rest = b""

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes; fewer at the end."""
        while len(self._rest) < length and (piece := next(self._stream, None)) is not None:
            self._rest += piece
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken
