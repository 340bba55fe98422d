"""What stands before the segments, and how passwords come and go there."""

from __future__ import annotations

import hashlib
import json
import struct

import msgspec
import pytest

from pinnacle_backup.crypto.head import (
    encode_head,
    is_encrypted,
    read_head,
    slot_offset,
    with_slot,
    without_slot,
)
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.errors import DamagedError, FormatError, UsageError


@pytest.fixture(scope="module")
def archive(encrypt):
    return encrypt()


@pytest.fixture
def head_of(memory):
    return lambda archive: read_head(memory(archive))


def patched(archive: bytes, offset: int, data: bytes) -> bytes:
    return archive[:offset] + data + archive[offset + len(data) :]


def with_json(archive: bytes, text: bytes) -> bytes:
    return forged(archive, 16, (struct.pack(">I", len(text)) + text).ljust(976, b"\0"))


def forged(archive: bytes, offset: int, data: bytes) -> bytes:
    """Return the archive with other bytes in its head, and a checksum that fits."""
    changed = patched(archive, offset, data)
    return patched(changed, 992, hashlib.sha256(changed[:992]).digest())


class TestReading:
    def test_the_header_needs_no_password(self, archive, head_of, header, slot, repository):
        head = head_of(archive)

        assert head.header == header
        assert head.raw == archive[:1_024] == encode_head(header)
        assert head.slots == (slot,) + (None,) * 7
        assert head.repository == repository
        assert head.salt + head.commitment == archive[5_120:5_176]
        head.check_slots()

    @pytest.mark.parametrize(
        "data", [b"", b"\x1f\x8b\x08\0", b"PinnacleBacku", b"pinnacleBackup\0\1" + bytes(9_000)]
    )
    def test_other_files_are_not_encrypted_archives(self, memory, data):
        assert not is_encrypted(memory(data))
        with pytest.raises(FormatError, match="not an encrypted archive"):
            read_head(memory(data))

    def test_a_later_version_is_known_as_encrypted_but_refused(self, archive, memory):
        later = memory(patched(archive, 14, b"\0\2"))

        assert is_encrypted(later)
        with pytest.raises(FormatError, match="unknown version"):
            read_head(later)

    @pytest.mark.parametrize("length", [14, 1_024, 5_175])
    def test_a_cut_off_head_is_damage(self, archive, head_of, length):
        with pytest.raises(DamagedError, match="cut off"):
            head_of(archive[:length])

    @pytest.mark.parametrize("length", [0, 100, 973, 2**32 - 1])
    def test_a_wrong_length_is_refused(self, archive, head_of, length):
        with pytest.raises(FormatError):
            head_of(forged(archive, 16, struct.pack(">I", length)))

    def test_every_flipped_byte_of_the_head_is_damage(self, archive, head_of):
        """Another repository id would make every password a wrong one."""
        for position in range(1_024):
            with pytest.raises(DamagedError):
                head_of(patched(archive, position, bytes([archive[position] ^ 1 << position % 8])))

    def test_padding_is_zero(self, archive, head_of):
        with pytest.raises(FormatError, match="padding"):
            head_of(forged(archive, 991, b"\1"))

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 2},
            {"repository": "xyz"},
            {"repository": "0F" * 16},
            {"id": "0f" * 15},
            {"created": 7},
            {"type": None},
        ],
        ids=str,
    )
    def test_a_header_that_is_none_is_refused(self, archive, head_of, header, change):
        fields = msgspec.to_builtins(header) | change

        with pytest.raises(FormatError):
            head_of(with_json(archive, json.dumps(fields).encode()))

    @pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'"\xff"', b"[" * 970], ids=repr)
    def test_what_is_no_header_at_all_is_refused(self, archive, head_of, text):
        with pytest.raises(FormatError):
            head_of(with_json(archive, text))

    def test_unknown_keys_are_ignored(self, archive, head_of, header):
        fields = msgspec.to_builtins(header) | {"colour": "blue"}

        assert head_of(with_json(archive, json.dumps(fields).encode())).header == header

    def test_a_header_that_does_not_fit_is_refused(self, header):
        with pytest.raises(FormatError, match="more than its head can hold"):
            encode_head(msgspec.structs.replace(header, created="x" * 1_024))


class TestDamagedSlots:
    def test_a_damaged_slot_does_not_lock_out_the_others(self, archive, head_of, password, master_key):
        head = head_of(patched(archive, slot_offset(3) + 7, b"\1"))

        assert KeyRing([password]).master_key(head) == master_key
        with pytest.raises(FormatError, match=r"key slot 4 .* is damaged"):
            head.check_slots()

    def test_a_damaged_slot_is_not_called_a_wrong_password(self, archive, head_of, password):
        head = head_of(patched(archive, slot_offset(0) + 20, b"\1\2\3"))

        with pytest.raises(FormatError, match=r"key slot 1 .* is damaged"):
            KeyRing([password]).master_key(head)

    def test_no_slot_at_all_is_not_called_a_wrong_password(self, archive, head_of, password):
        head = head_of(patched(archive, slot_offset(0), bytes(512)))

        with pytest.raises(FormatError, match="no key slot"):
            KeyRing([password]).master_key(head)


class TestChangingPasswords:
    def test_a_password_is_changed_without_touching_the_data(
        self, archive, head_of, open_source, password, repository, master_key
    ):
        """Add the new password's slot, then empty the old one's: 1,024 bytes are written."""
        new = seal(master_key, "new password", repository=repository, label="", created=0)
        index, block = with_slot(head_of(archive), new)
        both = patched(archive, slot_offset(index), block)
        old_index, _ = KeyRing([password]).unlock(head_of(both))
        changed = patched(both, slot_offset(old_index), without_slot(head_of(both), old_index))

        assert (old_index, index) == (0, 1)
        key = KeyRing(["new password"]).master_key(head_of(changed))
        assert open_source(changed, key).read_at(0, 12) == b"plain stream"
        assert head_of(changed).slots == (None, new) + (None,) * 6

    def test_eight_passwords_are_the_most(self, archive, head_of, slot):
        for expected in range(1, 8):
            index, block = with_slot(head_of(archive), slot)
            assert index == expected
            archive = patched(archive, slot_offset(index), block)

        with pytest.raises(UsageError, match="all 8 key slots"):
            with_slot(head_of(archive), slot)

    def test_a_damaged_slot_is_not_overwritten(self, archive, head_of, slot):
        head = head_of(patched(archive, slot_offset(1), b"\1"))

        assert with_slot(head, slot)[0] == 2

    def test_a_damaged_slot_can_be_removed(self, archive, head_of):
        assert without_slot(head_of(patched(archive, slot_offset(1), b"\1")), 1) == bytes(512)

    def test_the_last_sound_slot_stays(self, archive, head_of):
        with pytest.raises(UsageError, match="last one"):
            without_slot(head_of(patched(archive, slot_offset(1), b"\1")), 0)

    @pytest.mark.parametrize("index", [-1, 1, 8])
    def test_only_a_slot_that_is_there_can_be_removed(self, archive, head_of, index):
        with pytest.raises(UsageError, match="no key slot"):
            without_slot(head_of(archive), index)
