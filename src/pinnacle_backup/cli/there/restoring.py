"""Restores on a server: planned there, shown and agreed to here, done there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from pinnacle_backup.cli.there.asking import Asking, at, reference, with_password
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import RestorePlan, RestoreReport

if TYPE_CHECKING:
    from pinnacle_backup.app.passwords import PasswordSource
    from pinnacle_backup.app.restore import RestoreRequest

_ALL = "?shown=10000000"


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A plan; none where it is not made yet."""

    id: str
    plan: RestorePlan | None = None


class Restoring(Asking):
    """See ``cli.verbs.Working``."""

    @contextmanager
    def prepare_restore(
        self, request: RestoreRequest, passwords: PasswordSource, progress: Progress
    ) -> Iterator[Restore]:
        if request.name is not None:
            at(request.name)  # a file of this machine is refused
        order = {
            "backup": request.name,
            "at": request.at.isoformat() if request.at else None,
            "paths": [printable(path) for path in request.paths],
            "databases_only": request.databases_only,
            "target": request.target,
            "delete_extra": request.delete_extra,
        }
        yield self._prepared("/restores", order, passwords, progress)

    @contextmanager
    def prepare_undo(
        self,
        passwords: PasswordSource,
        progress: Progress,
        *,
        rehearsal: bool,  # noqa: ARG002 - every plan is one
    ) -> Iterator[Restore]:
        yield self._prepared("/undo", {}, passwords, progress)

    def _prepared(
        self, path: str, order: dict[str, Any], passwords: PasswordSource, progress: Progress
    ) -> Restore:
        progress.phase("plan")

        def plan(body: dict[str, str]) -> Restore:
            return Restore(self, path, {**order, **body}, self._plan(path, {**order, **body}))

        return with_password(passwords, "of the backup", plan)

    def _plan(self, path: str, order: dict[str, Any]) -> RestorePlan:
        """Return a plan, however long it takes: the server says now and then that it is not made yet."""
        answer = self._client.send("POST", f"{path}/plan{_ALL}", PlanAnswer, body=order)
        while answer.plan is None:
            answer = self._client.send("GET", f"/restores/plan/{answer.id}{_ALL}", PlanAnswer)
        return answer.plan


class Restore:
    """See ``cli.verbs.PreparedRestore``."""

    def __init__(self, verbs: Restoring, path: str, order: dict[str, Any], plan: RestorePlan) -> None:
        self._verbs = verbs
        self._path = path
        self._order = order
        self.plan = plan

    def rehearse(self) -> RestorePlan:
        """Leave it at the plan."""
        return self.plan

    def execute(self, progress: Progress) -> RestoreReport:
        """Do it with the very backup that was planned."""
        backup = self.plan.backup
        name = printable(backup.name)
        if self._path == "/undo":
            order = {**self._order, "backup": name}
        else:
            order = {**self._order, "backup": reference(backup), "at": None, "confirmation": name}
        return self._verbs._found(self._path, order, RestoreReport, progress)  # noqa: SLF001 - its own
