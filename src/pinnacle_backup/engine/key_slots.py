"""Which key slots of an archive a password opens, which one a person means, and slots for new passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from pinnacle_backup.crypto.envelope import Head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import KeySlot, seal
from pinnacle_backup.errors import PasswordError, UsageError

Find = Callable[[Head], list[int]]
"""Returns the indices of the slots that are meant."""


class NewPassword:
    """
    A password on its way into key slots: one for each master key, the same in all archives under that key.

    Args:
        password: The password.
        clock: Returns the time now, with zone.
        randomness: Returns that many random bytes.
    """

    def __init__(
        self, password: str, *, clock: Callable[[], datetime], randomness: Callable[[int], bytes]
    ) -> None:
        self._password = password
        self._ring = KeyRing((password,))
        self._clock = clock
        self._randomness = randomness
        self._slots: dict[tuple[bytes, bytes, str], KeySlot] = {}

    def opens(self, head: Head) -> dict[int, bytes]:
        """Return the slots that it opens already. What a run that died wrote is used for the rest, too."""
        found = opened(self._ring, head)
        for index, master_key in found.items():
            slot = head.slots[index]
            if slot is not None:
                self._slots.setdefault((head.repository, master_key, slot.label), slot)
        return found

    def slot(self, head: Head, master_key: bytes, label: str) -> KeySlot:
        """Return its slot for an archive's master key."""
        wanted = (head.repository, master_key, label)
        if wanted not in self._slots:
            self._slots[wanted] = seal(
                master_key,
                self._password,
                repository=head.repository,
                label=label,
                created=int(self._clock().timestamp()),
                randomness=self._randomness,
            )
        return self._slots[wanted]


def opened(ring: KeyRing, head: Head) -> dict[int, bytes]:
    """Return all key slots that the passwords open, by index, with the master key in them."""
    found: dict[int, bytes] = {}
    for index, slot in enumerate(head.slots):
        if slot is not None:
            alone = msgspec.structs.replace(head, slots=(slot,), damaged_slots={})
            try:
                found[index] = ring.master_key(alone)
            except PasswordError:
                continue
    return found


def meant(slot: str, heads: Iterable[Head]) -> Find:
    """
    Return what finds the key slots that a person means by label or number.

    A number means the password that has it in these archives: the same password may have another number
    elsewhere, and another password the same one.

    Raises:
        UsageError: The number stands for several passwords.
    """
    if not slot.isdecimal():
        return lambda head: [
            i for i, other in enumerate(head.slots) if slot and other and other.label == slot
        ]
    index = int(slot) - 1
    numbered = {_identity(head, index) for head in heads} - {None}
    if len(numbered) > 1:
        raise UsageError(
            f"key slot {slot} is not the same password in all backups",
            hint="name the backups, or give the label of the password",
        )
    return lambda head: [i for i in range(len(head.slots)) if _identity(head, i) in numbered]


def _identity(head: Head, index: int) -> KeySlot | tuple[str, int] | None:
    """Return what tells a key slot from others: a damaged one is that of one archive only."""
    if index in head.damaged_slots:
        return head.header.id, index
    return head.slots[index] if index in range(len(head.slots)) else None
