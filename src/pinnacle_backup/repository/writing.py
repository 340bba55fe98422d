"""
Deleting archives: the order of the steps, so that a crash between any two does no harm.

The catalog forgets the content, then the archive's name goes, then the sidecar and the pin. A companion
without archive is swept by the next run.
"""

from __future__ import annotations

import contextlib
from collections import Counter

from pinnacle_backup.errors import ObjectNotFound, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository import companions
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.names import pin_name, sidecar_name
from pinnacle_backup.store.base import Store


class Cleaner:
    """
    Deletes archives. Whoever has one is alone with the repository; see ``Repository.cleaner``.

    Args:
        store, catalog: Of the repository.
        listing: What is there. What it tells of needs is gathered once: thousands may be deleted.
    """

    def __init__(self, store: Store, catalog: Catalog, listing: Listing) -> None:
        self._store, self._catalog = store, catalog
        self._left = {info.name: info for info in listing.backups}
        self._problems = listing.problems
        self._copies = Counter(info.header.id for info in listing.backups)
        self._needing: dict[str, list[str]] = {}
        """By the id of a backup: names of those that cannot be restored without it, newest first."""
        for info in listing.backups:
            for identity in listing.needs(info):
                self._needing.setdefault(identity, []).append(info.name)

    @property
    def listing(self) -> Listing:
        """What is there by now."""
        return Listing(tuple(self._left.values()), self._problems)

    def delete(self, info: BackupInfo) -> None:
        """
        Delete a backup's archive and what lies beside it.

        Raises:
            UsageError: It is pinned, or the only copy of what another backup needs: that one goes first.
            StoreError: It could not be deleted.
        """
        self._refuse(info)
        if self._copies[info.header.id] == 1:
            self._catalog.drop_content([info.header.id])
        self._store.delete(info.name)
        self._catalog.update((), [info.name])  # other commands tell what is there without asking the store
        self._left.pop(info.name, None)
        self._copies[info.header.id] -= 1
        for companion in (sidecar_name(info.name), pin_name(info.name)):
            with contextlib.suppress(ObjectNotFound):
                self._store.delete(companion)

    def sweep(self) -> tuple[str, ...]:
        """Remove what runs that died left behind, in the catalog too; return the names."""
        self._catalog.compact()
        return companions.sweep(self._store).removed

    def _refuse(self, info: BackupInfo) -> None:
        name = printable(info.name)
        if self._store.exists(pin_name(info.name)):
            raise UsageError(f"{name} is pinned", hint="`unpin` it first")
        needing = [other for other in self._needing.get(info.header.id, ()) if other in self._left]
        if needing and self._copies[info.header.id] == 1:
            names = ", ".join(map(printable, needing[:3]))
            raise UsageError(f"{name} is needed by {names}", hint="delete those first")
