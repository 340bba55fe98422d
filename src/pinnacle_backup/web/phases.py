"""What a run is doing, as pages say it; programs get the short words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PHASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "catalog": "Reading the archives",
        "check": "Checking what was written",
        "checks": "Running your checks",
        "compare": "Comparing",
        "copy": "Copying",
        "databases": "Checking databases",
        "delete": "Deleting",
        "download": "Downloading",
        "export": "Writing",
        "plan": "Planning",
        "read": "Reading and storing",
        "restore": "Restoring",
        "sync": "Waiting for the disk",
        "verify": "Reading back",
    }
)


def phase(name: str) -> str:
    """Return what a phase is called on a page."""
    return PHASES.get(name, name)
