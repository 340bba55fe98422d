"""Make a backup: the configuration's wishes, the password's key, then the engine."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from pinnacle_backup.app.bases import locked_backups, locked_fulls
from pinnacle_backup.app.cleanup import make_room
from pinnacle_backup.app.encrypting import keys_for
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.present import Present
from pinnacle_backup.app.protection import rules_of
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.space import record_sample
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.app.unlocking import ring_of
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine import backup
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.errors import DamagedError, PasswordError, PinnacleError, UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import BackupReport


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What backup is wanted.

    Attributes:
        type: ``full`` or ``incremental``.
        name: The user's own name; None for date and time.
        encrypt: Whether to encrypt; None leaves it to the configuration, and to the base.
    """

    type: str = FULL
    name: str | None = None
    encrypt: bool | None = None


def create_backup(
    studio: Studio, request: CreateRequest, *, passwords: PasswordSource, progress: Progress
) -> BackupReport:
    """
    Make one backup of the studio.

    Raises:
        UsageError: Backups are switched off, or the name will not do.
        PasswordError: It takes a password that is missing or wrong.
        SourceError: A source is missing.
    """
    settings = studio.configuration.backup
    if not settings.enabled:
        raise UsageError("backups are switched off in config.json", hint="set backup.enabled to true")
    if request.type == INCREMENTAL and not settings.incremental.enabled:
        raise UsageError(
            "incremental backups are switched off in config.json",
            hint="set backup.incremental.enabled to true",
        )
    make_room(studio)
    with recording(studio, "create", request.type) as run, scratch_folder(studio.state_directory) as scratch:
        progress = run.follow(progress)
        present = Present(studio)
        encryption, keyring, locked = _openable(studio, request, present, passwords, run)
        notes = _passed_over(request, present)
        report = backup.create(
            replace(job_of(studio, request, scratch), locked=locked | present.doubtful, named=run.concerns),
            studio.repository,
            encryption=encryption,
            keyring=keyring,
            clock=studio.clock,
            randomness=studio.randomness,
            progress=progress,
        )
        report = msgspec.structs.replace(
            report, notes=(*notes, *report.notes), warnings=(*present.damaged, *report.warnings)
        )
        _log(run, report)
    record_sample(studio)
    return report


def job_of(studio: Studio, request: CreateRequest, scratch: str) -> backup.BackupJob:
    """Return the engine's orders: what the configuration says about sources and archives."""
    settings = studio.configuration.backup
    return backup.BackupJob(
        root=studio.root,
        sources=settings.paths,
        databases=settings.databases,
        rules=rules_of(studio),
        type=request.type,
        name=request.name or "",
        deduplicate=settings.deduplicate,
        compression=settings.compression,
        level=settings.compression_level,
        workers=settings.workers,
        scratch=scratch,
        shrink_guard_percent=settings.shrink_guard_percent,
        wait=WAIT_SECONDS,
    )


def _openable(
    studio: Studio, request: CreateRequest, present: Present, passwords: PasswordSource, run: Recording
) -> tuple[Encryption | None, KeyRing, frozenset[str]]:
    """Return how to encrypt, what opens the base, and the backups that nobody can open now."""
    deduplicate = studio.configuration.backup.deduplicate
    newest = present.base(request.type)
    try:
        encrypt = _is_encrypted(studio, request, newest, present)
        encryption, keyring = keys_for(studio, newest, present, passwords, encrypt=encrypt)
    except (PasswordError, DamagedError) as error:
        ring = ring_of(passwords.given(studio.configuration.backup.encryption.key))
        locked = locked_backups(studio, ring) if deduplicate else locked_fulls(studio, ring)
        base = present.base(request.type, locked)
        if newest is None or newest.header.id not in locked or not _may_stand_in(request, base, ring):
            raise
        _tell(run, present, newest, error)
        encrypt = _is_encrypted(studio, request, base, present, locked)
        return *keys_for(studio, base, present, passwords, encrypt=encrypt), locked
    return encryption, keyring, locked_backups(studio, keyring) if deduplicate else frozenset()


def _is_encrypted(
    studio: Studio,
    request: CreateRequest,
    base: BackupInfo | None,
    present: Present,
    locked: frozenset[str] = frozenset(),
) -> bool:
    """
    Tell whether the backup is to be encrypted.

    What builds on an encrypted backup, or would if that were not damaged, is encrypted, too, unless a person
    says otherwise: changed files must not lie open beside the ciphertext of their former selves.
    """
    if request.encrypt is not None:
        return request.encrypt
    former = (base, present.preferred(request.type, locked))
    enabled = studio.configuration.backup.encryption.enabled
    return enabled or any(info is not None and info.encrypted for info in former)


def _tell(run: Recording, present: Present, newest: BackupInfo, error: PinnacleError) -> None:
    """Say why the newest backup is not built on."""
    if isinstance(error, DamagedError):
        present.is_damaged(newest, error)
    else:
        run.note(f"{newest.name} is under another password, so it is left alone: {error.message}")


def _passed_over(request: CreateRequest, present: Present) -> tuple[str, ...]:
    """Tell of the backup that this one would build on, if it were not in doubt."""
    preferred = present.preferred(request.type)
    if preferred is None or preferred.header.id not in present.doubtful:
        return ()
    return (
        f"{printable(preferred.name)}, or what it needs, was found damaged, so this backup leaves it alone",
    )


def _may_stand_in(request: CreateRequest, base: BackupInfo | None, ring: KeyRing) -> bool:
    """
    Tell whether an older backup, or none, may be built on instead of the newest.

    An incremental needs one. Where it is to be encrypted, one that opens shows that the password is no typing
    error.
    """
    if request.type != INCREMENTAL:
        return True
    return base is not None and (base.encrypted or not ring)


def _log(run: Recording, report: BackupReport) -> None:
    info = report.backup
    for problem in report.warnings:
        run.warn(f"{problem.path}: {problem.reason}")
    for note in report.notes:
        run.note(note)
    run.count(
        backup=info.name,
        type=info.header.type,
        entries=info.totals.entries,
        read=report.read,
        stored=info.stored,
    )
    what = f"{info.totals.entries} entries, {info.totals.size} bytes, stored as {info.stored}"
    run.note(f"made {info.name}: {what}, {report.seconds:.1f} s, sha256 {report.sha256}")
