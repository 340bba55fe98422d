"""Search all backups for a name, as a person types it: bounded in time and in what is found."""

from __future__ import annotations

import time
from typing import Final

from pinnacle_backup.app.opening import opener_of_all
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.find import Bounds, Versions, find
from pinnacle_backup.engine.patterns import is_pattern

SEARCH_SECONDS: Final = 20.0
MOST_PATHS: Final = 500


def pattern_of(words: str) -> str:
    """Return the pattern for what a person typed: a path, a pattern, or a part of a name."""
    words = words.strip()
    if is_pattern(words):
        return words if "/" in words else f"**/{words}"
    folder, _, name = words.rstrip("/").rpartition("/")
    return f"{folder}/**/*{name}*" if folder else f"**/*{name}*"


def is_lower(pattern: str) -> bool:
    """Tell whether a pattern has no capital letter, so that it does not matter which are some."""
    return pattern == pattern.lower()


def search(
    studio: Studio,
    pattern: str,
    *,
    passwords: PasswordSource,
    seconds: float = SEARCH_SECONDS,
    most: int = MOST_PATHS,
) -> Versions:
    """
    Return the versions of what matches, from the newest backups on, as far as the time goes.

    Capital letters are like small ones, unless there are some in the pattern.

    Args:
        studio: Whose backups.
        pattern: A path or a pattern; see ``pattern_of``.
        passwords: For encrypted backups; others are among the problems.
        seconds: No further backup is begun after so long.
        most: How many paths at most.

    Raises:
        PasswordError: Not one of the backups could be opened.
    """
    until = time.monotonic() + seconds
    listing, opener = opener_of_all(studio, passwords)
    bounds = Bounds(most_paths=most, is_late=lambda: time.monotonic() > until, ignore_case=is_lower(pattern))
    return find(pattern, listing.backups, opener, bounds)
