"""Content by extents, out of whatever archives hold it."""

from __future__ import annotations

import pytest

from pinnacle_backup.archive import content as content_module
from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.entry import Extent

from ...contract.faults import until

CODEC = codec_of("gzip")
MEMBERS = [CODEC.store(bytes([number]) * 10 + b"tail") for number in range(7)]
SIZE = len(MEMBERS[0])


@pytest.fixture
def sources(build):
    return {"one": build((), MEMBERS), "two": build((), MEMBERS[::-1])}


@pytest.fixture
def content(sources):
    reader = ContentReader(lambda backup: ArchiveReader(sources[backup], backup))
    yield reader
    reader.close()


def test_runs_come_in_order_out_of_several_archives(content) -> None:
    extents = [Extent(1, 0, SIZE, 8, 4), Extent(0, SIZE, SIZE, 0, 2), Extent(1, 0, SIZE, 0, 0)]
    assert b"".join(map(bytes, content.stream(extents, ("one", "two")))) == b"\6\6ta\1\1"


def test_neighbours_of_one_member_are_decompressed_once(content, sources) -> None:
    content.archive("one")
    before = len(sources["one"].reads)
    for start in range(10):
        content.run(Extent(0, 0, SIZE, start, 1), ("one",))
    assert len(sources["one"].reads) - before <= 1


def test_archives_are_opened_once_and_closed_at_the_end(content, sources) -> None:
    assert content.archive("one") is content.archive("one")
    content.close()
    assert sources["one"].closed
    assert not sources["two"].closed


def test_few_archives_are_open_however_many_hold_the_content(build) -> None:
    """With deduplication a backup may refer to more archives than a process may open files."""
    names = tuple(f"{number:03}" for number in range(300))
    opened = []

    def open_archive(backup):
        opened.append(build((), MEMBERS))
        assert sum(not source.closed for source in opened) <= 128
        return ArchiveReader(opened[-1], backup)

    content = ContentReader(open_archive)
    for number in (*range(300), 299, 0, 150):
        assert content.run(Extent(number, 0, SIZE, 9, 3), names) == b"\0ta"
    assert len(opened) == 302  # the last one was open still
    content.close()
    assert all(source.closed for source in opened)


@pytest.mark.parametrize(
    "extent",
    [
        Extent(2, 0, SIZE, 0, 1),
        Extent(0, 0, SIZE, 0, 15),
        Extent(0, 0, SIZE, 14, 1),
        Extent(0, 10**9, SIZE, 0, 1),
    ],
    ids=["unknown archive", "too long", "starts at the end", "outside"],
)
def test_extents_that_point_nowhere_are_refused(content, extent) -> None:
    with pytest.raises(FormatError):
        content.run(extent, ("one", "two"))


def test_an_extent_beside_a_member_is_damage(content) -> None:
    with pytest.raises(DamagedError):
        content.run(Extent(0, 1, SIZE, 0, 1), ("one",))


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """The numbers of the members that are read, as they are."""
    numbers: list[int] = []
    raw_member = ArchiveReader.raw_member

    def noted(reader: ArchiveReader, offset: int, stored: int) -> bytes:
        numbers.append(offset // SIZE)
        return raw_member(reader, offset, stored)

    monkeypatch.setattr(ArchiveReader, "raw_member", noted)
    return numbers


def test_the_next_run_is_read_while_one_is_used(content, read) -> None:
    """By another thread, and one run ahead only."""
    stream = content.stream([Extent(0, number * SIZE, SIZE, 0, 4) for number in range(6)], ("one",))
    assert bytes(next(stream)) == bytes(4)

    until(lambda: read == [0, 1])
    assert [bytes(run) for run in stream] == [bytes([number] * 4) for number in range(1, 6)]
    assert read == [0, 1, 2, 3, 4, 5]


def in_turns(times: int) -> list[Extent]:
    return [Extent(0, number * SIZE, SIZE, turn, 1) for turn in range(times) for number in range(6)]


def test_members_that_come_again_are_read_once(content, read) -> None:
    """As those of a database that changed often; what no stream comes back to is not kept for it."""
    assert b"".join(map(bytes, content.stream(in_turns(8), ("one",)))) == bytes(range(6)) * 8
    assert read == [0, 1, 2, 3, 4, 5]
    content.run(Extent(0, 6 * SIZE, SIZE, 0, 1), ("one",))
    assert len(content._members) == 4


def test_no_more_is_kept_than_there_is_memory_for(content, read, monkeypatch) -> None:
    monkeypatch.setattr(content_module, "_MOST_BYTES", 2 * len("0123456789tail"))
    assert b"".join(map(bytes, content.stream(in_turns(2), ("one",)))) == bytes(range(6)) * 2
    assert read == [0, 1, 2, 3, 4, 5] * 2
    assert len(content._members) == 2


def test_what_comes_before_damage_is_given_out(content) -> None:
    stream = content.stream([Extent(0, 0, SIZE, 0, 4), Extent(0, 1, SIZE, 0, 1)], ("one",))

    assert bytes(next(stream)) == bytes(4)
    with pytest.raises(DamagedError):
        next(stream)


def test_whoever_stops_in_the_middle_can_close_and_go_on(content, sources) -> None:
    stream = content.stream([Extent(0, number * SIZE, SIZE, 0, 4) for number in range(6)], ("one",))
    next(stream)
    content.close()
    assert sources["one"].closed

    sources["one"].closed = False
    assert bytes(content.run(Extent(0, SIZE, SIZE, 0, 1), ("one",))) == b"\1"
