"""Make a backup: the configuration's wishes, the password's key, then the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import msgspec

from pinnacle_backup.app.bases import doubtful_backups, locked_backups, locked_fulls
from pinnacle_backup.app.cleanup import make_room
from pinnacle_backup.app.destinations import destinations_of
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.protection import rules_of
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.space import record_sample
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.app.unlocking import Heads, keyring_of, ring_of
from pinnacle_backup.config.secrets import Password
from pinnacle_backup.crypto.envelope import Head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.keys import KEY_BYTES
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.engine import backup
from pinnacle_backup.engine.base import choose_base, preferred_base
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.errors import DamagedError, PasswordError, PinnacleError, UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import BackupReport, Problem

_HEADS = 4
"""How many different sets of key slots a password is tried on: each takes a good part of a second."""


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
        here = _Here(studio)
        encryption, keyring, locked = _openable(studio, request, here, passwords, run)
        notes = _passed_over(request, here)
        report = backup.create(
            replace(job_of(studio, request, scratch), locked=locked | here.doubtful, named=run.concerns),
            studio.repository,
            encryption=encryption,
            keyring=keyring,
            clock=studio.clock,
            randomness=studio.randomness,
            progress=progress,
        )
        report = msgspec.structs.replace(
            report, notes=(*notes, *report.notes), warnings=(*here.damaged, *report.warnings)
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
    studio: Studio, request: CreateRequest, here: _Here, passwords: PasswordSource, run: Recording
) -> tuple[Encryption | None, KeyRing, frozenset[str]]:
    """Return how to encrypt, what opens the base, and the backups that nobody can open now."""
    deduplicate = studio.configuration.backup.deduplicate
    newest = here.base(request)
    try:
        encryption, keyring = _keys(studio, request, newest, here, passwords)
    except (PasswordError, DamagedError) as error:
        ring = ring_of(passwords.given(studio.configuration.backup.encryption.key))
        locked = locked_backups(studio, ring) if deduplicate else locked_fulls(studio, ring)
        base = here.base(request, locked)
        if newest is None or newest.header.id not in locked or not _may_stand_in(request, base, ring):
            raise
        _tell(run, here, newest, error)
        return *_keys(studio, request, base, here, passwords, locked), locked
    return encryption, keyring, locked_backups(studio, keyring) if deduplicate else frozenset()


def _tell(run: Recording, here: _Here, newest: BackupInfo, error: PinnacleError) -> None:
    """Say why the newest backup is not built on."""
    if isinstance(error, DamagedError):
        here.is_damaged(newest, error)
    else:
        run.note(f"{newest.name} is under another password, so it is left alone: {error.message}")


class _Here:
    """
    What is in a studio's repository, looked at once: each look takes a bucket a while.

    Attributes:
        infos: All backups.
        heads: Of those that are encrypted.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._repository, self._listing = studio.repository, studio.repository.listing()
        self._deduplicate = studio.configuration.backup.deduplicate
        self.infos = self._listing.backups
        self.heads = Heads(self._repository.store)
        self._damaged: dict[str, Problem] = {}

    def base(self, request: CreateRequest, locked: frozenset[str] = frozenset()) -> BackupInfo | None:
        """Return what a backup builds on, where nobody can open some of those that are here."""
        usable = _without(self.infos, locked | self.doubtful)
        return choose_base(usable, request.type, deduplicate=self._deduplicate)

    def preferred(self, request: CreateRequest, locked: frozenset[str] = frozenset()) -> BackupInfo | None:
        """Return what it would build on, if nothing here were damaged or missing."""
        usable = _without(self.infos, locked)
        return preferred_base(usable, request.type, deduplicate=self._deduplicate)

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """Ids of those that no new backup builds on."""
        return doubtful_backups(self._studio, self._listing)

    @property
    def damaged(self) -> tuple[Problem, ...]:
        """What could not be read on the way; no backup that is made builds on it."""
        return tuple(self._damaged.values())

    def is_damaged(self, info: BackupInfo, error: DamagedError) -> None:
        """Remember that an archive is damaged."""
        name = printable(info.name)
        self._damaged[name] = Problem(name, f"damaged: {error.message.removeprefix(f'{name}: ')}")

    @cached_property
    def identity(self) -> str:
        """The id of the repository."""
        return self._repository.repository_id(self._listing)


def _passed_over(request: CreateRequest, here: _Here) -> tuple[str, ...]:
    """Tell of the backup that this one would build on, if it were not in doubt."""
    preferred = here.preferred(request)
    if preferred is None or preferred.header.id not in here.doubtful:
        return ()
    return (
        f"{printable(preferred.name)}, or what it needs, was found damaged, so this backup leaves it alone",
    )


