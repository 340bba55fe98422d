"""
No damage to an archive goes unnoticed: every bit of every byte, every length, every longer file.

Whoever opens an archive, reads its manifest and its content and has the stream checked either gets what was
written or a DamagedError (FormatError is one). Never another exception, never other content.
"""

from __future__ import annotations

import random

import pytest

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.errors import DamagedError

NAMES = ("full.tar.gz", "full.tar.zst", "full_incremental.tar.gz")


def read_all(source, original=None) -> list:
    """Read all that can be read, the checksum of the whole last; what came before it must be the original."""
    reader = ArchiveReader(source, "x")
    content = ContentReader(lambda backup: reader)
    found = []
    for entry in reader.entries():
        assert original is None or original[len(found)] == entry, "the manifest gave what nobody wrote"
        found.append(entry)
        for extent in (*entry.extents, *(entry.pages.extents if entry.pages else ())):
            if extent.archive == 0:
                content.run(extent, reader.summary.archives)
    reader.check_stream(lambda count: None)
    return found


def is_noticed(source, original=None) -> bool:
    try:
        read_all(source, original)
    except DamagedError:
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_bit_is_noticed(name, golden, memory) -> None:
    """Every bit of the smallest archive, and of the others' last 150 bytes; one bit of all other bytes."""
    data = bytearray(golden.read(name))
    original = read_all(memory(bytes(data)))
    exhaustive = 0 if len(data) < 2500 else len(data) - 150
    unnoticed = []
    for place in range(len(data)):
        for bit in range(8) if place >= exhaustive else (place % 8,):
            data[place] ^= 1 << bit
            if not is_noticed(memory(bytes(data)), original):
                unnoticed.append((place, bit))
            data[place] ^= 1 << bit
    assert not unnoticed


def test_every_other_value_of_every_byte_of_a_trailer_is_noticed(golden, memory) -> None:
    data = bytearray(golden.read("full_incremental.tar.gz"))
    for place in range(len(data) - 114, len(data)):
        right = data[place]
        for wrong in range(256):
            data[place] = wrong
            assert is_noticed(memory(bytes(data))) == (wrong != right), (place, wrong)
        data[place] = right


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_noticed(name, golden, memory) -> None:
    data = golden.read(name)
    assert [length for length in range(len(data)) if not is_noticed(memory(data[:length]))] == []


@pytest.mark.parametrize("name", NAMES)
def test_bytes_before_or_after_are_noticed(name, golden, memory) -> None:
    data = golden.read(name)
    for extra in (b"\0", bytes(512), data[-114:], data):
        assert is_noticed(memory(data + extra))
        assert is_noticed(memory(extra + data))


@pytest.mark.parametrize("name", NAMES)
def test_garbage_splices_and_zeroed_blocks_are_noticed(name, golden, memory) -> None:
    data = golden.read(name)
    other = golden.read("tiny.tar.gz")
    chance = random.Random(14)
    for _ in range(300):
        start, end = sorted(chance.sample(range(len(data) + 1), 2))
        middle = chance.choice([bytes(end - start), chance.randbytes(end - start), other[start:end], b""])
        if middle != data[start:end]:
            assert is_noticed(memory(data[:start] + middle + data[end:]))
        assert is_noticed(memory(chance.randbytes(chance.randrange(2000))))
