"""Finding the backups of a lost studio at an address, with nothing else known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

import msgspec

from pinnacle_backup.app.addresses import full_address, is_address, place_of_address
from pinnacle_backup.errors import BackupNotFound, StoreError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.names import is_archive_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.local import LocalStore

_LATER: Final = datetime(9999, 12, 31, tzinfo=UTC)
_DEEPEST: Final = 3
_MOST_FOLDERS: Final = 100
_PEEK: Final = 2000


@dataclass(frozen=True)
class Found:
    """
    Backups at an address.

    Attributes:
        address: Exactly where, as any command takes it.
        repository: The backups; what is known of them is in memory only.
        listing: All of them.
        chosen: The one to recover.
    """

    address: str
    repository: Repository
    listing: Listing
    chosen: BackupInfo

    @property
    def studios(self) -> int:
        """How many studios have their backups here; there should be one."""
        return len({info.header.repository for info in self.listing.backups})


def find_backups(address: str, *, at: datetime | None = None) -> Found:
    """
    Find backups at an address, or in the one place below it that has some, and choose one.

    Args:
        address: ``s3://BUCKET/PREFIX``, or a folder.
        at: Choose the newest complete one that is not after this moment; None for the newest of all.

    Raises:
        BackupNotFound: There is none, or none of that time.
        UsageError: There are some in several places below.
        StoreError: The place cannot be reached or listed.
    """
    exact = _whole(address)
    if not _has_archives(_store_at(exact)):
        exact = _only_place(exact)
    repository = Repository(_store_at(exact), Catalog(""), read_facts=read_facts)
    listing = repository.listing()
    if not listing.backups:
        raise StoreError(
            f"none of the archives in {printable(exact)} can be read: {listing.problems[0].path}: "
            f"{listing.problems[0].reason}"
        )
    return Found(exact, repository, listing, listing.at(at or _LATER))


def _whole(address: str) -> str:
    if is_address(address):
        return full_address(place_of_address(address), here=True)
    path = os.path.abspath(os.path.expanduser(address))
    if not os.path.isdir(path):
        hint = "name a folder, or s3://BUCKET/PREFIX"
        raise UsageError(f"there is no folder {printable(address)}", hint=hint)
    return path


def _store_at(address: str) -> Store:
    if not is_address(address):
        return LocalStore(address)
    from pinnacle_backup.store.cloud.opening import open_store  # noqa: PLC0415 - folders do not need it

    return open_store(place_of_address(address))


def _has_archives(store: Store) -> bool:
    """Tell whether there seem to be any; a place of other things need not be listed to its end."""
    return any(is_archive_name(stored.name) for stored in islice(store.list(), _PEEK))


def _only_place(address: str) -> str:
    """Return the place below that has backups."""
    places = list(_places_below(address))
    if len(places) == 1:
        return places[0]
    if places:
        raise UsageError(
            f"there are backups in several places below {printable(address)}",
            hint=f"which one? {', '.join(map(printable, places[:10]))}",
        )
    raise BackupNotFound(
        f"there are no backups in {printable(address)}, nor below it",
        hint="check the address: the recovery sheet has it, or `key sheet` where the studio still runs",
    )


def _places_below(address: str) -> Iterator[str]:
    """Yield places with archives, the nearest first, as far as a person would look."""
    looked, level = 0, [address]
    for _ in range(_DEEPEST):
        level = [below for above in level for below in _folders(above)][: _MOST_FOLDERS - looked]
        looked += len(level)
        yield from (below for below in level if _has_archives(_store_at(below)))


def _folders(address: str) -> list[str]:
    if not is_address(address):
        with os.scandir(address) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    from pinnacle_backup.store.cloud.folders import folders_below  # noqa: PLC0415 - see above

    place = place_of_address(address)
    below = (msgspec.structs.replace(place, prefix=prefix) for prefix in folders_below(place))
    return [full_address(each, here=True) for each in below]
