"""Runs, schedule, notifications and the audit trail of a server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from pinnacle_backup.cli.progress import progress
from pinnacle_backup.cli.there.asking import Asking
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.accounts import AuditCheck, AuditEvent
from pinnacle_backup.model.queries import ScheduleView
from pinnacle_backup.model.runs import RUNNING, Run
from pinnacle_backup.remote.following import Looked, failure

if TYPE_CHECKING:
    from pinnacle_backup.app.delivering import Delivery
    from pinnacle_backup.app.notifications import ChannelTest, NotificationsView

_EVENTS = 1000
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.2


class Settling(Asking):
    """See ``cli.verbs``."""

    def cancel(self, number: int) -> Run:
        self._client.send("POST", f"/runs/{number}/cancel", dict)
        until = time.monotonic() + _STOP_SECONDS
        while (run := self._client.get(f"/runs/{number}", Looked).run).outcome == RUNNING:
            if time.monotonic() > until:
                raise PinnacleError(
                    f"run {number} was asked to stop, but still works",
                    hint="pinnacle-backup runs shows whether it does",
                )
            time.sleep(_POLL_SECONDS)
        return run

    def events(self, limit: int, *, action: str, who: str) -> Sequence[AuditEvent]:
        found: list[AuditEvent] = []
        while len(found) < limit:
            most = min(limit - len(found), _EVENTS)
            below = found[-1].number if found else 0
            query = {"limit": most, "below": below, "action": action, "by": who}
            more = self._client.get("/audit", list[AuditEvent], member="events", **query)
            found += more
            if len(more) < most:
                break
        return found

    def check_events(self, anchor: str = "") -> AuditCheck:
        return self._client.get("/audit/check", AuditCheck, anchor=anchor)

    def schedule(self) -> ScheduleView:
        return self._client.get("/schedule", ScheduleView)

    def pause(self, until: datetime | None) -> None:
        body = {"until": until.isoformat() if until else None}
        self._client.send("POST", "/schedule/pause", ScheduleView, body=body)

    def resume(self) -> None:
        self._client.send("POST", "/schedule/resume", ScheduleView)

    def run_job(self, name: str, *, slot: str, attempt: int) -> int:  # noqa: ARG002 - a scheduler's affair
        with progress(self._context) as shown:
            run = self._start(f"/schedule/jobs/{quote(name, safe='')}/run", {}, shown).ended()
        error = failure(run)
        if error is not None:
            raise error
        return run.exit_code or 0

    def notifications(self) -> NotificationsView:
        from pinnacle_backup.app.notifications import NotificationsView

        return self._client.get("/notifications", NotificationsView)

    def test_channels(self, names: tuple[str, ...]) -> Sequence[ChannelTest]:
        from pinnacle_backup.app.notifications import ChannelTest

        return [
            test
            for name in names or (None,)
            for test in self._client.send(
                "POST",
                "/notifications/test",
                list[ChannelTest],
                body={"channel": name},
                member="channels",
            )
        ]

    def deliver(self) -> Delivery:
        from pinnacle_backup.app.delivering import Delivery

        return self._client.send("POST", "/notifications/retry", Delivery)
