"""
What copies that are there already get: pins, checksums, and passwords that were changed since.

The data of an archive never changes, but its key slots do (``key change``). A copy that only an old password
opens would be of no use to the one who has to restore from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from pinnacle_backup.crypto.envelope import read_head, slot_offset
from pinnacle_backup.crypto.head import SLOTS
from pinnacle_backup.crypto.slots import EMPTY_SLOT, SLOT_BYTES
from pinnacle_backup.engine.key_edits import Edit, carry_out
from pinnacle_backup.errors import DamagedError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.companions import write_sidecar
from pinnacle_backup.repository.names import pin_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store

_SEEN: Final = "checksum of "


def bring_pin(target: Repository, info: BackupInfo, there: BackupInfo | None) -> None:
    """Pin the copy of a backup that is pinned here, too. A pin is never taken back there."""
    if info.pinned and there is not None and not there.pinned:
        target.store.put(pin_name(info.name), b"", replace=True)


def is_stale(source: Repository, target: Repository, info: BackupInfo) -> bool:
    """
    Tell whether the checksum of a copy is missing, damaged, or not the one that is recorded here.

    Where it costs a request to look, what was seen there before is remembered.

    Raises:
        DamagedError: The sidecar here is damaged.
    """
    expected = source.read_sidecar(info.name)
    if expected is None or (_is_far(target) and target.catalog.value(_SEEN + info.name) == expected):
        return False
    stale = expected != _recorded(target, info.name)
    if not stale:
        remember_copy(target, info, expected)
    return stale


def remember_copy(target: Repository, info: BackupInfo, sha256: str) -> None:
    """Remember which checksum a copy has, where it would cost a request to look."""
    if _is_far(target):
        target.catalog.set_value(_SEEN + info.name, sha256)


def _is_far(target: Repository) -> bool:
    return target.store.reads_at_once > 1


def refresh(source: Repository, target: Repository, info: BackupInfo) -> bool:
    """
    Give a stale copy the key slots and the checksum of its original; the caller is alone with the target.

    Returns:
        Whether passwords were changed.

    Raises:
        DamagedError: The copy or the original is damaged. The copy was not made worse.
        UsageError: The target's store cannot change what it has.
    """
    edits = tuple(_edits(source.store, target.store, info.name)) if info.encrypted else ()
    with _checksum_stays(target, info.name):
        carry_out(target.store, info.name, edits)
    if _recorded(target, info.name) != source.read_sidecar(info.name):
        raise DamagedError(
            f"the copy of {printable(info.name)} is damaged: it has other bytes than the original",
            hint="remove the copy, and the next run copies it again",
        )
    return bool(edits)


@contextmanager
def _checksum_stays(target: Repository, name: str) -> Iterator[None]:
    """Keep the sidecar of a copy whose store cannot change it."""
    recorded = _recorded(target, name)
    try:
        yield
    except UsageError as error:
        if recorded:
            write_sidecar(target.store, name, recorded)
        raise UsageError(
            f"only the passwords of before open the copy of {printable(name)}: {error.message}",
            hint="remove the copy, and the next run copies it again",
        ) from error


def _recorded(target: Repository, name: str) -> str | None:
    try:
        return target.read_sidecar(name)
    except DamagedError:
        return None


def _edits(source: Store, target: Store, name: str) -> Iterator[Edit]:
    """Yield the key slots that differ, new ones before those that are emptied."""
    here, there = _slots(source, name, check=True), _slots(target, name, check=False)
    edits = [(index, slot) for index, slot in enumerate(here) if slot != there[index]]
    yield from sorted(edits, key=lambda edit: edit[1] == EMPTY_SLOT)


def _slots(store: Store, name: str, *, check: bool) -> Sequence[bytes]:
    with closing(store.open(name)) as archive:
        if check:
            read_head(archive).check_slots()
        return [archive.read_at(slot_offset(index), SLOT_BYTES) for index in range(SLOTS)]
