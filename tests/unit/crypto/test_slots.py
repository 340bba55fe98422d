"""Key slots: their 512 bytes, and what opens them."""

from __future__ import annotations

import hashlib
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.crypto.password import Argon2Parameters, derive
from pinnacle_backup.crypto.slots import KeySlot, find, seal
from pinnacle_backup.errors import FormatError, UsageError


def forge(slot: KeySlot, offset: int, data: bytes) -> bytes:
    """Return the slot with other bytes at an offset, and a checksum that fits."""
    block = bytearray(slot.encode())
    block[offset : offset + len(data)] = data
    if offset < 181:
        block[181:213] = hashlib.sha256(block[:181]).digest()
    return bytes(block)


@pytest.fixture(scope="module")
def password_key(slot, password):
    return derive(password, slot.salt, slot.parameters)


class TestBytes:
    def test_the_fields_stand_where_the_format_says(self, slot):
        block = slot.encode()

        assert len(block) == 512
        assert block[0] == 1
        assert struct.unpack(">III", block[1:13]) == (65_536, 3, 4)
        assert block[13:29] == slot.salt
        assert struct.unpack(">Q", block[29:37]) == (1_700_000_000,)
        assert block[37:41] == b"\x03Ada"
        assert not any(block[41:101])
        assert block[101:133] == slot.commitment
        assert block[133:181] == slot.sealed
        assert block[181:213] == hashlib.sha256(block[:181]).digest()
        assert not any(block[213:])

    @given(
        memory=st.integers(65_536, 1_048_576),
        passes=st.integers(3, 16),
        lanes=st.integers(1, 16),
        salt=st.binary(min_size=16, max_size=16),
        created=st.integers(0, 2**64 - 1),
        label=st.text(st.characters(codec="utf-8"), max_size=15),
        commitment=st.binary(min_size=32, max_size=32),
        sealed=st.binary(min_size=48, max_size=48),
    )
    def test_what_is_encoded_is_decoded(self, memory, passes, lanes, **fields):
        slot = KeySlot(parameters=Argon2Parameters(memory, passes, lanes), **fields)

        assert KeySlot.decode(slot.encode()) == slot

    def test_every_flipped_bit_is_found(self, slot):
        """A damaged slot must never pass for a wrong password."""
        block = slot.encode()
        for position in range(512 * 8):
            damaged = bytearray(block)
            damaged[position // 8] ^= 1 << position % 8
            with pytest.raises(FormatError):
                KeySlot.decode(bytes(damaged))

    @pytest.mark.parametrize("length", [0, 100, 181, 213, 511, 513])
    def test_another_length_is_refused(self, slot, length):
        with pytest.raises(FormatError):
            KeySlot.decode(slot.encode().ljust(600, b"\0")[:length])

    @pytest.mark.parametrize(
        ("offset", "data", "reason"),
        [
            (0, b"\x02", "algorithm 2"),
            (1, struct.pack(">I", 65_535), "memory"),
            (1, struct.pack(">I", 2**32 - 1), "memory"),
            (5, struct.pack(">I", 2), "passes"),
            (5, struct.pack(">I", 17), "passes"),
            (9, struct.pack(">I", 0), "lanes"),
            (9, struct.pack(">I", 17), "lanes"),
            (37, b"\x40", "canonical"),
            (37, b"\x02", "canonical"),
            (38, b"\xff", "UTF-8"),
            (100, b"\x01", "canonical"),
            (213, b"\x01", "canonical"),
            (511, b"\x01", "canonical"),
        ],
    )
    def test_what_no_writer_makes_is_refused_even_with_the_right_checksum(self, slot, offset, data, reason):
        with pytest.raises(FormatError, match=reason):
            KeySlot.decode(forge(slot, offset, data))


def found(slots, password, repository):
    """Return index and master key of the slot that a password opens."""
    return find(slots, lambda salt, parameters: derive(password, salt, parameters), repository)


class TestFind:
    def test_the_password_gives_the_master_key(self, slot, password, repository, master_key):
        assert found([None, slot], password, repository) == (1, master_key)

    def test_another_password_opens_nothing(self, slot, repository):
        assert found([slot], "correct horsf", repository) is None

    def test_any_of_several_passwords_opens(self, slot, password, repository, master_key):
        other = seal(master_key, "second", repository=repository, label="", created=0)

        assert found([slot, None, other], "second", repository) == (2, master_key)
        assert found([slot, None, other], password, repository) == (0, master_key)
        assert found([slot, None, other], "third", repository) is None

    def test_without_a_slot_nothing_opens(self, password, repository):
        assert found([None] * 8, password, repository) is None

    def test_a_slot_of_another_repository_does_not_open(self, slot, password_key, repository):
        assert slot.open(password_key, repository[::-1]) is None

    @pytest.mark.parametrize("offset", [29, 36, 101, 132])
    def test_a_forged_field_does_not_open(self, slot, password_key, repository, offset):
        forged = KeySlot.decode(forge(slot, offset, bytes([slot.encode()[offset] ^ 1])))

        assert forged.open(password_key, repository) is None

    def test_a_forged_label_does_not_open(self, slot, password_key, repository):
        assert msgspec.structs.replace(slot, label="Eve").open(password_key, repository) is None

    @pytest.mark.parametrize("offset", [133, 164, 165, 180])
    def test_a_forged_sealed_key_is_told_from_a_wrong_password(self, slot, password_key, repository, offset):
        forged = KeySlot.decode(forge(slot, offset, bytes([slot.encode()[offset] ^ 1])))

        with pytest.raises(FormatError, match="sealed key"):
            forged.open(password_key, repository)


class TestSeal:
    def test_every_slot_has_its_own_salt(self, slot, password, repository, master_key):
        again = seal(master_key, password, repository=repository, label="Ada", created=slot.created)

        assert again.salt != slot.salt
        assert again.sealed != slot.sealed

    def test_the_master_key_is_not_readable(self, slot, master_key):
        assert master_key not in slot.encode()

    @pytest.mark.parametrize("password", ["", "\udcff"], ids=ascii)
    def test_what_is_no_password_is_refused(self, password, repository, master_key):
        with pytest.raises(UsageError, match="password"):
            seal(master_key, password, repository=repository, label="", created=0)

    @pytest.mark.parametrize("label", ["a" * 64, "\u00e9" * 32, "two\nlines", "\udcff"], ids=ascii)
    def test_a_label_that_is_too_long_or_no_text_is_refused(self, label, repository, master_key):
        with pytest.raises(UsageError, match="label"):
            seal(master_key, "password", repository=repository, label=label, created=0)

    def test_weak_parameters_are_refused(self, repository, master_key):
        weak = Argon2Parameters(memory_kib=8)

        with pytest.raises(FormatError):
            seal(master_key, "password", repository=repository, label="", created=0, parameters=weak)
