"""Large files are cut alike for ever, and the larger they are the larger their chunks."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pyfastcdc import FastCDC

from pinnacle_backup.archive.members import LARGEST as LARGEST_MEMBER
from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.engine.chunk_sizes import LARGEST, MOST_CHUNKS, ChunkSizes, chunk_sizes
from pinnacle_backup.engine.export_members import LARGEST_WRITTEN
from pinnacle_backup.engine.extents import ArchiveTable
from pinnacle_backup.engine.large_files import LargeFiles
from pinnacle_backup.engine.workers import BUFFER, Pipeline, start
from pinnacle_backup.model.entry import FILE, Entry

from .members import Members

CODEC = codec_of("gzip")
GIB = 1 << 30
FROZEN = [654718, 726481, 434534, 542629, 453283, 615458, 1120411, 978836, 209821, 708091, 634833, 587368, 157129, 611633, 701039, 632078, 293396, 152367, 783786, 698509, 534243, 352269]  # fmt: skip


def store(path: Path, sizes: Callable[[int], ChunkSizes], workers: int = 1) -> tuple[Entry, Members]:
    """Store a file as ``create`` does."""
    entry, writer = Entry(path="large", type=FILE, size=path.stat().st_size), Members()
    finished: list[Entry] = []
    with start(workers, CODEC, 0) as pool, open(path, "rb") as file:
        pipeline = Pipeline(pool)
        large = LargeFiles(
            pipeline, writer, CODEC, ArchiveTable("1" * 32), key=bytes(32), scratch=str(path.parent),
            advance=lambda _: None, sizes=sizes,
        )  # fmt: skip
        large.store(file.fileno(), entry, [(0, entry.size)], scope=None, then=finished.append)
        pipeline.drain()
    return finished[0], writer


def lengths(entry: Entry) -> list[int]:
    return [extent.length for extent in entry.extents]


def test_cut_points_are_frozen(tmp_path: Path) -> None:
    """Other ones would have every large file stored anew after an update of this program."""
    path = tmp_path / "file"
    path.write_bytes(random.Random(8).randbytes(12 << 20))
    entry, _ = store(path, chunk_sizes)
    assert lengths(entry) == FROZEN


@pytest.mark.parametrize("average", [512 << 10, 1 << 20, 2 << 20, 4 << 20])
@pytest.mark.parametrize("workers", [1, 2])
def test_chunks_of_all_sizes_come_back_and_do_not_depend_on_buffers(
    tmp_path: Path, average: int, workers: int
) -> None:
    sizes = ChunkSizes(average // 4, average, min(4 * average, LARGEST))
    content = random.Random(average).randbytes(8_000_000) + bytes(20_000_000) + os.urandom(12_000_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    entry, writer = store(path, lambda _: sizes, workers)
    parts = [
        CODEC.decompress(writer.members[extent.member])[extent.start : extent.start + extent.length]
        for extent in entry.extents
    ]
    assert b"".join(parts) == content
    at_once = FastCDC(avg_size=sizes.average, min_size=sizes.smallest, max_size=sizes.largest)
    assert lengths(entry) == [chunk.length for chunk in at_once.cut_buf(content)]


def test_the_first_chunk_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(6_000_000))
    entry, _ = store(path, chunk_sizes)
    with start(1, CODEC, 0) as pool, open(path, "rb") as file:
        large = LargeFiles(
            Pipeline(pool), Members(), CODEC, ArchiveTable("1" * 32), key=bytes(32), scratch=str(tmp_path),
            advance=lambda _: None,
        )  # fmt: skip
        found = large.first_chunk(file.fileno(), [(0, 6_000_000)])
    assert found is not None
    assert (found[0].hex(), found[1]) == (entry.extents[0].id, entry.extents[0].length)


def test_the_sizes_of_ordinary_files_never_change() -> None:
    usual = ChunkSizes(128 << 10, 512 << 10, 2 << 20)
    assert {chunk_sizes(size) for size in (0, 1 << 20, 16 * GIB, 128 * GIB)} == {usual}


@pytest.mark.parametrize("size", [128 * GIB + 1, 300 * GIB, 512 * GIB, 1024 * GIB])
def test_the_number_of_chunks_has_a_bound(size: int) -> None:
    sizes = chunk_sizes(size)
    assert size / sizes.average <= MOST_CHUNKS
    assert sizes.average <= 4 << 20


def test_a_file_of_four_tebibytes_fits_into_a_line_of_the_manifest() -> None:
    """Chunks are as large as average and smallest together, on the average; a line has 74 bytes for each."""
    size, sizes = 4096 * GIB, chunk_sizes(4096 * GIB)
    a_line = len(b'[0,4398046511104,5242880,0,5242880,"0123456789abcdef0123456789abcdef"],')
    assert size / (sizes.average + sizes.smallest) * a_line < LARGEST_MEMBER - (1 << 20)


def test_the_largest_chunk_fits_into_a_buffer_and_is_exported_as_it_is() -> None:
    assert chunk_sizes(1 << 60).largest == LARGEST == BUFFER
    assert LARGEST <= LARGEST_WRITTEN < LARGEST_MEMBER
