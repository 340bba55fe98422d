"""Page tables: whole and right wherever their parts lie, and what the base has of them is not stored again."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.archive.members import LARGEST, codec_of
from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.engine.extents import ArchiveTable
from pinnacle_backup.engine.large_files import LargeFiles
from pinnacle_backup.engine.page_tables import MOST_EXTENTS, Before, NewPageTable
from pinnacle_backup.engine.workers import Pipeline, start
from pinnacle_backup.model.entry import FILE, Entry, Extent

from .members import Members

CODEC = codec_of("gzip")

changes = st.sets(st.integers(0, 420), max_size=400) | st.sets(st.integers(0, 420), max_size=30)
"""Places of other hashes."""


def read(extents: Iterable[Extent], archives: Sequence[Members]) -> bytes:
    parts = []
    for e in extents:
        parts.append(CODEC.decompress(archives[e.archive].members[e.member])[e.start : e.start + e.length])
        assert len(parts[-1]) == e.length > 0
    return b"".join(parts)


def hashes(count: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(16) for _ in range(count)]


def store(
    folder: Path,
    now: Sequence[bytes],
    before: Sequence[bytes] = (),
    base: Sequence[Extent] = (),
    *,
    room: int = MOST_EXTENTS,
    at_once: int = 70,
) -> tuple[tuple[Extent, ...], Members]:
    """Store a table; what comes to it at once is as many hashes as a buffer has pages."""
    table, writer = NewPageTable(str(folder), base), Members()
    for start_ in range(0, len(now), at_once):
        part = now[start_ : start_ + at_once]
        known = [*before[start_ : start_ + at_once], *[b""] * at_once]
        changes = [new != old for new, old in zip(part, known, strict=False)]
        table.add(b"".join(part), [(len(list(run)), new) for new, run in groupby(changes)])
    with closing(table):
        return table.store(writer, CODEC, number=1, room=room), writer


def moved(extents: Iterable[Extent], by: int) -> tuple[Extent, ...]:
    """Return extents in a table of archives that has others before."""
    return tuple(Extent(e.archive + by, e.member, e.stored, e.start, e.length) for e in extents)


def changed(before: Sequence[bytes], places: Iterable[int], seed: int) -> list[bytes]:
    """Return the hashes with others at these places; behind the end they are appended."""
    chance = random.Random(seed)
    now = list(before)
    for place in places:
        now[place : place + 1] = [chance.randbytes(16)]
    return now


class TestNewPageTable:
    def test_a_table_without_a_base_is_stored_whole(self, tmp_path: Path) -> None:
        """In members of a MiB."""
        now = hashes(150_000, 1)
        extents, writer = store(tmp_path, now)
        assert [extent.length for extent in extents] == [1 << 20, 1 << 20, 16 * 150_000 - (2 << 20)]
        assert read(extents, [writer]) == b"".join(now)

    def test_an_empty_table_takes_nothing(self, tmp_path: Path) -> None:
        extents, writer = store(tmp_path, [])
        assert (extents, writer.end) == ((), 0)

    def test_a_table_that_is_the_base_s_takes_nothing(self, tmp_path: Path) -> None:
        before = hashes(100_000, 1)
        base, _ = store(tmp_path, before)
        extents, writer = store(tmp_path, before, before, moved(base, 1))
        assert (extents, writer.end) == (moved(base, 1), 0)

    def test_only_new_hashes_are_stored(self, tmp_path: Path) -> None:
        before = hashes(100_000, 1)
        base, older = store(tmp_path, before)
        now = changed(before, [5, 6, 7, 50_000, 65_535, 65_536, *range(100_000, 100_010)], 2)
        extents, writer = store(tmp_path, now, before, moved(base, 1))
        assert sum(extent.length for extent in extents if extent.archive == 0) == 16 * 16
        assert writer.end < 1_000
        assert read(extents, [writer, older]) == b"".join(now)

    def test_a_known_hash_between_new_ones_is_stored_with_them(self, tmp_path: Path) -> None:
        before = hashes(100, 1)
        base, older = store(tmp_path, before)
        now = changed(before, [10, 12, 15], 2)
        extents, writer = store(tmp_path, now, before, moved(base, 1))
        assert [(e.archive, e.length // 16) for e in extents] == [(1, 10), (0, 3), (1, 2), (0, 1), (1, 84)]
        assert read(extents, [writer, older]) == b"".join(now)

    def test_where_leaving_hashes_out_does_not_pay_all_are_stored(self, tmp_path: Path) -> None:
        before = hashes(100, 1)
        base, _ = store(tmp_path, before)
        now = changed(before, range(1, 100), 2)
        extents, writer = store(tmp_path, now, before, moved(base, 1))
        assert [(e.archive, e.length) for e in extents] == [(0, 1_600)]
        assert read(extents, [writer]) == b"".join(now)

    def test_a_table_that_became_shorter_ends_there(self, tmp_path: Path) -> None:
        before = hashes(100, 1)
        base, older = store(tmp_path, before)
        extents, writer = store(tmp_path, before[:30], before, moved(base, 1))
        assert (extents, writer.end) == ((Extent(1, base[0].member, base[0].stored, 0, 480),), 0)
        assert read(extents, [writer, older]) == b"".join(before[:30])

    def test_of_a_table_that_lies_in_several_archives_the_places_are_named_themselves(
        self, tmp_path: Path
    ) -> None:
        """Nothing is ever read by way of another table."""
        first = hashes(1_000, 1)
        base, oldest = store(tmp_path, first)
        second = changed(first, [100, 500], 2)
        later, older = store(tmp_path, second, first, moved(base, 1))
        third = changed(second, [500, 900], 3)
        extents, writer = store(tmp_path, third, second, moved(later, 1))
        kept = [(e.archive, e.length // 16) for e in extents]
        assert kept == [(2, 100), (1, 1), (2, 399), (0, 1), (2, 399), (0, 1), (2, 99)]
        assert read(extents, [writer, older, oldest]) == b"".join(third)

    def test_with_no_room_in_the_manifest_s_line_all_are_stored(self, tmp_path: Path) -> None:
        before = hashes(1_000, 1)
        base, older = store(tmp_path, before)
        now = changed(before, range(0, 1_000, 10), 2)
        few, writer = store(tmp_path, now, before, moved(base, 1), room=200)
        assert (len(few), read(few, [writer])) == (1, b"".join(now))
        many, writer = store(tmp_path, now, before, moved(base, 1), room=201)
        assert (len(many), read(many, [writer, older])) == (200, b"".join(now))

    def test_the_number_of_runs_has_a_bound(self, tmp_path: Path) -> None:
        """What lies closest is stored with what is between."""
        count = 400_000
        before = hashes(count, 1)
        base, older = store(tmp_path, before, at_once=1_024)
        now = changed(before, [*range(0, 300_000, 3), *range(300_000, count, 1_000)], 2)
        extents, writer = store(tmp_path, now, before, moved(base, 1), at_once=1_024)
        assert 100 < len(extents) < 2 * 66_000
        assert writer.end < count * 16 * 0.8
        assert read_at_once(extents, [writer, older]) == b"".join(now)

    def test_so_many_extents_fit_into_a_line_of_the_manifest(self) -> None:
        """In an archive of several TiB, the thousandth that the manifest refers to."""
        an_extent = len(b"[1000,4398046511104,1048699,1048576,1048576],")
        assert MOST_EXTENTS * an_extent < LARGEST - (2 << 20)

    @given(st.integers(0, 400), changes, st.integers(0, 9), changes, st.integers(1, 90))
    def test_whatever_changed_the_table_is_that_of_all_pages(
        self, tmp_path_factory: pytest.TempPathFactory, count: int, second: set[int], shorter: int,
        third: set[int], at_once: int,
    ) -> None:  # fmt: skip
        """Also on a base that is put together itself; and of what is stored at least half is new."""
        folder = tmp_path_factory.getbasetemp()
        first = hashes(count, 1)
        base, oldest = store(folder, first, at_once=at_once)
        now = changed(first[: count - shorter], sorted(second), 2)
        later, older = store(folder, now, first, moved(base, 1), at_once=at_once)
        assert read(later, [older, oldest]) == b"".join(now)
        last = changed(now, sorted(third), 3)
        extents, writer = store(folder, last, now, moved(later, 1), at_once=at_once)
        assert read(extents, [writer, older, oldest]) == b"".join(last)
        new = len(set(last) - set(now))
        assert sum(e.length for e in extents if e.archive == 0) <= 16 * 2 * new


def read_at_once(extents: Iterable[Extent], archives: Sequence[Members]) -> bytes:
    """Read a table with each member decompressed once."""
    opened = [{at: CODEC.decompress(raw) for at, raw in archive.members.items()} for archive in archives]
    return b"".join(opened[e.archive][e.member][e.start : e.start + e.length] for e in extents)


class TestLargeFiles:
    @given(st.integers(0, 10**9), st.integers(0, 60), st.sampled_from((512, 1024)))
    def test_content_and_table_come_back(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int, share: int, page_size: int
    ) -> None:
        """Of a database of any length, half a page at its end too, that grew or shrank."""
        folder, chance, key = tmp_path_factory.getbasetemp(), random.Random(seed), bytes(32)
        content = bytearray(chance.randbytes(chance.randrange(9 << 9, 300 << 10)))
        first, oldest = self._stored(folder, bytes(content), page_size, None)
        for start_ in range(0, len(content), page_size):
            if chance.randrange(100) < share:
                content[start_ : start_ + 5] = b"other"
        del content[len(content) - chance.choice((0, 0, 100, 2_000)) :]
        content += chance.randbytes(chance.choice((0, 0, 100, 20_000)))
        assert first.pages is not None
        base, table = moved(first.extents, 1), moved(first.pages.extents, 1)
        before = Before(iter([read(first.pages.extents, [oldest])]), base, table)
        entry, writer = self._stored(folder, bytes(content), page_size, before)
        assert entry.pages is not None
        assert read(entry.extents, [writer, oldest]) == content
        assert read(entry.pages.extents, [writer, oldest]) == hashed(bytes(content), page_size, key)

    def _stored(
        self, folder: Path, content: bytes, page_size: int, before: Before | None
    ) -> tuple[Entry, Members]:
        path = folder / "database"
        path.write_bytes(content)
        entry, writer, finished = Entry(path="x", type=FILE, size=len(content)), Members(), list[Entry]()
        with start(1, CODEC, 1) as pool, open(path, "rb") as file:
            pipeline = Pipeline(pool)
            large = LargeFiles(
                pipeline, writer, CODEC, ArchiveTable("1" * 32), key=bytes(32), scratch=str(folder),
                advance=lambda _: None,
            )  # fmt: skip
            large.store_database(file.fileno(), entry, page_size, before=before, then=finished.append)
            pipeline.drain()
        return finished[0], writer


def hashed(content: bytes, page_size: int, key: bytes) -> bytes:
    return b"".join(content_id(key, content[at : at + page_size]) for at in range(0, len(content), page_size))
