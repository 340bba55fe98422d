"""What stands on the recovery sheet, on paper and on pages alike."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from pinnacle_backup import __version__
from pinnacle_backup.app.addresses import is_address
from pinnacle_backup.app.destinations import Destination, destinations_of, primary_of
from pinnacle_backup.app.drill_reports import key_path
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.crypto.signing import fingerprint, in_groups, read_key
from pinnacle_backup.engine.keys import slots_of
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.sheet import Sheet, SheetPlace, SheetStep
from pinnacle_backup.model.words import instant, local

PROGRAM: Final = "~/pinnacle/bin/pinnacle-backup"
_GROUP: Final = 4


def recovery_sheet(studio: Studio, *, undecided: bool = False) -> Sheet:
    """
    Return the recovery sheet of a studio, also when its backups cannot be reached now.

    Args:
        studio: Whose.
        undecided: Whether it is not decided yet if backups are encrypted: then the words fit both.
    """
    try:
        backups = [info for info in studio.repository.list() if not info.header.safety]
    except PinnacleError:
        backups = []
    newest = backups[0] if backups else None
    places = tuple(_places(studio))
    encrypted = studio.configuration.backup.encryption.enabled or bool(newest and newest.encrypted)
    return Sheet(
        studio=printable(os.path.basename(studio.root.rstrip("/")) or "/"),
        facts=tuple(_facts(studio, newest)),
        places=places,
        encrypted=encrypted,
        passwords=_labels(studio, newest),
        steps=tuple(_steps(studio, places, _asks(encrypted=encrypted, undecided=undecided))),
        without=tuple(_without(places, backups, encrypted=encrypted, undecided=undecided)),
    )


def _facts(studio: Studio, newest: BackupInfo | None) -> Iterator[tuple[str, str]]:
    yield "Studio", f"{printable(studio.root)} on {printable(platform.node())}"
    if newest is not None:
        yield "Repository", _grouped(newest.header.repository)
        yield "Newest backup", f"{printable(newest.name)}, {local(instant(newest.header.created))}"
    key = read_key(key_path(studio))
    if key is not None:
        yield "Drill reports", f"signed by key {' '.join(in_groups(fingerprint(key.public))[:4])} …"
    yield "Made", f"{local(studio.now())}, with Pinnacle Backup {__version__}"


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _places(studio: Studio) -> Iterator[SheetPlace]:
    """Yield the places, buckets first: they are what is left when the machine is gone."""
    primary = primary_of(studio)
    known = {each.name: each for each in (*([primary] if primary else []), *destinations_of(studio))}
    found = [_place(each) for each in known.values()]
    yield from sorted(found, key=lambda place: not is_address(place.address))
    if primary is None:
        yield SheetPlace(name="this machine", address=printable(studio.directory))


def _place(destination: Destination) -> SheetPlace:
    """Return a place without the keys to it: that they cannot be had now is no reason to have no sheet."""
    return SheetPlace(
        name=printable(destination.name),
        address=printable(destination.full_address),
        elsewhere=True,
        credentials=_CREDENTIALS.get(_scheme(destination.full_address), ""),
    )


def _scheme(address: str) -> str:
    return address.partition("://")[0] if is_address(address) else ""


_CREDENTIALS: Final = {
    "s3": "access key and secret key that may list and read the bucket",
    "gs": "the key file of a service account that may list and read the bucket",
    "az": "name and key of the storage account",
}
_VARIABLES: Final = {
    "s3": ("export AWS_ACCESS_KEY_ID=...", "export AWS_SECRET_ACCESS_KEY=..."),
    "gs": ("export GOOGLE_APPLICATION_CREDENTIALS=/path/to/key.json",),
    "az": ("export AZURE_STORAGE_ACCOUNT_NAME=...", "export AZURE_STORAGE_ACCOUNT_KEY=..."),
}


def _labels(studio: Studio, newest: BackupInfo | None) -> tuple[str, ...]:
    """Return what the passwords of the newest backup are called."""
    if newest is None or not newest.encrypted:
        return ()
    try:
        (keys,) = slots_of(studio.repository, [newest.name])
    except PinnacleError:
        return ()
    return tuple(
        f"{slot.number}: {printable(slot.label) or 'without a label'}, of {local(instant(slot.created))[:10]}"
        for slot in keys.slots
    )


def _asks(*, encrypted: bool, undecided: bool) -> str:
    if undecided:
        return "; it asks for the password, if there is one"
    return "; it asks for the password" if encrypted else ""


def _steps(studio: Studio, places: tuple[SheetPlace, ...], asks: str) -> Iterator[SheetStep]:
    yield SheetStep(
        words="Take any Linux machine with Python 3.11 or newer, and a copy of Pinnacle Backup. Install it:",
        commands=("python3 -m venv ~/pinnacle", "~/pinnacle/bin/pip install FOLDER_OR_WHEEL"),
    )
    place = next((place for place in places if place.elsewhere), None)
    address = place.address if place else printable(studio.directory)
    variables = _VARIABLES.get(_scheme(address), ())
    if variables:
        yield SheetStep(
            words="Tell it the keys of the bucket, which are not on this sheet unless written by hand:",
            commands=variables,
        )
    yield SheetStep(
        words=f"Look what is there{asks}. Then bring it back: the same without --dry-run.",
        commands=(
            f"{PROGRAM} recover \\",
            f"  {shlex.quote(address)} \\",
            f"  --to {shlex.quote(printable(studio.root))} --dry-run",
        ),
    )
    yield SheetStep(
        words="Look whether all is well, then start the server:",
        commands=(
            f"cd {shlex.quote(printable(studio.root))}",
            f"{PROGRAM} status",
            f"{PROGRAM} serve",
        ),
    )


def _without(
    places: tuple[SheetPlace, ...], backups: Sequence[BackupInfo], *, encrypted: bool, undecided: bool
) -> Iterator[SheetStep]:
    newest = printable(backups[0].name) if backups else "FILE"
    plain = next(
        (printable(info.name) for info in backups if not (info.header.base or info.encrypted)), "FILE"
    )
    if any(is_address(place.address) for place in places):
        words = "Fetch the newest backup_... file with any client for the bucket"
    else:
        words = "Copy the newest backup_... file out of its folder"
    yield SheetStep(words=f"{words}; an incremental one needs the full one before it, in the same folder.")
    if not encrypted:
        unless = ", unless it is encrypted" if undecided else ""
        yield SheetStep(words=f"A full backup is a plain archive{unless}:", commands=(f"tar xzf {plain}",))
    which = (
        "All others open"
        if undecided
        else "What is encrypted opens"
        if encrypted
        else "Incremental ones open"
    )
    package = "Python and its package cryptography"
    needs = f"{package}, and asks for the password" if encrypted else "Python"
    needs = f"{package} where there is a password" if undecided else needs
    yield SheetStep(
        words=f"{which} with recover.py: one file, from scripts/ of Pinnacle Backup, that needs {needs}. "
        "Keep a copy of it with this sheet:",
        commands=(f"python3 recover.py {newest} FOLDER",),
    )
