"""How the studio stands: its health, and the facts behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pinnacle_backup.app.channels import channels_of
from pinnacle_backup.app.facts import Facts, facts_of
from pinnacle_backup.app.health import judge
from pinnacle_backup.app.overdue import overdue_of
from pinnacle_backup.app.schedule import upcoming
from pinnacle_backup.app.scheduler.lease import scheduler_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.schedule.words import in_words


def studio_status(studio: Studio) -> StudioStatus:
    """Return how the studio stands. Runs whose process is gone are marked as killed before."""
    return studio.memory.status.get(
        studio.files, lambda: _status(studio, facts_of(studio)), key=str(scheduler_of(studio))
    )


def _status(studio: Studio, facts: Facts) -> StudioStatus:
    health, newest = judge(facts), facts.promise.newest
    backups, schedule = facts.listing.backups, facts.configuration.backup.schedule
    return StudioStatus(
        root=studio.root,
        directory=studio.where,
        level=health.level,
        headline=health.headline,
        checks=health.checks,
        overdue=overdue_of(facts.promise),
        counts={} if facts.store_fault else counts_of(backups),
        represented=newest.totals.size if newest else 0,
        stored=sum(info.stored for info in backups),
        destinations=facts.destinations,
        space=facts.space,
        newest=newest,
        verified=facts.verified,
        drill=facts.drill,
        proven=facts.proven,
        schedule=tuple(in_words(facts.jobs, schedule, schedule_zone(studio))),
        upcoming=upcoming(studio),
        scheduler=str(facts.scheduler) if facts.scheduler else "",
        stopped=facts.stopped,
        paused=facts.paused,
        running=facts.running,
        told=tuple(channel.words for channel in channels_of(studio)),
        waiting=facts.backlog.count,
        problems=facts.listing.problems,
        warnings=facts.configuration.warnings,
    )


def counts_of(backups: Iterable[BackupInfo]) -> dict[str, int]:
    """Return how many backups there are of each kind: ``full``, ``incremental`` and ``safety``."""
    counts = Counter(_kind(info) for info in backups)
    return {kind: counts[kind] for kind in ("full", "incremental", "safety")}


def _kind(info: BackupInfo) -> str:
    if info.header.safety:
        return "safety"
    return "full" if info.header.type == FULL else "incremental"
