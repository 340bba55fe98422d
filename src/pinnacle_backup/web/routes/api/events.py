"""
One stream of what changes: runs that begin, advance and end, and the lines of their logs.

Server-sent events as the HTML standard has them. The state of all that runs comes first, so that a page which
was cut off is right again at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from pinnacle_backup.app.live import live_progress
from pinnacle_backup.app.runs import reap
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import StateError
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.runs import RUNNING
from pinnacle_backup.web.auth import caller, needs, services_of

router = APIRouter(tags=["events"])

_EVERY_SECONDS: Final = 0.5
_NEWEST: Final = 20
_LOGIN_EVERY: Final = 60
"""After so many looks it is asked again whether the caller may still look."""

Event = tuple[str, Any]


@router.get(
    "/events",
    summary="Follow what happens",
    response_class=StreamingResponse,
    dependencies=[Depends(needs(LOOK))],
)
async def events(request: Request) -> StreamingResponse:
    """Server-sent events: ``run`` with progress, ``run-line`` with a line of a run's log."""
    stream = StreamingResponse(_stream(request), media_type="text/event-stream")
    stream.headers["X-Accel-Buffering"] = "no"  # what stands between must not hold it back
    return stream


async def _stream(request: Request) -> AsyncIterator[bytes]:
    follower = Follower()
    looks = 0
    yield b"retry: 2000\n\n"
    ending = services_of(request).ending
    while not (ending.is_set() or await request.is_disconnected()):
        looks += 1
        try:
            found = await run_in_threadpool(_look, request, follower, again=looks % _LOGIN_EVERY == 0)
        except Exception:  # noqa: BLE001 - logged out, or the studio cannot be opened now: the page asks again
            return
        for kind, value in found:
            yield b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(value))
        if not found and looks % 30 == 0:
            yield b": still here\n\n"
        await asyncio.sleep(_EVERY_SECONDS)


def _look(request: Request, follower: Follower, *, again: bool) -> list[Event]:
    if again:
        caller(request)
    return follower.look(request.app.state.services.studio())


class Follower:
    """Finds what has changed since it looked last."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, object]] = {}
        self._lines: dict[int, int] = {}
        self._first = True

    def look(self, studio: Studio) -> list[Event]:
        """Return what has changed; at first, all that runs."""
        try:
            reap(studio)
            runs = studio.runs.newest(_NEWEST)
        except StateError:
            return []
        found: list[Event] = []
        for run in reversed(runs):
            progress = live_progress(studio, run.id) if run.outcome == RUNNING else None
            state = (run.outcome, progress)
            known = self._seen.get(run.id)
            if known != state and (known is not None or run.outcome == RUNNING or not self._first):
                more = {} if progress is None else msgspec.structs.asdict(progress)
                found.append(("run", {**more, "id": run.id, "verb": run.verb, "outcome": run.outcome}))
            if run.outcome == RUNNING or (known is not None and known[0] == RUNNING):
                found += self._new_lines(studio, run.id)
            self._seen[run.id] = state
        self._first = False
        return found

    def _new_lines(self, studio: Studio, run: int) -> list[Event]:
        lines = studio.runs.lines(run, after=self._lines.get(run, 0))
        if lines:
            self._lines[run] = lines[-1].number
        return [("run-line", {"id": run, **msgspec.structs.asdict(line)}) for line in lines]
