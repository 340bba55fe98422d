"""
What happens by itself may build on, or read back: only what the passwords at hand open.

Somebody may make one backup with a password of its own. What happens by itself does not know that password,
and goes on as if the backup were not there. Nor does it build on one whose head is damaged; but that one is
read back, which tells of the damage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinnacle_backup.app.failures import READERS, backup_of, damaged
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import head_of
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.errors import DamagedError, PasswordError, StateError
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.state.runs import KEPT


def locked_fulls(studio: Studio, ring: KeyRing) -> frozenset[str]:
    """Return the ids of the fulls that are newer than the newest one that opens."""
    found: set[str] = set()
    for info in studio.repository.list():
        if info.header.type == FULL and not info.header.safety:
            if _opens(studio, info, ring):
                break
            found.add(info.header.id)
    return frozenset(found)


def locked_backups(studio: Studio, ring: KeyRing, *, to_read: bool = False) -> frozenset[str]:
    """
    Return the ids of all backups that do not open, or need one that does not.

    Args:
        studio: Whose.
        ring: What there is to open them with.
        to_read: Whether they are to be read back, the damaged ones all the more.
    """
    listing = studio.repository.listing()
    locked = frozenset(
        info.header.id for info in listing.backups if not _opens(studio, info, ring, to_read=to_read)
    )
    return locked | _needing(listing, listing.backups, locked) if locked else locked


def doubtful_backups(studio: Studio, listing: Listing) -> frozenset[str]:
    """
    Return the ids of the backups that were found damaged when they were last read, and of what they need.

    The damage may lie in any of these archives; those that were found good since are not in doubt.
    """
    names = {info.name: info for info in listing.backups}
    try:
        runs = [run for verb in READERS for run in studio.runs.newest(KEPT, verb=verb)]
    except StateError:  # without a record nothing is known
        return frozenset()
    bad = list(damaged(sorted(runs, key=lambda run: run.id, reverse=True), names))
    if not bad:
        return frozenset()
    reach, found = Reach(listing.backups), [names[backup_of(run)] for run in bad]
    sound = {info.header.id for info in listing.backups if info.verified > bad[0].ended}
    needed = frozenset[str]().union(*map(reach.needs, found))
    return frozenset(info.header.id for info in found) | (needed - sound)


def newest_that_opens(studio: Studio, infos: Iterable[BackupInfo], ring: KeyRing) -> BackupInfo | None:
    """Return the first of these to read back that opens, with all that it needs; None where none does."""
    listing, known = studio.repository.listing(), dict[str, bool]()

    def opens(info: BackupInfo) -> bool:
        if info.header.id not in known:
            known[info.header.id] = _opens(studio, info, ring, to_read=True)
        return known[info.header.id]

    def all_open(info: BackupInfo) -> bool:
        needs = listing.needs(info)
        return opens(info) and all(opens(other) for other in listing.backups if other.header.id in needs)

    return next((info for info in infos if all_open(info)), None)


def _needing(listing: Listing, infos: Sequence[BackupInfo], locked: Iterable[str]) -> frozenset[str]:
    return frozenset(info.header.id for info in infos if not listing.needs(info).isdisjoint(locked))


def _opens(studio: Studio, info: BackupInfo, ring: KeyRing, *, to_read: bool = False) -> bool:
    if not info.encrypted:
        return True
    try:
        ring.master_key(head_of(studio.repository.store, info))
    except PasswordError:
        return False
    except DamagedError:
        return to_read
    return True
