"""The reader: all of what was written, any part of it with few reads, and nothing that was not written."""

from __future__ import annotations

import hashlib
from bisect import bisect_left

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.archive import manifest
from pinnacle_backup.archive.members import CODECS, codec_of
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.archive.trailer import Trailer
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.backup import ManifestPart
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import order_key

ENTRIES = sorted(
    (
        Entry(path=f"{number % 7}/{number:06}", type="fifo", group=hashlib.sha256(b"%d" % number).hexdigest())
        for number in range(20_000)
    ),
    key=lambda entry: order_key(entry.path),
)
KEYS = [order_key(entry.path) for entry in ENTRIES]


@pytest.fixture(scope="module")
def large(tmp_path_factory, memory, summary_of):
    """An archive whose manifest has several parts."""
    sink = memory()
    writer = ArchiveWriter(sink, codec_of("gzip"), level=1, scratch=str(tmp_path_factory.mktemp("scratch")))
    for entry in ENTRIES:
        writer.add(entry)
    writer.finish(summary_of)
    writer.close()
    return sink


@pytest.mark.parametrize("compression", CODECS)
def test_what_was_written_is_read(build, compression) -> None:
    codec = codec_of(compression)
    source = build(ENTRIES[:50], [codec.store(b"content")], compression=compression)
    reader = ArchiveReader(source, "x")
    assert reader.codec is codec
    assert list(reader.entries()) == ENTRIES[:50]
    assert reader.member(0, len(codec.store(b"content"))) == b"content"
    counts = []
    reader.check_stream(counts.append)
    assert sum(counts) == source.size - codec.trailer_size(88)
    reader.close()
    assert source.closed


def test_an_archive_without_entries_is_read(build) -> None:
    reader = ArchiveReader(build(), "x")
    assert list(reader.entries()) == []
    assert reader.find("a") is None
    assert list(reader.entries(start="a")) == []


def test_entries_from_any_path_on(large) -> None:
    reader = ArchiveReader(large, "x")
    assert len(reader.summary.index) > 2
    assert list(reader.entries()) == ENTRIES
    firsts = [part.first.decode() for part in reader.summary.index]
    for start in (
        "",
        "0",
        "3",
        "3/",
        "3/010",
        "3/0100!",
        "6/999999",
        "9",
        *firsts,
        firsts[1] + "!",
        firsts[1][:-1],
    ):
        begin = bisect_left(KEYS, order_key(start))
        assert list(reader.entries(start=start)) == ENTRIES[begin:], start


@settings(max_examples=30, deadline=None)
@given(number=st.integers(0, len(ENTRIES) - 1))
def test_one_path_is_found_with_two_reads(large, number) -> None:
    """Its tail when it is opened, one part of the manifest then: however large the archive is."""
    large.reads.clear()
    reader = ArchiveReader(large, "x")
    assert reader.find(ENTRIES[number].path) == ENTRIES[number]
    assert len(large.reads) <= 3  # the first four bytes tell the compression


@pytest.mark.parametrize("path", ["", "0", "3/010000x", "3/0", "zzz", "é", "\udcff"])
def test_a_path_that_is_not_there_is_not_found(large, path) -> None:
    assert ArchiveReader(large, "x").find(path) is None


def test_places_outside_the_archive_are_refused(build) -> None:
    source = build(ENTRIES[:3])
    reader = ArchiveReader(source, "x")
    for offset, stored in (
        (-1, 20),
        (0, 0),
        (0, -1),
        (source.size, 1),
        (0, source.size),
        (2**70, 1),
        (0, 2**70),
    ):
        with pytest.raises(FormatError, match="points outside"):
            reader.raw_member(offset, stored)


def test_a_place_without_a_member_is_damage(build) -> None:
    with pytest.raises(DamagedError):
        ArchiveReader(build(ENTRIES[:3]), "x").member(1, 30)


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\3\4" * 99, bytes(300)])
def test_files_of_others_are_refused(memory, data) -> None:
    with pytest.raises(FormatError):
        ArchiveReader(memory(data), "x")


def test_damage_to_one_part_leaves_the_others_readable(large, memory) -> None:
    sound = ArchiveReader(large, "x")
    second = sound.summary.index[1]
    copy = memory(bytes(large.data))
    copy.data[second.member + second.stored // 2] ^= 1
    reader = ArchiveReader(copy, "x")
    with pytest.raises(DamagedError, match="manifest is damaged from"):
        list(reader.entries())
    third = sound.summary.index[2].first.decode()
    assert next(reader.entries(start=third)).path == third
    assert reader.find(ENTRIES[0].path) == ENTRIES[0]
    with pytest.raises(DamagedError):
        reader.check_stream(lambda count: None)


def forge(lines: bytes, index, memory, summary_of, **summary):
    codec = codec_of("gzip")
    part = codec.compress(lines, 1)
    parts = tuple(
        ManifestPart(first, 0, len(part), length, hashlib.sha256(part).hexdigest()) for first, length in index
    )
    line = manifest.encode_summary(summary_of(parts, **summary))
    member = codec.compress(line, 1)
    stream = part + member
    hashes = hashlib.sha256(member).digest(), hashlib.sha256(stream).digest()
    return memory(stream + Trailer(len(part), len(member), len(line), *hashes).encode(codec))


@pytest.fixture
def forged(memory, summary_of):
    """Make an archive whose hashes are right and whose manifest nobody wrote."""
    return lambda lines, index, **summary: forge(lines, index, memory, summary_of, **summary)


def test_forged_manifests_are_refused(forged) -> None:
    a, b = (manifest.encode(Entry(path=path, type="fifo")) for path in "ab")
    wrong = {
        "in disorder": (b + a, [(b"b", len(a + b))]),
        "a path twice": (a + a, [(b"a", len(a + a))]),
        "a part twice": (a, [(b"a", len(a)), (b"a", len(a))]),
        "an index of other paths": (a + b, [(b"b", len(a + b))]),
        "an index of other lengths": (a + b, [(b"a", 7)]),
        "an empty part": (b"", [(b"", 0)]),
    }
    for name, (lines, index) in wrong.items():
        reader = ArchiveReader(forged(lines, index), name)
        with pytest.raises(FormatError):
            list(reader.entries())
    sound = forged(a + b, [(b"a", len(a + b))])
    assert [entry.path for entry in ArchiveReader(sound, "x").entries()] == ["a", "b"]


def test_a_format_of_the_future_is_named(forged, summary_of) -> None:
    header = msgspec.structs.replace(summary_of(()).backup, format=7)
    with pytest.raises(FormatError, match="format 7"):
        ArchiveReader(forged(b"", [], header=header), "x")


def test_a_trailer_that_points_elsewhere_is_refused(build, memory) -> None:
    data = bytes(build(ENTRIES[:3]).data)
    codec = codec_of("gzip")
    for member, stored in ((2**63, 10), (0, 2**63), (len(data), 1), (0, 0), (0, 50), (len(data) - 114, 1)):
        with pytest.raises(DamagedError):
            ArchiveReader(
                memory(data[:-114] + Trailer(member, stored, 9, bytes(32), bytes(32)).encode(codec)), "x"
            )


def test_messages_name_the_archive(build) -> None:
    source = build(ENTRIES[:3])
    with pytest.raises(FormatError, match="backup_x") as caught:
        ArchiveReader(type(source)(bytes(source.data[:-1])), "backup_x")
    assert caught.value.hint
