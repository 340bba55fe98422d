"""What was remembered of a place where copies are: a catalog of its own, below the state directory."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.store.base import Store

CHECKED = "checked"
"""Under which key the catalog remembers when the place was last brought up to date."""

if TYPE_CHECKING:
    from pinnacle_backup.app.studio import Studio


def catalog_file(studio: Studio, address: str) -> str:
    """Return where the catalog of the copies at an address is."""
    digest = hashlib.sha256(os.fsencode(address)).hexdigest()[:16]
    return os.path.join(studio.state_directory, "copies", f"{digest}.db")


def lost(catalog: Catalog, store: Store) -> int:
    """Return how many copies were there the last time, where not one of them is there any more."""
    before = catalog.backups().keys()
    return 0 if before & {stored.name for stored in store.list()} else len(before)
