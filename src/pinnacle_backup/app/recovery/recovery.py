"""
Bringing a lost studio back, on a machine that has nothing of it.

The backup's own configuration says what belongs where, so it is read first. Until the studio is back, what
happens is logged elsewhere: the logs of the lost machine come back as they were, and then go on.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from pinnacle_backup.app.auditing import ANEW
from pinnacle_backup.app.destinations import find_destination
from pinnacle_backup.app.opening import Located, Opened
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.protection import outside
from pinnacle_backup.app.recording import recording
from pinnacle_backup.app.recovery.finding import Found
from pinnacle_backup.app.recovery.settings import Known, introduce, known_settings, name_of_place
from pinnacle_backup.app.restore import PreparedRestore, RestoreRequest, prepare_restore
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio, user_name
from pinnacle_backup.app.unlocking import Heads, keyring_of
from pinnacle_backup.config.load import FILE_NAME
from pinnacle_backup.config.logs import open_logs
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.engine.copy import execute, plan
from pinnacle_backup.errors import ConfigError, PinnacleError, UsageError
from pinnacle_backup.model.copies import CopyReport
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.recovery import RecoveryReport
from pinnacle_backup.model.results import RestorePlan, RestoreReport
from pinnacle_backup.model.runs import Origin
from pinnacle_backup.repository.archives import OpenByName


@dataclass(frozen=True, kw_only=True)
class RecoverRequest:
    """
    What is to be recovered.

    Attributes:
        found: The backups, and which of them.
        place: The studio to be; its root need not exist.
        command: What is run, for those who have to wait for it.
        fetch: Copy all archives into the studio's own folder of backups as well.
        rehearsal: It is only to be planned.
        agreed: Whether it may go where something is already, or a person will be asked.
        warn: Told what a person should know.
    """

    found: Found
    place: Place
    command: str
    fetch: bool = False
    rehearsal: bool = False
    agreed: bool = False
    warn: Callable[[str], None] = lambda _: None


@dataclass
class Recovery:
    """
    A recovery that is planned, and holds what it needs to be done as planned.

    Attributes:
        occupied: What is where the studio goes, in words; empty where nothing is.
    """

    occupied: str
    _request: RecoverRequest
    _studio: Studio
    _known: Known
    _prepared: PreparedRestore
    done: bool = field(default=False, init=False)

    @property
    def plan(self) -> RestorePlan:
        """What it is going to do."""
        return self._prepared.plan

    def rehearse(self) -> RestorePlan:
        """Leave it at the plan."""
        return self._prepared.rehearse()

    def execute(self, progress: Progress) -> RestoreReport:
        """Restore everything."""
        self.done = True
        return self._prepared.execute(progress)


@contextmanager
def prepare_recovery(
    request: RecoverRequest, *, passwords: PasswordSource, progress: Progress
) -> Iterator[Recovery]:
    """
    Plan a recovery, and hold it ready for the time of the block. What is not executed leaves nothing behind.

    Raises:
        UsageError: Something is where the studio goes, and nobody agreed.
        PasswordError: A password is missing or wrong.
        DamagedError: The backup cannot be read.
    """
    place = request.place
    opened = _opened(request, passwords)
    known = known_settings(opened, place)
    with ExitStack() as stack:
        studio = _studio(request, known.configuration, place.root)
        occupied = _occupied(studio)
        if occupied and not (request.agreed or request.rehearsal):
            raise UsageError(occupied, hint="recover into another folder with --to DIR, or add --yes")
        if not occupied:
            held = stack.enter_context(tempfile.TemporaryDirectory(prefix="pinnacle-recover-"))
            studio = _studio(request, known.configuration, held)
        recovery = None
        try:
            wanted = RestoreRequest(rehearsal=request.rehearsal, anew=not occupied)
            with prepare_restore(
                studio, wanted, passwords=passwords, progress=progress, opened=opened
            ) as prepared:
                recovery = Recovery(occupied, request, studio, known, prepared)
                yield recovery
        finally:
            if not occupied and not (recovery and recovery.done):
                _leave_nothing(studio)


def settle(recovery: Recovery, restored: RestoreReport, *, progress: Progress) -> RecoveryReport:
    """
    Have a studio that is back know its backups, and fetch their archives where that was asked for.

    What goes wrong here is in the report: the studio is back all the same.
    """
    request, found = recovery._request, recovery._request.found  # noqa: SLF001 - the other half of it
    known = recovery._known  # noqa: SLF001
    studio = _studio(request, known.configuration, request.place.root)
    notes: list[str] = []
    studio.log.info("%s: recovered %s from %s", ANEW, restored.plan.backup.name, found.address)
    studio.repository.adopt(found.chosen.header.repository)
    name = name_of_place(studio, found.address)
    if not name and (not known.there or not known.lacking):
        name = _introduced(studio, found.address, notes)
    with suppress(PinnacleError):
        destination = find_destination(studio, name or found.address)
        destination.catalog.update(found.repository.catalog.backups().values(), ())
        destination.remember()
    return RecoveryReport(
        address=found.address,
        place=name,
        backups=len(found.listing.backups),
        restore=restored,
        fetched=_fetched(studio, found, progress) if request.fetch else None,
        notes=tuple(notes),
        lacking=known.lacking,
    )


def _opened(request: RecoverRequest, passwords: PasswordSource) -> Opened:
    """Return the backup, opened with nothing but its own place."""
    found = request.found
    needs = found.listing.needs(found.chosen)
    infos = (found.chosen, *(info for info in found.listing.backups if info.header.id in needs))
    bare = _studio(request, Configuration(), tempfile.gettempdir())
    keyring = keyring_of(bare, infos, passwords, heads=Heads(found.repository.store))
    names = {info.header.id: info.name for info in reversed(found.listing.backups)}
    opener = OpenByName(found.repository.store, names, keyring)
    return Opened(Located(found.chosen, found.listing, found.repository), opener, keyring)


def _studio(request: RecoverRequest, configuration: Configuration, logs_in: str) -> Studio:
    """Return the studio to be; it logs below another folder as long as it is not there."""
    return Studio(
        place=request.place,
        configuration=configuration,
        logs=open_logs(configuration, logs_in, warn=request.warn),
        command=request.command,
        clock=lambda: datetime.now(UTC).astimezone(),
        randomness=os.urandom,
        warn=request.warn,
        origin=Origin(user=user_name()),
    )


def _occupied(studio: Studio) -> str:
    """Return what would be changed by a recovery, in words: anything but backups and our own state."""
    ours = set(studio.reserved)
    for path in outside(studio):
        if os.path.lexists(path):
            return f"{printable(path)}, which belongs to the studio, is there already"
    if not os.path.isdir(studio.root):
        return ""
    names = [name for name in os.listdir(studio.root) if os.path.join(studio.root, name) not in ours]
    if FILE_NAME in names:
        return f"a studio is in {printable(studio.root)} already"
    return f"{printable(studio.root)} is not empty" if names else ""


def _leave_nothing(studio: Studio) -> None:
    """Remove the traces of a plan that was not carried out."""
    studio.state.close()
    shutil.rmtree(studio.state_directory, ignore_errors=True)
    for folder in (studio.directory, studio.root):
        with suppress(OSError):
            os.rmdir(folder)


def _introduced(studio: Studio, address: str, notes: list[str]) -> str:
    try:
        if not introduce(studio, address):
            return ""
    except (ConfigError, OSError) as error:
        notes.append(f"the bucket could not be added to config.json: {error}")
        return ""
    notes.append("config.json did not know the bucket: it is its cloud_storage now")
    return "cloud"


def _fetched(studio: Studio, found: Found, progress: Progress) -> CopyReport:
    here = printable(studio.directory)
    with recording(studio, "copy", f"from {found.address}") as run:
        planned = plan(found.listing, studio.repository.listing())
        report = execute(
            planned,
            found.repository,
            studio.repository,
            place=here,
            wait_seconds=WAIT_SECONDS,
            progress=run.follow(progress),
        )
        for problem in (*report.damaged, *report.problems):
            run.fail(f"{problem.path}: {problem.reason}")
        run.count(read=report.stored, stored=report.stored)
        run.note(f"{len(report.copied)} backups fetched, {report.stored} bytes, {report.seconds:.1f} s")
    return msgspec.structs.replace(report, place=here)
