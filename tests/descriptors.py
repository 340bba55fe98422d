"""Which files this process has open."""

from __future__ import annotations

import os
from pathlib import Path


def open_below(folder: Path) -> list[str]:
    """
    Return what is open of a folder and all that is below it, deleted files too.

    What other tests left to the garbage collector lies elsewhere, and may be closed at any time.
    """
    return [path for fd in os.listdir("/proc/self/fd") if (path := _path(fd)).startswith(str(folder))]


def _path(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # that of the listing itself
        return ""
