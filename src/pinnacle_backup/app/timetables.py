"""The timetable that a studio's configuration stands for."""

from __future__ import annotations

from datetime import tzinfo

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.zone import zone_of
from pinnacle_backup.schedule.job import Job, jobs_of
from pinnacle_backup.schedule.timetable import Timetable


def timetable_of(studio: Studio) -> Timetable:
    """Return the timetable of all jobs that are switched on."""
    schedule = studio.configuration.backup.schedule
    return Timetable(scheduled_jobs(studio), schedule, schedule_zone(studio))


def scheduled_jobs(studio: Studio) -> tuple[Job, ...]:
    """Return all jobs that are switched on."""
    configuration = studio.configuration
    goes_on = configuration.cloud_storage.enabled or any(
        each.automatic for each in configuration.backup.destinations
    )
    return jobs_of(configuration.backup.schedule, catch_up=goes_on)


def schedule_zone(studio: Studio) -> tzinfo:
    """Return the time zone that the schedule is meant in."""
    return zone_of(studio.configuration.backup.schedule, studio.place.environ)
