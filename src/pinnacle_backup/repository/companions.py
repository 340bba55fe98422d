"""What lies beside an archive: ``NAME.sha256``, its checksum, and ``NAME.pin``. See format.md, section 5."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from pinnacle_backup.errors import DamagedError, ObjectNotFound, PinnacleError, StoreError
from pinnacle_backup.repository.names import archive_of, is_archive_name, is_companion_name, sidecar_name
from pinnacle_backup.store.base import Store, StoredObject
from pinnacle_backup.store.replicas import Replicas

_LINE: Final = re.compile(rb"([0-9a-f]{64})  ([^\n]+)\n")
_LONGEST: Final = 1024


def write_sidecar(store: Store, name: str, sha256: str) -> None:
    """Store the checksum of an archive, unless it is seen to be there. The caller holds the writer lock."""
    with contextlib.suppress(DamagedError, StoreError):  # a key may be one that only writes
        if read_sidecar(store, name) == sha256:
            return
    _put_sidecar(store, name, sha256)


def _put_sidecar(store: Store, name: str, sha256: str) -> None:
    store.put(sidecar_name(name), f"{sha256}  {name}\n".encode(), replace=True)


@contextlib.contextmanager
def sidecar_first(store: Store, name: str, sha256: str) -> Iterator[None]:
    """
    Store the checksum of an archive that gets its name in the block, and take it back where that fails.

    The caller holds the writer lock.
    """
    _put_sidecar(store, name, sha256)
    try:
        yield
    except BaseException:
        with contextlib.suppress(PinnacleError):  # else the next run sweeps it
            if not store.exists(name):
                store.delete(sidecar_name(name))
        raise


def read_sidecar(store: Store | Replicas, name: str) -> str | None:
    """
    Return the SHA-256 of an archive as its sidecar says, in hex; None where it has no sidecar.

    Raises:
        DamagedError: The sidecar is not one, or one of another file.
    """
    try:
        source = store.open(sidecar_name(name))
    except ObjectNotFound:
        return None
    try:
        match = _LINE.fullmatch(source.read_at(0, min(source.size, _LONGEST)))
    finally:
        source.close()
    if not match or match[2] != name.encode():
        raise DamagedError(f"{sidecar_name(name)} is damaged", hint="`verify` tells whether the archive is")
    return match[1].decode()


class Swept(NamedTuple):
    """
    What a sweep did.

    Attributes:
        removed: The names of what runs that died had left behind.
        objects: What there is now, by name.
    """

    removed: tuple[str, ...]
    objects: dict[str, StoredObject]


def sweep(store: Store) -> Swept:
    """
    Remove what runs that died left behind: unfinished objects, and companions of archives that are gone.

    The caller holds the writer lock.
    """
    unfinished, objects = _unfinished_and_objects(store)
    lonely = sorted(n for n in objects if is_companion_name(n) and archive_of(n) not in objects)
    for name in lonely:
        store.delete(name)
        del objects[name]
    return Swept((*unfinished, *lonely), objects)


def _unfinished_and_objects(store: Store) -> tuple[tuple[str, ...], dict[str, StoredObject]]:
    """Remove unfinished objects, and list the others: no list has what is unfinished, so neither waits."""
    if store.reads_at_once == 1:
        return store.sweep(_is_ours), _objects(store)
    with ThreadPoolExecutor(1) as beside:
        objects = beside.submit(_objects, store)
        return store.sweep(_is_ours), objects.result()


def _is_ours(name: str) -> bool:
    return is_archive_name(name) or is_companion_name(name)


def _objects(store: Store) -> dict[str, StoredObject]:
    return {stored.name: stored for stored in store.list()}
