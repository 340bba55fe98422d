"""
What copies that are there already get: pins, checksums, and passwords that were changed since.

The data of an archive never changes, but its key slots do (``key change``). A copy that only an old password
opens would be of no use to the one who has to restore from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

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


def bring_pin(source: Repository, target: Repository, info: BackupInfo) -> None:
    """Pin the copy of a backup that is pinned here, too. A pin is never taken back there."""
    name = pin_name(info.name)
    if source.store.exists(name) and not target.store.exists(name):
        target.store.put(name, b"", replace=True)


def is_stale(source: Repository, target: Repository, info: BackupInfo) -> bool:
    """
    Tell whether the checksum of a copy is missing, damaged, or not the one that is recorded here.

    Raises:
        DamagedError: The sidecar here is damaged.
    """
    expected = source.read_sidecar(info.name)
    return expected is not None and expected != _recorded(target, info.name)


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
