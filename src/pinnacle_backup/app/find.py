"""Look for a path in all backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pinnacle_backup.app.opening import opener_of_all
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.find import Bounds, Versions, find


@contextmanager
def find_versions(
    studio: Studio, pattern: str, *, passwords: PasswordSource, ignore_case: bool = False
) -> Iterator[Versions]:
    """
    Give every version of the paths that match, from all backups that can be opened.

    Nobody is asked for a password; backups that take another one are among the problems.
    """
    listing, opener = opener_of_all(studio, passwords)
    yield find(pattern, listing.backups, opener, Bounds(ignore_case=ignore_case))