def _without(infos: Iterable[BackupInfo], ids: frozenset[str]) -> list[BackupInfo]:
    return [info for info in infos if info.header.id not in ids]


def _may_stand_in(request: CreateRequest, base: BackupInfo | None, ring: KeyRing) -> bool:
    """
    Tell whether an older backup, or none, may be built on instead of the newest.

    An incremental needs one. Where it is to be encrypted, one that opens shows that the password is no typing
    error.
    """
    if request.type != INCREMENTAL:
        return True
    return base is not None and (base.encrypted or not ring)


def _keys(
    studio: Studio,
    request: CreateRequest,
    base: BackupInfo | None,
    here: _Here,
    passwords: PasswordSource,
    locked: frozenset[str] = frozenset(),
) -> tuple[Encryption | None, KeyRing]:
    """
    Return how to encrypt, and what opens the base.

    What builds on an encrypted backup, or would if that were not damaged, is encrypted, too, unless a person
    says otherwise: changed files must not lie open beside the ciphertext of their former selves.
    """
    based_on = () if base is None else (base,)
    encrypt = request.encrypt
    if encrypt is None:
        former = (base, here.preferred(request, locked))
        encrypted = any(info is not None and info.encrypted for info in former)
        encrypt = studio.configuration.backup.encryption.enabled or encrypted
    if not encrypt:
        return None, keyring_of(studio, based_on, passwords, heads=here.heads)
    known = passwords.given(studio.configuration.backup.encryption.key)
    password = known[0] if known else passwords.ask("for the new backup", twice=True)
    source = _Known((password, *known[1:]), passwords)
    ring = ring_of((password,))
    encryption = _encryption(studio, password, ring, here)
    return encryption, keyring_of(studio, based_on, source, heads=here.heads, derived=ring)


class _Known:
    """The passwords that this run already has; nobody types one twice."""

    def __init__(self, known: tuple[Password, ...], source: PasswordSource) -> None:
        self._known = known
        self._source = source

    def given(self, key: object) -> tuple[Password, ...]:  # noqa: ARG002 - it is already among them
        return self._known

    def ask(self, purpose: str, *, twice: bool = False) -> Password:
        return self._source.ask(purpose, twice=twice)


def _encryption(studio: Studio, password: Password, ring: KeyRing, here: _Here) -> Encryption:
    """
    Return master key and slots: those of an earlier backup that the ring opens, else new ones.

    Args:
        studio: Whose backups.
        password: For new slots.
        ring: Of this password alone.
        here: What is in its repository.
    """
    for head in _recent_heads(studio, here):
        try:
            master_key = ring.master_key(head)
        except PasswordError:
            continue
        return Encryption(master_key, tuple(slot for slot in head.slots if slot is not None))
    master_key = studio.randomness(KEY_BYTES)
    slot = seal(
        master_key,
        password.value.reveal(),
        repository=bytes.fromhex(here.identity),
        label="",
        created=int(studio.now().timestamp()),
        randomness=studio.randomness,
    )
    return Encryption(master_key, (slot,))


def encryption_for(studio: Studio, passwords: PasswordSource) -> Encryption:
    """Return how to encrypt with the first password at hand; asks where there is none."""
    known = passwords.given(studio.configuration.backup.encryption.key)
    password = known[0] if known else passwords.ask("for the new backup", twice=True)
    return _encryption(studio, password, ring_of((password,)), _Here(studio))


def _recent_heads(studio: Studio, here: _Here) -> Iterator[Head]:
    """
    Yield heads of encrypted backups of this repository, newest first, one for each set of key slots.

    Where there are none here, as after a recovery, those of the copies count: else the next backup would lack
    the other passwords of those before it.
    """
    found = False
    for head in _heads(here.infos, here, here.heads):
        found = True
        yield head
    for destination in () if found else destinations_of(studio):
        with suppress(PinnacleError):  # a place out of reach spoils no backup
            repository = destination.open()
            yield from _heads(repository.list(), here, Heads(repository.store))


def _heads(infos: Iterable[BackupInfo], here: _Here, heads: Heads) -> Iterator[Head]:
    """Yield heads; a damaged one is no reason to make no more backups: another one tells the same."""
    seen: set[tuple[object, ...]] = set()
    for info in infos:
        if info.encrypted and info.header.repository == here.identity and len(seen) < _HEADS:
            try:
                head = heads.of(info)
            except DamagedError as error:
                here.is_damaged(info, error)
                continue
            if head.slots not in seen:
                seen.add(head.slots)
                yield head


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
