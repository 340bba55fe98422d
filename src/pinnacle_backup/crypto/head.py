"""What stands before the segments of an encrypted archive: no password needed (format.md, 6.1, 6.2)."""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Final, TypeVar

import msgspec

from pinnacle_backup.crypto.keys import COMMITMENT_BYTES
from pinnacle_backup.crypto.slots import EMPTY_SLOT, SLOT_BYTES, KeySlot
from pinnacle_backup.errors import DamagedError, FormatError, UsageError
from pinnacle_backup.model.backup import FORMAT_VERSION, BackupHeader
from pinnacle_backup.model.streams import ByteSource

HEAD_BYTES: Final = 1_024
SLOTS: Final = 8
SALT_BYTES: Final = 24
SALT_START: Final = HEAD_BYTES + SLOTS * SLOT_BYTES
SEGMENTS_START: Final = SALT_START + SALT_BYTES + COMMITMENT_BYTES

T = TypeVar("T")

_CHECKSUM_START: Final = HEAD_BYTES - hashlib.sha256().digest_size
_NAME: Final = b"PinnacleBackup"
_VERSION: Final = b"\0\1"
_LENGTH: Final = struct.Struct(">16sI")
_ID: Final = re.compile(r"[0-9a-f]{32}")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """
    The part of an encrypted archive before its segments.

    Attributes:
        header: Who the backup is. Authentic only once a segment was decrypted.
        raw: The 1,024 bytes that say so.
        slots: The eight key slots; None where one is empty or damaged.
        damaged_slots: What is wrong, by index of the slot.
        salt: Makes the keys of this archive unlike those of any other.
        commitment: Tells the master key from all others.
    """

    header: BackupHeader
    raw: bytes
    slots: tuple[KeySlot | None, ...]
    damaged_slots: dict[int, str]
    salt: bytes
    commitment: bytes

    @property
    def repository(self) -> bytes:
        """The 16 bytes of the repository id."""
        return bytes.fromhex(self.header.repository)

    def check_slots(self) -> None:
        """
        Pass where every key slot is sound, and there is one.

        Raises:
            FormatError: A slot is damaged, or all are empty. A sound one may still open the archive.
        """
        for index, reason in self.damaged_slots.items():
            raise FormatError(
                f"key slot {index + 1} of the backup of {self.header.created} is damaged: {reason}",
                hint="restore the archive file from another copy, or use the password of another slot",
            )
        if not any(self.slots):
            raise FormatError(f"the backup of {self.header.created} has no key slot: no password can open it")


def is_encrypted(source: ByteSource) -> bool:
    """Tell whether these are the bytes of an encrypted archive, of whatever version."""
    return source.size >= len(_NAME) and source.read_at(0, len(_NAME)) == _NAME


def encode_head(header: BackupHeader) -> bytes:
    """Return the 1,024 bytes for a header."""
    text = msgspec.json.encode(header)
    if len(text) > _CHECKSUM_START - _LENGTH.size:
        raise FormatError(f"the header of a backup has {len(text):,} bytes: more than its head can hold")
    summed = (_LENGTH.pack(_NAME + _VERSION, len(text)) + text).ljust(_CHECKSUM_START, b"\0")
    return summed + hashlib.sha256(summed).digest()


def read_head(source: ByteSource) -> Head:
    """
    Return what stands before the segments.

    Raises:
        DamagedError: The head is damaged, or the archive ends before its segments begin.
        FormatError: It is not an encrypted archive, or breaks the rules of the head.
    """
    if not is_encrypted(source):
        raise FormatError("this is not an encrypted archive")
    if source.size < SEGMENTS_START:
        raise DamagedError(f"the encrypted archive is cut off: it has only {source.size:,} bytes")
    data = source.read_at(0, SEGMENTS_START)
    slots, damaged = _decode_slots(data[HEAD_BYTES:SALT_START])
    return Head(
        header=_decode_header(data[:HEAD_BYTES]),
        raw=data[:HEAD_BYTES],
        slots=slots,
        damaged_slots=damaged,
        salt=data[SALT_START : SALT_START + SALT_BYTES],
        commitment=data[SALT_START + SALT_BYTES :],
    )


def _decode_header(raw: bytes) -> BackupHeader:
    magic, length = _LENGTH.unpack_from(raw)
    if not magic.endswith(_VERSION):
        raise FormatError("the encrypted archive has an unknown version", hint="open it with a newer release")
    if hashlib.sha256(raw[:_CHECKSUM_START]).digest() != raw[_CHECKSUM_START:]:
        raise DamagedError("the head of the encrypted archive is damaged: the checksum differs")
    end = _LENGTH.size + length
    if end > _CHECKSUM_START or any(raw[end:_CHECKSUM_START]):
        raise FormatError("the head of the encrypted archive is damaged: its length or padding is wrong")
    header = decode_json(raw[_LENGTH.size : end], BackupHeader, "the head of the encrypted archive")
    _check_header(header)
    return header


def decode_json(text: bytes, kind: type[T], name: str) -> T:
    """
    Return the object of a text that anyone may have written.

    Raises:
        FormatError: It is no JSON of this kind.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{name} is damaged: {error}") from None


def _check_header(header: BackupHeader) -> None:
    if header.format != FORMAT_VERSION:
        raise FormatError(
            f"the encrypted archive has the unknown format {header.format}",
            hint="open it with a newer release",
        )
    if not (_ID.fullmatch(header.repository) and _ID.fullmatch(header.id)):
        raise FormatError("the head of the encrypted archive is damaged: an id is not 32 hex digits")


def _decode_slots(block: bytes) -> tuple[tuple[KeySlot | None, ...], dict[int, str]]:
    """Return the slots, and what is wrong with damaged ones: a bad slot must not lock out the others."""
    slots: list[KeySlot | None] = [None] * SLOTS
    damaged: dict[int, str] = {}
    for index in range(SLOTS):
        data = block[index * SLOT_BYTES : (index + 1) * SLOT_BYTES]
        if data != EMPTY_SLOT:
            try:
                slots[index] = KeySlot.decode(data)
            except FormatError as error:
                damaged[index] = error.message
    return tuple(slots), damaged


def slot_offset(index: int) -> int:
    """Return where in the archive file the 512 bytes of a key slot stand."""
    return HEAD_BYTES + index * SLOT_BYTES


def with_slot(head: Head, slot: KeySlot) -> tuple[int, bytes]:
    """
    Return the first free index, and the 512 bytes that put the slot there.

    Raises:
        UsageError: All eight are taken.
    """
    for index, taken in enumerate(head.slots):
        if taken is None and index not in head.damaged_slots:
            return index, slot.encode()
    raise UsageError(
        f"all {SLOTS} key slots of the backup of {head.header.created} are taken",
        hint="remove a password first",
    )


def without_slot(head: Head, index: int) -> bytes:
    """
    Return the 512 bytes that empty a slot.

    Raises:
        UsageError: No slot is there, or no other sound one would be left.
    """
    if index not in head.damaged_slots and (index not in range(SLOTS) or head.slots[index] is None):
        raise UsageError(f"the backup of {head.header.created} has no key slot {index + 1}")
    if not any(slot for other, slot in enumerate(head.slots) if other != index):
        raise UsageError(
            f"key slot {index + 1} is the last one of the backup of {head.header.created}: it stays",
            hint="add another password first",
        )
    return EMPTY_SLOT
