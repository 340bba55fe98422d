"""What the configuration protects, in the terms of the engine."""

from __future__ import annotations

import os

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.logs import ALL, AUTOMATED, ERRORS
from pinnacle_backup.engine.databases import database_paths
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Rules


def rules_of(studio: Studio) -> Rules:
    """Return what a scan of the studio leaves out."""
    settings = studio.configuration.backup
    return Rules(
        exclude=Excluder(settings.exclude),
        exclude_caches=settings.exclude_caches,
        one_file_system=settings.one_file_system,
        skip=studio.reserved,
    )


def present_sources(studio: Studio) -> tuple[str, ...]:
    """Return what the configuration protects, as far as it is there."""
    settings = studio.configuration.backup
    globs = [pattern for pattern in settings.databases if any(c in pattern for c in "*?[")]
    literal = [pattern for pattern in settings.databases if pattern not in globs]
    sources = (*settings.paths, *literal, *database_paths(studio.root, globs, ()))
    return tuple(source for source in sources if _is_there(os.path.join(studio.root, source)))


def own_logs(studio: Studio) -> frozenset[str]:
    """
    Return our own log files, as backups name them.

    A restore in place leaves them: they tell what happened since, and what it does itself.
    """
    folder = studio.configuration.logging.directory.strip("/").removeprefix("./")
    return frozenset(f"{folder}/{name}" for name in (ALL, AUTOMATED, ERRORS))


def outside(studio: Studio) -> tuple[str, ...]:
    """Return the configured sources outside the studio root, absolute."""
    settings = studio.configuration.backup
    inside = studio.root.rstrip("/") + "/"
    paths = (os.path.normpath(os.path.join(studio.root, p)) for p in (*settings.paths, *settings.databases))
    return tuple(path for path in paths if not (path + "/").startswith(inside))


def _is_there(path: str) -> bool:
    return os.path.lexists(path) and not os.path.islink(path)
