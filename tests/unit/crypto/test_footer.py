"""What a backup amounts to, at the end of its archive."""

from __future__ import annotations

import hashlib
import struct

import msgspec
import pytest

from pinnacle_backup.crypto.footer import encode_footer, read_footer, read_totals
from pinnacle_backup.crypto.head import read_head
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.backup import BackupTotals


@pytest.fixture
def totals_of(memory):
    def totals_of(archive, master_key=None):
        source = memory(archive)
        return read_totals(source, read_head(source), master_key)

    return totals_of


def with_text(archive: bytes, text: bytes, memory) -> bytes:
    """Return the archive with other totals, and a checksum that fits: what a forger without a key can do."""
    footer = read_footer(memory(archive))
    signature = footer[-76:-44]
    checksum = hashlib.sha256(archive[:1_024] + text + signature).digest()
    return archive[: -len(footer)] + text + signature + checksum + struct.pack(">I", len(text)) + b"PBFOOTER"


@pytest.mark.parametrize("references", [0, 1, 200, 5_000])
def test_totals_of_any_length_come_back(encrypt, totals_of, master_key, references):
    totals = BackupTotals(entries=1, references=tuple(f"{number:032x}" for number in range(references)))
    archive = encrypt(totals=totals)

    assert totals_of(archive) == totals
    assert totals_of(archive, master_key) == totals


def test_the_usual_footer_is_one_read(encrypt, memory):
    source = memory(encrypt())
    read_footer(source)

    assert len(source.calls) == 1


def test_every_flipped_bit_is_found_without_a_password(encrypt, memory, totals_of):
    """Cleanup trusts what head and footer say of bases and references."""
    archive = encrypt()
    start = len(archive) - len(read_footer(memory(archive)))
    for position in [*range(1_024), *range(start, len(archive))]:
        damaged = bytearray(archive)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(DamagedError):
            totals_of(bytes(damaged))


def test_forged_totals_are_found_with_the_master_key(encrypt, memory, totals_of, master_key):
    forged = with_text(encrypt(), b'{"entries":4}', memory)

    assert totals_of(forged).entries == 4
    with pytest.raises(DamagedError, match="on purpose"):
        totals_of(forged, master_key)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"entries":"many"}', b'{"references":7}', b'{"x":' + b"[" * 10_000],
)
def test_what_is_no_totals_is_refused(encrypt, memory, totals_of, text):
    with pytest.raises(FormatError):
        totals_of(with_text(encrypt(), text, memory))


def test_the_footer_of_another_archive_is_refused(encrypt, memory, totals_of, header, master_key):
    """The salt is in its key, the head under its signature."""
    archive, same_head = encrypt(), encrypt()
    other_head = encrypt(header=msgspec.structs.replace(header, id="aa" * 16))
    size = len(read_footer(memory(archive)))

    for other in (same_head, other_head):
        with pytest.raises(DamagedError):
            totals_of(archive[:-size] + other[-size:], master_key)


@pytest.mark.parametrize("length", [100, 2**24 + 1, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused_before_it_is_read(encrypt, memory, length):
    archive = encrypt()

    with pytest.raises(DamagedError, match="claims"):
        read_footer(memory(archive[:5_200] + bytes(60) + struct.pack(">I", length) + b"PBFOOTER"))


def test_an_archive_without_a_footer_is_damaged(encrypt, memory):
    archive = encrypt()

    with pytest.raises(DamagedError, match="no footer"):
        read_footer(memory(archive[:-1]))
    with pytest.raises(DamagedError, match="cut off"):
        read_footer(memory(archive[:5_200]))


def test_totals_that_do_not_fit_are_refused(header, master_key):
    totals = BackupTotals(references=("x" * 2**24,))

    with pytest.raises(FormatError, match="more than a footer can hold"):
        encode_footer(totals, master_key, repository=bytes(16), salt=bytes(24), head=bytes(1_024))
