"""When backups are made: shown in words, changed in the configuration."""

from __future__ import annotations

import msgspec

from pinnacle_backup.app.place import Place
from pinnacle_backup.config.edit import update
from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.config.strict_json import parse
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.queries import ScheduleView

_NAME = "--schedule-config"


def show_schedule(place: Place) -> ScheduleView:
    """Return the schedule in force."""
    return _view(place.configuration())


def store_schedule(place: Place, text: str) -> ScheduleView:
    """
    Change the keys of ``backup.schedule`` that the JSON object holds; the others stay.

    Raises:
        ConfigError: A key or a value is wrong; nothing was changed.
    """
    changes = parse(text, _NAME)
    if not isinstance(changes, dict):
        raise UsageError(f"{_NAME}: expected an object", hint="""for example '{"weekly_cleanup": false}'""")
    update(place.file, {f"backup.schedule.{key}": value for key, value in changes.items()}, place.environ)
    return msgspec.structs.replace(_view(place.configuration()), stored=True)


def _view(configuration: Configuration) -> ScheduleView:
    schedule = configuration.backup.schedule
    return ScheduleView(values=msgspec.to_builtins(schedule), words=tuple(in_words(schedule)))


def in_words(schedule: Schedule) -> list[str]:
    """Return a line for everything that happens by itself."""
    words = []
    if schedule.daily_full_backup:
        words.append(f"full backup every day at {schedule.daily_full_backup_time}")
    if schedule.hourly_incremental_backup:
        words.append("incremental backup every hour")
    if schedule.weekly_cleanup:
        words.append("cleanup every week")
    return words
