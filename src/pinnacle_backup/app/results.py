"""
What a run found, kept for a day for who asked a server for it: what ``--json`` would have printed at its end.

It lies beside the record of runs and not in it: only the one who started the run wants it, and soon.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any, Final

import msgspec

from pinnacle_backup.app.plain import plain
from pinnacle_backup.app.studio import Studio

_FOLDER: Final = "results"
_KEPT_SECONDS: Final = 24 * 3600
_POLL_SECONDS: Final = 0.02


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a run found.

    Attributes:
        exit_code: What the command ended with.
        report: What it would have printed with ``--json``, such as a backup report.
    """

    exit_code: int
    report: dict[str, Any]


def keep_result(studio: Studio, run: int, exit_code: int, report: object) -> None:
    """Keep what a run found. That it cannot be kept, fails no run."""
    path = _path(studio, run)
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _remove_old(os.path.dirname(path))
        with open(f"{path}.partial", "wb") as file:
            file.write(msgspec.json.encode(RunResult(exit_code=exit_code, report=plain(report))))
        os.replace(f"{path}.partial", path)


def kept_result(studio: Studio, run: int, *, wait_seconds: float = 0.0) -> RunResult | None:
    """
    Return what a run found; None where it found nothing, or that is no longer kept.

    Args:
        studio: Whose.
        run: Its number.
        wait_seconds: For a process that has recorded its end, but still writes down what it found.
    """
    until = time.monotonic() + wait_seconds
    process = studio.runs.process(run)
    while process is not None and process.is_alive() and time.monotonic() < until:
        if (found := _read(studio, run)) is not None:
            return found
        time.sleep(_POLL_SECONDS)
    return _read(studio, run)


def _read(studio: Studio, run: int) -> RunResult | None:
    try:
        with open(_path(studio, run), "rb") as file:
            return msgspec.json.decode(file.read(), type=RunResult)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(studio: Studio, run: int) -> str:
    return os.path.join(studio.state_directory, _FOLDER, f"{run}.json")


def _remove_old(folder: str) -> None:
    limit = time.time() - _KEPT_SECONDS
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with suppress(OSError):
            if os.stat(path).st_mtime < limit:
                os.unlink(path)
