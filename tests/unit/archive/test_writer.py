"""The writer: a valid gzip of a valid tar in its commit order, in memory that does not grow."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from pinnacle_backup.archive import manifest, trailer
from pinnacle_backup.archive.members import CODECS, LARGEST, codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Entry, Extent


def many(count: int) -> list[Entry]:
    """Entries whose lines do not compress away."""
    digests = (hashlib.sha256(b"%d" % number).hexdigest() for number in range(count))
    return [Entry(path=f"{number:08}", type="fifo", group=digest) for number, digest in enumerate(digests)]


def test_the_whole_is_a_gzip_of_a_tar(build, summary_of) -> None:
    entries = many(3)
    data = bytes(build(entries).data)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        (found,) = archive.getmembers()
        lines = archive.extractfile(found).read().splitlines(keepends=True)
    assert found.name == ".pinnacle/manifest.jsonl"
    assert [json.loads(line)["path"] for line in lines[:-1]] == [entry.path for entry in entries]
    assert json.loads(lines[-1])["backup"]["id"] == summary_of(()).backup.id


def test_the_tar_ends_in_two_empty_blocks_and_is_whole_blocks(build) -> None:
    for count in range(0, 40, 7):
        stream = gzip.decompress(bytes(build(many(count)).data))
        assert len(stream) % 512 == 0
        assert not any(stream[-1024:])
        assert len(stream.rstrip(b"\0")) > len(stream) - 1024 - 512


@pytest.mark.parametrize("compression", CODECS)
def test_the_trailer_points_at_the_summary_and_vouches_for_all_before_it(build, compression) -> None:
    codec = codec_of(compression)
    data = bytes(build(many(5), compression=compression).data)
    size = trailer.trailer_size(codec)
    found = trailer.decode(data[-size:], codec)
    member = data[found.member : found.member + found.stored]
    assert hashlib.sha256(member).digest() == found.summary_sha256
    assert len(codec.decompress(member)) == found.length
    assert hashlib.sha256(data[:-size]).digest() == found.stream_sha256


def test_the_index_says_where_each_part_begins(build) -> None:
    entries = many(20_000)
    data = bytes(build(entries).data)
    codec = codec_of("gzip")
    found = trailer.decode(data[-114:], codec)
    summary = manifest.decode_summary(codec.decompress(data[found.member : found.member + found.stored]))
    assert len(summary.index) > 2
    read = []
    for part in summary.index:
        stored = data[part.member : part.member + part.stored]
        assert hashlib.sha256(stored).hexdigest() == part.sha256
        lines = manifest.decode(codec.decompress(stored))
        assert lines[0].path.encode() == part.first
        read += lines
    assert read == entries


def test_members_are_appended_at_the_offsets_that_are_told(tmp_path, memory, summary_of) -> None:
    sink = memory()
    codec = codec_of("gzip")
    writer = ArchiveWriter(sink, codec, level=1, scratch=str(tmp_path))
    members = [codec.store(bytes([number]) * number) for number in range(5)]
    offsets = [writer.append(member) for member in members]
    summary = writer.finish(summary_of)
    assert summary.index == ()
    for offset, member in zip(offsets, members, strict=True):
        assert sink.data[offset : offset + len(member)] == member
    assert writer.sha256 == hashlib.sha256(sink.data).hexdigest()
    writer.close()


def test_a_line_that_no_reader_would_read_is_never_written(tmp_path, memory) -> None:
    """A manifest with it would be one that nobody can open."""
    writer = ArchiveWriter(memory(), codec_of("gzip"), level=1, scratch=str(tmp_path))
    extents = (Extent(0, 10**12, 10**6, 0, 10**6, "ab" * 16),) * (LARGEST // 64)
    with pytest.raises(FormatError, match="data/huge"):
        writer.add(Entry(path="data/huge", type="file", extents=extents))
    writer.close()


def test_finished_lines_make_the_same_parts_as_their_entries(build, tmp_path, memory, summary_of) -> None:
    """However many come at once, also more than a part's worth."""
    entries = many(30_000)
    for together in (1, 7, 12_000, 30_000):
        sink = memory()
        writer = ArchiveWriter(sink, codec_of("gzip"), level=1, scratch=str(tmp_path))
        for start in range(0, len(entries), together):
            writer.add_lines(manifest.encode_lines(entries[start : start + together]))
        writer.finish(summary_of)
        writer.close()
        assert sink.data == build(entries).data
