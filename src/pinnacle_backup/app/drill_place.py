"""Where drills restore to: never where a backup would find it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.paths import printable


def drill_place(studio: Studio) -> str:
    """
    Return the folder below which drills restore, absolute.

    Raises:
        ConfigError: The configured one lies in a source: what a drill restores would be backed up.
    """
    configured = studio.configuration.backup.drill.directory
    if configured is None:
        return studio.state_directory
    place = os.path.normpath(os.path.join(studio.root, configured))
    if not any(_is_below(place, skipped) for skipped in (studio.state_directory, studio.directory)):
        for source in _sources(studio):
            if _is_below(place, os.path.join(studio.root, source)):
                file = os.path.basename(studio.place.file)
                raise ConfigError(
                    f"{file}: backup.drill.directory: {printable(place)} lies in the source "
                    f"{printable(source)!r}, so backups would hold what drills restore",
                    hint="name a folder outside of backup.paths, or leave it out",
                )
    return place


def _sources(studio: Studio) -> Iterator[str]:
    """Yield the folders that are backed up; of a pattern for any depth the folder where it begins."""
    settings = studio.configuration.backup
    yield from settings.paths
    for pattern in settings.databases:
        if "**" in pattern:
            parts = pattern.split("/")
            fixed = next(place for place, part in enumerate(parts) if any(c in part for c in "*?["))
            yield "/".join(parts[:fixed]) or "."


def _is_below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies in it, by whatever links."""
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")
