"""
Writing key slots into an archive that lies in the store.

The order: the checksum-to-be is computed, the sidecar goes, slots are written one by one and read back, the
sidecar comes again. New slots are written before old ones are emptied, and a slot is one sector of a disk. An
archive without sidecar is thus one that a run did not finish; the next run finishes it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from typing import Final

from pinnacle_backup.crypto.envelope import slot_offset
from pinnacle_backup.errors import DamagedError, ObjectNotFound
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.companions import read_sidecar, write_sidecar
from pinnacle_backup.repository.names import sidecar_name
from pinnacle_backup.store.base import Store

Edit = tuple[int, bytes]
"""Index of a key slot, and the 512 bytes that it gets."""

_STEP: Final = 1 << 20
"""More than lies before the data of an archive, all key slots included."""


def carry_out(store: Store, name: str, edits: Sequence[Edit]) -> bool:
    """
    Write key slots, in this order, and the archive's new checksum. The caller is alone with the repository.

    Args:
        store: Where the archive is.
        name: The archive.
        edits: May be none.

    Returns:
        Whether anything was changed.

    Raises:
        DamagedError: The archive is not as its checksum says, and was not touched; or the disk does not give
            back what was written.
    """
    recorded = _recorded(store, name)
    if recorded is not None and not edits:
        return False
    before, after = _hashes(store, name, edits)
    if recorded not in (None, before):
        raise DamagedError(
            f"{printable(name)}: its SHA-256 is not the one in {printable(sidecar_name(name))}; "
            "its passwords were not changed",
            hint="`verify` tells what is damaged",
        )
    with contextlib.suppress(ObjectNotFound):
        store.delete(sidecar_name(name))
    for index, data in edits:
        _write(store, name, slot_offset(index), data)
    write_sidecar(store, name, after)
    return True


def _recorded(store: Store, name: str) -> str | None:
    """Return the checksum in the sidecar; None where there is none that makes sense."""
    try:
        return read_sidecar(store, name)
    except DamagedError:
        return None


def _hashes(store: Store, name: str, edits: Sequence[Edit]) -> tuple[str, str]:
    """Return the SHA-256 of an archive as it is, and as it will be."""
    before, after = hashlib.sha256(), hashlib.sha256()
    source = store.open(name)
    try:
        for offset in range(0, source.size, _STEP):
            data = source.read_at(offset, min(_STEP, source.size - offset))
            before.update(data)
            after.update(data if offset else _edited(data, edits))
    finally:
        source.close()
    return before.hexdigest(), after.hexdigest()


def _edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    edited = bytearray(data)
    for index, slot in edits:
        start = slot_offset(index)
        edited[start : start + len(slot)] = slot
    return bytes(edited)


def _write(store: Store, name: str, offset: int, data: bytes) -> None:
    store.patch(name, offset, data)
    store.drop_cache(name)
    source = store.open(name)
    try:
        found = source.read_at(offset, len(data))
    finally:
        source.close()
    if found != data:
        raise DamagedError(
            f"{printable(name)}: the disk gave back other bytes than were written into a key slot",
            hint="check the disk; no password was removed by this",
        )
