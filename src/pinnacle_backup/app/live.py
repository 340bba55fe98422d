"""
How far a run is, for others to see: a small file that the run writes and everybody may read.

It lies beside the record of runs and not in it, because it changes several times a second, and is worth
nothing when the run has ended.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress

_FOLDER: Final = "progress"
_EVERY_SECONDS: Final = 0.25
_LIMIT: Final = 64 * 1024


class LiveProgress(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a run is.

    Attributes:
        phase: What it is doing.
        bytes, items: Done in this phase.
        total_bytes, total_items: To do in this phase; None where that is not known.
        path: What it is at, as it can be shown.
        seconds: Since the phase began.
    """

    phase: str = ""
    bytes: int = 0
    items: int = 0
    total_bytes: int | None = None
    total_items: int | None = None
    path: str = ""
    seconds: float = 0.0


class Followed:
    """A progress that also writes the file of its run. A file that cannot be written is left alone."""

    def __init__(
        self, inner: Progress, path: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._path = path
        self._monotonic = monotonic
        self._state = LiveProgress()
        self._began = monotonic()
        self._written = 0.0

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        """Begin a phase."""
        self._inner.phase(name, total_bytes=total_bytes, total_items=total_items)
        self._began = self._monotonic()
        self._state = LiveProgress(phase=name, total_bytes=total_bytes, total_items=total_items)
        self._write(self._began)

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        """Count work that is done."""
        self._inner.advance(nbytes=nbytes, items=items, path=path)
        state, now = self._state, self._monotonic()
        self._state = msgspec.structs.replace(
            state,
            bytes=state.bytes + nbytes,
            items=state.items + items,
            path=path or state.path,
            seconds=now - self._began,
        )
        if now - self._written >= _EVERY_SECONDS:
            self._write(now)

    def close(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _write(self, now: float) -> None:
        self._written = now
        partial = f"{self._path}.partial"
        shown = msgspec.structs.replace(self._state, path=printable(self._state.path))  # names are any bytes
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(partial, "wb") as file:
                file.write(msgspec.json.encode(shown))
            os.replace(partial, self._path)


def progress_file(studio: Studio, run: int) -> str:
    """Return where a run says how far it is."""
    return os.path.join(studio.state_directory, _FOLDER, f"{run}.json")


def live_progress(studio: Studio, run: int) -> LiveProgress | None:
    """Return how far a run is; None where it does not say."""
    try:
        with open(progress_file(studio, run), "rb") as file:
            return msgspec.json.decode(file.read(_LIMIT), type=LiveProgress)
    except (OSError, msgspec.MsgspecError):
        return None
