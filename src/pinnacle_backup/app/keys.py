"""The passwords of encrypted backups."""

from __future__ import annotations

from collections.abc import Iterable

from pinnacle_backup.app.auditing import Audited, audited
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.app.unlocking import keyring_of, ring_of
from pinnacle_backup.config.secrets import Password
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine import keys
from pinnacle_backup.engine.key_slots import NewPassword
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.queries import ArchiveKeys, KeyReport


def list_keys(studio: Studio, names: Iterable[str]) -> tuple[ArchiveKeys, ...]:
    """Return the key slots of these backups, or of all that are encrypted."""
    return keys.slots_of(studio.repository, names)


def add_password(
    studio: Studio, names: Iterable[str], *, passwords: PasswordSource, new: Password, label: str = ""
) -> KeyReport:
    """
    Add a password to these backups, or to all that a known one opens.

    Raises:
        PasswordError: No known password opens any of them.
        UsageError: The label will not do, or none of them has a free key slot.
    """
    names = tuple(names)
    with recording(studio, "key add", label) as run, audited(studio, "key-add", _which(names), label) as told:
        report = keys.add(
            studio.repository,
            names,
            known=_known(studio, names, passwords),
            new=_new(studio, new),
            label=label,
            wait_seconds=WAIT_SECONDS,
        )
        return _noted(run, told, report)


def change_password(
    studio: Studio, names: Iterable[str], *, passwords: PasswordSource, new: Password
) -> KeyReport:
    """
    Replace a password in these backups, or in all that it opens.

    Raises:
        PasswordError: The old password opens none of them.
        UsageError: Several old passwords were given, or the new one is the old one.
    """
    names = tuple(names)
    with recording(studio, "key change") as run, audited(studio, "key-change", _which(names)) as told:
        report = keys.change(
            studio.repository,
            names,
            old=_known(studio, names, passwords, most=1),
            new=_new(studio, new),
            wait_seconds=WAIT_SECONDS,
        )
        return _noted(run, told, report)


def remove_password(
    studio: Studio, names: Iterable[str], *, passwords: PasswordSource, slot: str
) -> KeyReport:
    """
    Remove a password from these backups, or from all; one that stays has to be known.

    Args:
        studio: Whose backups.
        names: Which ones, in a person's words.
        passwords: One of them stays.
        slot: Label or number of the one that goes.

    Raises:
        PasswordError: No known password opens any of them without that slot.
        UsageError: There is no such slot, it is the last one, or it is not clear which one is meant.
    """
    names = tuple(names)
    with (
        recording(studio, "key remove", slot) as run,
        audited(studio, "key-remove", _which(names), slot) as told,
    ):
        report = keys.remove(
            studio.repository,
            names,
            slot=slot,
            known=_known(studio, names, passwords),
            wait_seconds=WAIT_SECONDS,
        )
        return _noted(run, told, report)


def _known(
    studio: Studio, names: Iterable[str], passwords: PasswordSource, *, most: int | None = None
) -> KeyRing:
    """Return the passwords at hand; where there is none, ask for that of the newest of the backups."""
    given = passwords.given(studio.configuration.backup.encryption.key)
    if most is not None and len(given) > most:
        raise UsageError("one password is changed at a time", hint="give --decrypt once")
    if given:
        return ring_of(given)
    infos = keys.encrypted(studio.repository.listing(), names)
    return keyring_of(studio, infos[:1], passwords)


def _new(studio: Studio, password: Password) -> NewPassword:
    return NewPassword(password.value.reveal(), clock=studio.clock, randomness=studio.randomness)


def _which(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "all backups"


def _noted(run: Recording, told: Audited, report: KeyReport) -> KeyReport:
    for problem in report.skipped:
        run.warn(f"{problem.path}: {problem.reason}")
    done = f"changed {len(report.changed)}, {len(report.skipped)} left as before"
    told.add(done)
    run.note(done)
    return report
