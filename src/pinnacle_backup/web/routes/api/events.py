"""
One stream of what changes: runs that begin, advance and end, and the lines of their logs.

Server-sent events as the HTML standard has them. The state of the newest runs comes first, so that a page
which was cut off, or made before a run ended, is right at once.
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
from pinnacle_backup.errors import StateError
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.runs import RUNNING, RunLine
from pinnacle_backup.web.auth import caller, needs, services_of
from pinnacle_backup.web.happening import EVERY_SECONDS, Happening
from pinnacle_backup.web.services import Services

router = APIRouter(tags=["events"])

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
    services, follower, looks = services_of(request), Follower(), 0
    yield b"retry: 2000\n\n"
    while not (services.ending.is_set() or await request.is_disconnected()):
        looks += 1
        try:
            if looks % _LOGIN_EVERY == 0:
                await run_in_threadpool(caller, request)
            seen = await services.happening.get(lambda: run_in_threadpool(_look, services))
            found = await _told(services, follower, seen)
        except Exception:  # noqa: BLE001 - logged out, or the studio cannot be opened now: the page asks again
            return
        for kind, value in found:
            yield b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(value))
        if not found and looks % 30 == 0:
            yield b": still here\n\n"
        await asyncio.sleep(EVERY_SECONDS)


def _look(services: Services) -> tuple[Happening, ...]:
    """Return how the newest runs stand, oldest first; all who follow share one look."""
    studio = services.studio()
    try:
        reap(studio)
        runs = studio.runs.newest(_NEWEST)
        lines = studio.runs.newest_lines(tuple(run.id for run in runs))
    except StateError:
        return ()
    return tuple(
        Happening(
            run=run,
            progress=live_progress(studio, run.id) if run.outcome == RUNNING else None,
            lines=lines.get(run.id, 0),
        )
        for run in reversed(runs)
    )


async def _told(services: Services, follower: Follower, seen: tuple[Happening, ...]) -> list[Event]:
    """Return what somebody who follows has to be told."""
    found: list[Event] = []
    for state in seen:
        event, after = follower.next(state)
        found += [event] if event else []
        if after is not None:
            lines = await run_in_threadpool(
                lambda run, behind: services.studio().runs.lines(run, after=behind), state.run.id, after
            )
            found += [("run-line", {"id": state.run.id, **msgspec.structs.asdict(line)}) for line in lines]
            follower.told(state.run.id, lines)
    return found


class Follower:
    """Knows what somebody was told already."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, object]] = {}
        self._lines: dict[int, int] = {}

    def next(self, now: Happening) -> tuple[Event | None, int | None]:
        """Return what is new of a run, None for nothing; and behind which line of its log there are more."""
        run, progress = now.run, now.progress
        state, known = (run.outcome, progress), self._seen.get(run.id)
        event: Event | None = None
        if known != state:
            more = {} if progress is None else msgspec.structs.asdict(progress)
            event = ("run", {**more, "id": run.id, "verb": run.verb, "outcome": run.outcome})
        self._seen[run.id] = state
        after = self._lines.get(run.id, 0)
        goes_on = run.outcome == RUNNING or (known is not None and known[0] == RUNNING)
        return event, after if goes_on and now.lines > after else None

    def told(self, run: int, lines: list[RunLine]) -> None:
        """Remember up to which line of its log."""
        if lines:
            self._lines[run] = lines[-1].number
