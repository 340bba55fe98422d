"""What was read back without a fault is still known so when the catalog reads an archive anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from pinnacle_backup.repository.catalog import CachedBackup, Catalog

Known = Mapping[str, CachedBackup]


def keep_verified(
    catalog: Catalog, before: Known, same: Callable[[CachedBackup, CachedBackup], bool]
) -> None:
    """
    Give archives back the instant of their last verify.

    Args:
        catalog: Has read them anew.
        before: What it knew until then.
        same: Tells, of what was known and what is, whether it is the archive that was verified.
    """
    after = catalog.backups()
    pairs = [(old, after[name]) for name, old in before.items() if old.verified and name in after]
    kept = [msgspec.structs.replace(new, verified=old.verified) for old, new in pairs if same(old, new)]
    if kept:
        catalog.update(kept, ())
