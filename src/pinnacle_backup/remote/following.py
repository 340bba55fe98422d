"""Follow a run on a server to its end: how far it is, what it logs, what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

import msgspec

from pinnacle_backup.errors import Interrupted, PinnacleError, ServerError, StateError
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.runs import CANCELLED, KILLED, RUNNING, Run, RunLine
from pinnacle_backup.remote.client import Client
from pinnacle_backup.remote.decoding import convert
from pinnacle_backup.remote.problems import named_error

T = TypeVar("T")
_FIRST_SECONDS: Final = 0.05
_LONGEST_WAIT: Final = 1.0
_PATIENCE_SECONDS: Final = 60.0


class Told(Protocol):
    """Who hears of a run, beside the progress."""

    def line(self, run: int, line: RunLine) -> None:
        """Hear a line of its log."""

    def notice(self, text: str) -> None:
        """Hear what a person has to know now."""


class Looked(msgspec.Struct, kw_only=True):
    """How far a run is: see ``app.live`` for the progress."""

    run: Run
    log: tuple[RunLine, ...]
    progress: LiveState | None = None


class LiveState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the phase of a run is."""

    phase: str = ""
    bytes: int = 0
    items: int = 0
    total_bytes: int | None = None
    total_items: int | None = None
    path: str = ""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found: see ``app.results``."""

    exit_code: int
    report: dict[str, Any]


class Following:
    """
    Follows one run. Ctrl-C asks the server to cancel it; a second one leaves it to itself.

    Args:
        client: Asks the server.
        run: Its number.
        progress: Told how far it is.
        told: Told what else happens.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        client: Client,
        run: int,
        *,
        progress: Progress,
        told: Told,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._run = run
        self._progress = progress
        self._told = told
        self._sleep = sleep
        self._shown = LiveState()
        self._after = 0
        self._cancelling = False

    def ended(self) -> Run:
        """
        Wait for its end, and return it.

        Raises:
            ServerError: The server is gone for longer than a person waits; the run may go on.
            Interrupted: The person does not wait any longer.
        """
        wait = _FIRST_SECONDS
        while True:
            try:
                run = self._look()
                if run.outcome != RUNNING:
                    return run
                self._sleep(wait)
                wait = min(wait * 1.3, _LONGEST_WAIT)
            except KeyboardInterrupt:
                self._interrupted()

    def found(self, kind: type[T]) -> T:
        """
        Wait for its end, and return the report of what it found.

        Raises:
            PinnacleError: It failed: the very error that it ended with.
        """
        run = self.ended()
        result = self._client.get(f"/runs/{self._run}/result", RunResult | None, member="result")  # type: ignore[arg-type] # a union is a type, too
        if result is None:
            raise failure(run) or ServerError(
                f"run {run.id} has ended ({run.outcome}), but what it found is no longer kept",
                hint=f"pinnacle-backup runs show {run.id}",
            )
        try:
            return convert(result.report, kind)
        except (msgspec.MsgspecError, ValueError):
            raise ServerError(
                f"what run {run.id} found cannot be understood", hint="is the server of another version?"
            ) from None

    def _look(self) -> Run:
        looked = self._patiently()
        for line in looked.log:
            self._after = line.number
            self._told.line(self._run, line)
        if looked.progress is not None:
            self._show(looked.progress)
        return looked.run

    def _patiently(self) -> Looked:
        """Look, and look again where the server restarts, or cannot read its record now: the run goes on."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._client.get(f"/runs/{self._run}", Looked, after=self._after)
            except (ServerError, StateError) as error:
                if time.monotonic() > until:
                    hint = f"run {self._run} may go on there: pinnacle-backup runs show {self._run}"
                    raise ServerError(error.message, hint=hint) from None
            self._sleep(_LONGEST_WAIT)

    def _show(self, now: LiveState) -> None:
        before, progress = self._shown, self._progress
        if (now.phase, now.total_bytes, now.total_items) != (
            before.phase,
            before.total_bytes,
            before.total_items,
        ) or now.bytes < before.bytes:
            progress.phase(now.phase, total_bytes=now.total_bytes, total_items=now.total_items)
            before = LiveState(phase=now.phase)
        more, items = now.bytes - before.bytes, max(now.items - before.items, 0)
        if more or items or now.path != before.path:
            progress.advance(nbytes=more, items=items, path=now.path)
        self._shown = now

    def _interrupted(self) -> None:
        if self._cancelling:
            raise Interrupted(
                f"left to itself: run {self._run} may go on on the server",
                hint=f"pinnacle-backup runs show {self._run}",
            )
        self._cancelling = True
        self._told.notice(f"cancelling run {self._run} on the server; Ctrl-C again leaves it to itself")
        try:
            self._client.send("POST", f"/runs/{self._run}/cancel", dict)
        except PinnacleError as error:
            if not isinstance(error, ServerError):  # it has ended meanwhile, or may not be cancelled by us
                self._told.notice(error.message)


def failure(run: Run) -> PinnacleError | None:
    """Return the error that a run ended with, as the command would have ended; None where it went well."""
    if run.outcome == CANCELLED:
        return Interrupted(f"run {run.id} was stopped before its end")
    if run.outcome == KILLED:
        return PinnacleError(f"run {run.id} was killed: {run.message}", hint=run.hint)
    if not run.exit_code or run.exit_code == 1:
        return None
    return named_error(run.code, run.message or f"run {run.id} failed", run.hint, run.exit_code)
