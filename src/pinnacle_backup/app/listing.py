"""What backups there are, and one of them in detail."""

from __future__ import annotations

from collections import Counter

from pinnacle_backup.app.destination_states import whereabouts
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import keyring_of
from pinnacle_backup.config.secrets import is_at_hand
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import BackupInfo, BackupSummary
from pinnacle_backup.model.queries import BackupDetails, ListedBackups
from pinnacle_backup.repository.archives import open_archive
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.state.instants import iso


def list_backups(studio: Studio) -> Listing:
    """Return all backups, and the archives that cannot be read."""
    return studio.repository.listing()


def listed_backups(studio: Studio) -> ListedBackups:
    """Return all backups, and where else they are; the other places are not asked, but remembered."""
    listing = studio.repository.listing()
    places = whereabouts(studio, listing)
    here = {info.name for info in listing.backups}
    elsewhere = Counter(name for archive, names in places.items() if archive not in here for name in names)
    return ListedBackups(
        backups=listing.backups,
        problems=listing.problems,
        directory=studio.where,
        also_in={name: found for name, found in places.items() if name in here},
        only_in=dict(elsewhere),
    )


def show_backup(
    studio: Studio, reference: str, *, passwords: PasswordSource, listing: Listing | None = None
) -> BackupDetails:
    """
    Return all that is known of one backup; what needs the password, only where one was given.

    Args:
        studio: Whose.
        reference: What a person calls it.
        passwords: Nobody is asked for one.
        listing: All backups, where they were listed already.

    Raises:
        BackupNotFound: There is none of that name.
        PasswordError: A password was given, and it is wrong.
    """
    listing = listing or studio.repository.listing()
    info = listing.find(reference)
    names = {other.header.id: other.name for other in listing.backups}
    until = studio.repository.store.protected_until(info.name)
    return BackupDetails(
        backup=info,
        path=f"{studio.where}/{info.name}",
        sha256=_sha256(studio, info),
        needs=tuple(names.get(i, f"backup {i[:8]}, which is missing") for i in sorted(listing.needs(info))),
        needed_by=tuple(other.name for other in listing.dependents(info.header.id)),
        protected_until=iso(until) if until else "",
        summary=_summary(studio, info, passwords),
    )


def _sha256(studio: Studio, info: BackupInfo) -> str:
    try:
        return studio.repository.read_sidecar(info.name) or ""
    except DamagedError as error:
        return error.message


def _summary(studio: Studio, info: BackupInfo, passwords: PasswordSource) -> BackupSummary | None:
    """Return the summary; None where it takes a password and none is at hand. Nobody is asked."""
    if info.encrypted:
        known = passwords.given(studio.configuration.backup.encryption.key)
        if not any(is_at_hand(password.value) for password in known):
            return None
    keyring = keyring_of(studio, (info,), passwords)
    reader = open_archive(studio.repository.store.open(info.name), info.name, keyring)
    try:
        return reader.summary
    finally:
        reader.close()
