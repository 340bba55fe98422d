"""How the studio stands: the facts, and one sentence that says the worst of them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from pinnacle_backup.app.schedule import in_words
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.repository.listing import Listing, created_at

GOOD, WARNING, BAD = "good", "warning", "bad"
_LATE = timedelta(hours=26)
"""A daily backup that is this old was missed: a day, and two hours for a slow one."""
_VERIFY_AFTER = timedelta(days=30)


def studio_status(studio: Studio) -> StudioStatus:
    """Return how the studio stands."""
    listing = studio.repository.listing()
    newest = newest_state(listing)
    level, headline = verdict(listing, studio.configuration, studio.now())
    return StudioStatus(
        root=studio.root,
        directory=studio.directory,
        level=level,
        headline=headline,
        counts=_counts(listing),
        represented=newest.totals.size if newest else 0,
        stored=sum(info.stored for info in listing.backups),
        free=studio.repository.store.free_bytes(),
        newest=newest,
        verified=max((info.verified for info in listing.backups), default=""),
        schedule=tuple(in_words(studio.configuration.backup.schedule)),
        problems=listing.problems,
        warnings=studio.configuration.warnings,
    )


def newest_state(listing: Listing) -> BackupInfo | None:
    """Return the newest backup that a studio could be restored from completely."""
    states = (info for info in listing.backups if not info.header.safety)
    return next((info for info in states if not listing.missing(info)), None)


def verdict(listing: Listing, configuration: Configuration, now: datetime) -> tuple[str, str]:
    """Return ``good``, ``warning`` or ``bad``, and the worst fact in one sentence."""
    newest = newest_state(listing)
    if newest is None:
        return BAD, "Not protected: there is no backup yet." if not listing.backups else (
            "Not protected: no backup is complete."
        )
    if not configuration.backup.enabled:
        return BAD, "Not protected: backups are switched off."
    how_old = now - created_at(newest.header)
    if how_old > _LATE:
        return BAD, f"Not protected: the newest backup is {_in_words(how_old)} old."
    if newest.totals.shrunk:
        return WARNING, "Look: the newest backup holds suspiciously little."
    if listing.problems:
        return WARNING, f"Look: {listing.problems[0].path} and perhaps more cannot be used."
    return _verified(listing, now, how_old)


def _verified(listing: Listing, now: datetime, how_old: timedelta) -> tuple[str, str]:
    newest = f"the newest backup is {_in_words(how_old)} old"
    verified = max((info.verified for info in listing.backups), default="")
    if not verified:
        return WARNING, f"Protected, but no backup was ever verified; {newest}."
    since = now - datetime.fromisoformat(verified)
    if since > _VERIFY_AFTER:
        return WARNING, f"Protected, but nothing was verified for {_in_words(since)}; {newest}."
    return GOOD, f"Protected: {newest}, the last verify {_in_words(since)}."


def _counts(listing: Listing) -> dict[str, int]:
    counts = Counter(_kind(info) for info in listing.backups)
    return {kind: counts[kind] for kind in ("full", "incremental", "safety")}


def _kind(info: BackupInfo) -> str:
    if info.header.safety:
        return "safety"
    return "full" if info.header.type == FULL else "incremental"


def _in_words(how_long: timedelta) -> str:
    minutes = max(int(how_long.total_seconds() // 60), 0)
    for unit, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        count = minutes // unit
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
