"""Members: what goes in comes out, and nothing else is taken for a member."""

from __future__ import annotations

import gzip
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.archive.members import CODECS, LARGEST, codec_of, codec_of_stream
from pinnacle_backup.errors import FormatError

BOTH = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


@BOTH
@given(data=st.binary(max_size=3000), level=st.sampled_from([0, 1, 3]))
def test_what_goes_in_comes_out(codec, data, level) -> None:
    for member in (codec.compress(data, level), codec.condense(data, level), codec.store(data)):
        assert codec.decompress(member) == data
        assert codec.decompress(memoryview(member)) == data
        assert codec_of_stream(member) is codec


@BOTH
@given(st.binary(max_size=300))
def test_garbage_is_a_format_error_and_nothing_else(codec, data) -> None:
    for garbage in (data, codec.store(b"abc")[: len(data)] + data, codec.compress(b"abc" * 9, 1)[:10] + data):
        try:
            codec.decompress(garbage)
        except FormatError:
            continue


@BOTH
def test_the_length_of_what_is_stored_depends_on_its_length_only(codec) -> None:
    for length in (0, 1, 512, 65_535, 65_536, 131_072, 131_073, 300_000):
        assert len(codec.store(bytes(length))) == len(codec.store(os.urandom(length)))


@BOTH
def test_compressible_content_shrinks_and_random_content_hardly_grows(codec) -> None:
    noise = random.Random(1).randbytes(200_000)
    assert len(codec.compress(bytes(200_000), 1)) < 2_000
    assert len(codec.compress(noise, 1)) < len(noise) + 100


@BOTH
def test_what_is_condensed_is_smaller_with_gzip_and_never_larger(codec) -> None:
    """Level 0 stays 0, and random content hardly grows."""
    chance = random.Random(1)
    text = b" ".join(b"%d" % chance.randrange(5_000) for _ in range(100_000))
    noise = chance.randbytes(200_000)
    assert len(codec.condense(text, 1)) < len(codec.compress(text, 1)) + (codec.name == "zstd")
    assert codec.condense(text, 0) == codec.compress(text, 0)
    assert len(codec.condense(noise, 1)) < len(noise) + 100


@BOTH
def test_a_bomb_is_refused_before_it_is_decompressed(codec) -> None:
    """64 MiB may come out of one member, and not a byte more."""
    data = bytes(LARGEST)
    assert codec.decompress(codec.compress(data, 1)) == data
    with pytest.raises(FormatError, match=r"more than any may|which none may"):
        codec.decompress(codec.compress(data + b"\0", 1))


def test_a_bomb_that_lies_about_its_length_is_refused() -> None:
    codec = codec_of("gzip")
    bomb = codec.compress(bytes(10 << 20), 1)
    with pytest.raises(FormatError):
        codec.decompress(bomb[:-4] + (1000).to_bytes(4, "little"))


@BOTH
@given(payload=st.binary(min_size=88, max_size=88))
def test_a_trailer_gives_back_its_payload(codec, payload) -> None:
    trailer = codec.wrap_trailer(payload)
    assert len(trailer) == codec.trailer_size(88)
    assert codec.unwrap_trailer(trailer) == payload
    for wrong in (trailer[:-1], trailer + b"\0", b"\0" + trailer[1:], b""):
        with pytest.raises(FormatError):
            codec.unwrap_trailer(wrong)


def test_gzip_members_and_trailer_are_one_gzip_file() -> None:
    codec = codec_of("gzip")
    whole = codec.compress(b"one", 1) + codec.store(b"two") + codec.wrap_trailer(bytes(88))
    assert gzip.decompress(whole) == b"onetwo"


def test_unknown_compressions_are_named() -> None:
    with pytest.raises(FormatError, match="'lzma'"):
        codec_of("lzma")
    with pytest.raises(FormatError, match="neither"):
        codec_of_stream(b"PK\3\4")
