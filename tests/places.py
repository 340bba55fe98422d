"""A folder with data in it, its backups, and how the engine makes and restores them; for tests."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import KeySlot, seal
from pinnacle_backup.engine.backup import BackupJob, create
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.engine.restore import Restore, RestoreJob
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.progress import Progress, Silent
from pinnacle_backup.model.results import BackupReport, RestorePlan, RestoreReport
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Rules
from pinnacle_backup.store.local import LocalStore

from .trees import Tree, describe

MASTER_KEY = bytes(range(32))
KEYRING = KeyRing(["right"])
OURS = (b"backups", b".pinnacle")


class Place:
    """
    A root with one source, ``data``.

    Args:
        root: An empty folder.
        encrypted: Whether backups are.
        ahead: Whether a backup's time is so late that what it saw counts as untouched.
        job: More for ``BackupJob``.

    Attributes:
        data: The source.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, encrypted: bool = False, ahead: bool = True, **job: Any
    ) -> None:
        self.root = os.fspath(root)
        self.data = os.path.join(self.root, "data")
        self._encryption = Encryption(MASTER_KEY, (_slot(),)) if encrypted else None
        self._ahead = ahead
        self._job = {"workers": 1, **job}
        self._scratch = os.path.join(self.root, ".pinnacle")
        self._backups = os.path.join(self.root, "backups")
        os.mkdir(self._scratch)
        os.mkdir(self.data)
        catalog = Catalog(os.path.join(self._scratch, "catalog.db"))
        self.repository = Repository(
            LocalStore(self._backups), catalog, read_facts=read_facts, random_bytes=bytes
        )
        self._made = 0

    def tree(self) -> Tree:
        """Return the root with all but what is ours."""
        return describe(self.root, leave_out=OURS)

    def backup(self, kind: str = FULL, *, progress: Progress | None = None, **job: Any) -> BackupReport:
        """Make a backup; ``job`` is more for ``BackupJob``."""
        orders = {"sources": ("data",), "databases": ("data/*.db",), **self._job, **job}
        return create(
            BackupJob(
                root=self.root,
                rules=Rules(skip=(self._scratch, self._backups)),
                type=kind,
                scratch=self._scratch,
                **orders,
            ),
            self.repository,
            encryption=self._encryption,
            keyring=KEYRING,
            clock=self._clock,
            randomness=os.urandom,
            progress=progress or Silent(),
        )

    def restore(
        self,
        info: BackupInfo,
        target: str | os.PathLike[str] | None = None,
        *,
        progress: Progress | None = None,
        before: Callable[[RestorePlan], object] = lambda plan: None,
        **job: Any,
    ) -> RestoreReport:
        """
        Restore a backup.

        Args:
            info: Which.
            target: Where to; None for in place, with a safety backup.
            progress: Told of the execution.
            before: Called with the plan before it is carried out.
            job: More for ``RestoreJob``.
        """
        in_place = target is None
        orders = RestoreJob(
            target=self.root if target is None else os.fspath(target),
            in_place=in_place,
            sources=("data",) if in_place and os.path.lexists(self.data) else () if in_place else ("",),
            rules=Rules(exclude=Excluder(()), exclude_caches=False, skip=(self._scratch, self._backups)),
            workers=self._job["workers"],
            scratch=self._scratch,
            **job,
        )
        with Restore(orders, info, self.repository, self.opener(), Silent()) as restore:
            before(restore.plan)
            safety = self._save(restore) if in_place else ""
            restore.progress = progress or Silent()
            return restore.execute(safety=safety)

    def undo(self) -> RestoreReport:
        """Restore what the last restore in place saved."""
        saved = next(info for info in self.repository.list() if info.header.safety)
        return self.restore(saved)

    def verify(self, info: BackupInfo) -> None:
        """Have every byte read back, and all be well."""
        report = verify(info, opener=self.opener(), workers=1, scratch=self._scratch, progress=Silent())
        assert not report.problems, report.problems

    def opener(self) -> OpenByName:
        """Return what opens all archives."""
        names = {info.header.id: info.name for info in self.repository.list()}
        return OpenByName(self.repository.store, names, KEYRING)

    def _save(self, restore: Restore) -> str:
        return restore.save(
            "before_restore",
            encryption=self._encryption,
            keyring=KEYRING,
            clock=self._clock,
            randomness=os.urandom,
        )

    def _clock(self) -> datetime:
        self._made += 1
        late = timedelta(minutes=self._made) if self._ahead else timedelta(0)
        return datetime.now(UTC) + late


@functools.cache
def _slot() -> KeySlot:
    """Return a key slot for "right"; it is made when the first backup is encrypted, as that takes its time."""
    return seal(MASTER_KEY, "right", repository=bytes(16), label="", created=0)
