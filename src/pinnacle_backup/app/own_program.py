"""This very program as a process of its own: the same command line that a person could type."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

import pinnacle_backup
from pinnacle_backup.app.place import Place


def command_line(place: Place) -> list[str]:
    """Return the words that run this program for a studio; a command and its options follow."""
    # -P: a module in the studio root must not be taken for one of ours
    program = [sys.executable, "-P", "-m", pinnacle_backup.__name__]
    where = ["--config", place.file] if os.path.lexists(place.file) else ["--root", place.root]
    return [*program, *where, "--no-input", "--quiet"]


def typed() -> str:
    """Return this program as a person can type it anywhere, whatever ``PATH`` says."""
    script = os.path.join(os.path.dirname(sys.executable), "pinnacle-backup")
    if os.access(script, os.X_OK):
        return shlex.quote(script)
    return f"{shlex.quote(sys.executable)} -m {pinnacle_backup.__name__}"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, in which the process finds this very program."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(pinnacle_backup.__file__)))
    paths = [package, *environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
