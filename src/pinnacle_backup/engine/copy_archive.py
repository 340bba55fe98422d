"""Copying one archive from store to store: every byte is checked on the way, and again where it arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from pinnacle_backup.errors import DamagedError, PinnacleError, StoreFull
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import ByteSink, ByteSource
from pinnacle_backup.repository.names import pin_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store

_STEP: Final = 1 << 20
_ROOM_BESIDE: Final = 64 << 10
"""Bytes that sidecar, pin and the names of all three take at most."""


def copy_archive(
    archive: ByteSource,
    expected: str | None,
    target: Repository,
    info: BackupInfo,
    *,
    advance: Callable[[int], None],
) -> str:
    """
    Store an archive in another place, with what lies beside it, and return its SHA-256.

    The caller holds the source's reader lock and the target's writer lock. In the target the backup exists
    when it is whole, read back and compared, and not before.

    Args:
        archive: The original.
        expected: Its SHA-256 as recorded; None where it has no sidecar.
        target: Where to.
        info: The backup, as the source lists it.
        advance: Told how many bytes were copied.

    Raises:
        DamagedError: The source has other bytes than were backed up, or the target gave back others.
        ObjectExists: The name is taken in the target; nothing was overwritten.
        StoreFull: There is no room in the target.
        StoreError: It cannot be written.
    """
    check_room(target.store, info)
    sink = target.store.create(info.name, size=info.stored)
    try:
        sha256 = _pour(archive, sink, info.name, advance)
        _compare(sha256, expected, info.name)
        sink.check(sha256)
        with target.sidecar_first(info.name, sha256):
            sink.commit()
    except BaseException:
        sink.abort()
        raise
    if info.pinned:
        target.store.put(pin_name(info.name), b"", replace=True)
    return sha256


def check_room(store: Store, info: BackupInfo) -> None:
    """
    Pass where an archive fits in, as far as the store can tell.

    Raises:
        StoreFull: It does not.
    """
    free = store.free_bytes()
    if free is not None and free < info.stored + _ROOM_BESIDE:
        raise StoreFull(
            f"no room for {printable(info.name)}: it has {info.stored:,} bytes, and {free:,} are free",
            hint="free some space there; `copy --delete` removes there what is no longer here",
        )


def _pour(archive: ByteSource, sink: ByteSink, name: str, advance: Callable[[int], None]) -> str:
    """Write all bytes into the sink and return their SHA-256."""
    digest = hashlib.sha256()
    for offset in range(0, archive.size, _STEP):
        data = _read(archive, offset, min(_STEP, archive.size - offset), name)
        sink.write(data)
        digest.update(data)
        advance(len(data))
    return digest.hexdigest()


def _compare(sha256: str, expected: str | None, name: str) -> None:
    if expected not in (None, sha256):
        message = f"{printable(name)} is damaged: its SHA-256 is not the one that was recorded"
        raise DamagedError(message, hint="`verify` tells what can still be restored; make a new full backup")


def _read(archive: ByteSource, offset: int, length: int, name: str) -> bytes:
    """Return bytes of the source; what cannot be read any more is damaged, and no fault of the target."""
    try:
        return archive.read_at(offset, length)
    except PinnacleError as error:
        raise DamagedError(f"{printable(name)} cannot be read: {error.message}", hint=error.hint) from error
