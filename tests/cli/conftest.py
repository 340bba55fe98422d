"""Runs the command line here, and the guide's script in a process of its own; results made by hand."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import run
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.results import PlannedPath, RestorePlan

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "scripts" / "backup_restore.py"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Ended]:
    """Run a command line in this process, in a studio with an empty configuration."""
    root = tmp_path / "studio"
    root.mkdir()
    (root / "config.json").write_text("{}")

    def call(*args: str, typed: str | None = None, environ: dict[str, str] | None = None) -> Ended:
        kind = io.StringIO if typed is None else Terminal
        out, err = kind(), kind()
        context = Context(
            environ={"PINNACLE_ROOT": str(root), **(environ or {})},
            stdin=kind(typed or ""),
            stdout=out,
            stderr=err,
        )
        return Ended(run(args, context), out.getvalue(), err.getvalue())

    call.root = root
    return call


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the guide's script as the guide does."""

    def call(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT), *args],
            capture_output=True,
            text=True,
            cwd=options.pop("cwd", tmp_path),
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **options.pop("environ", {})},
            check=False,
            **options,
        )

    return call


NOW = datetime(2026, 11, 20, 14, 35, 2, tzinfo=UTC)


def _backup(number: int = 1, *, base: int = 0, name: str = "", **attributes: object) -> BackupInfo:
    """Return backup ``number``, made in that hour of 19 November; with ``base`` an incremental."""
    kind = INCREMENTAL if base else FULL
    ending = ".tar.gz.enc" if attributes.get("encrypted") else ".tar.gz"
    dated = f"backup_20261119_{number:02}0000" + ("_incremental" if base else "")
    header = BackupHeader(
        repository="0" * 32,
        id=f"{number:032x}",
        type=kind,
        created=f"2026-11-19T{number:02}:00:00.000000Z",
        base=f"{base:032x}" if base else "",
        safety=bool(attributes.pop("safety", False)),
    )
    totals = BackupTotals(
        entries=12_345, size=1_600_000_000, added=3, changed=5, deleted=1, references=(), warnings=0
    )
    return BackupInfo(
        name=(name or dated) + ending,
        header=header,
        totals=attributes.pop("totals", totals),
        stored=412_000_000,
        **attributes,
    )


def _plan(**attributes: object) -> RestorePlan:
    """Return the plan of a restore in place that changes a little of everything."""
    values = {
        "backup": _backup(),
        "target": "/srv/studio",
        "in_place": True,
        "create": 2,
        "overwrite": 7,
        "metadata": 1,
        "remove": 0,
        "unchanged": 12_335,
        "left_alone": 4,
        "nbytes": 5_300_000,
        "seconds": 0.4,
        "paths": (
            *(PlannedPath(f"uploads/{n}.png", "overwrite", 700_000, "content differs") for n in range(7)),
            PlannedPath("config.json", "create", 400_000, "missing"),
        ),
    }
    return RestorePlan(**{**values, **attributes})


@pytest.fixture
def backup() -> Callable[..., BackupInfo]:
    """Make a backup as the catalog knows it."""
    return _backup


@pytest.fixture
def plan() -> Callable[..., RestorePlan]:
    """Make a plan as the engine gives it."""
    return _plan


@pytest.fixture
def now() -> datetime:
    """The day after the backups were made."""
    return NOW
