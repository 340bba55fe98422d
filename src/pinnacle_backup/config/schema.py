"""
The one typed schema of the configuration: every key, its default, what it may be and what it means.

Everything else is made from it: the check of a ``config.json``, the variables of the environment, the JSON
Schema for editors and ``docs/reference/configuration.md``. Keys and defaults are those of the user's guide.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pinnacle_backup.config.cloud import CLOUD, CloudStorage, Destination, check_destinations
from pinnacle_backup.config.kinds import Count, Days, FilePath, Rule, doc
from pinnacle_backup.config.notifications import Notifications
from pinnacle_backup.config.schedule import Drill, Schedule
from pinnacle_backup.config.secrets import Secret


class Incremental(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Backups of only what changed since the last full one."""

    enabled: Annotated[bool, doc("Whether incremental backups can be made.")] = True
    retention_days: Annotated[Days, doc("Days that an incremental backup stays.")] = 7


class Encryption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Encryption of archives: AES-256, with the key made from a password."""

    enabled: Annotated[bool, doc("Encrypt every backup.")] = False
    key: Annotated[
        Secret | None,
        doc('The password or key; better as `{"$file": "PATH"}` than in this file. Without it no restore.'),
    ] = None


class Keep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Full backups that stay longer than `retention_days`: the last one of each period."""

    daily: Annotated[Count, doc("Of how many days the last full backup stays.")] = 0
    weekly: Annotated[Count, doc("Of how many weeks the last full backup stays.")] = 0
    monthly: Annotated[Count, doc("Of how many months the last full backup stays.")] = 0
    yearly: Annotated[Count, doc("Of how many years the last full backup stays.")] = 0


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is backed up, where to, how and for how long."""

    enabled: Annotated[bool, doc("Whether backups are made at all.")] = True
    paths: Annotated[
        tuple[FilePath, ...],
        doc("Files and folders to back up, relative to the studio root or absolute. All of them must exist."),
    ] = ("logs/", "uploads/", "encyclopedia/", "config.json")
    databases: Annotated[
        tuple[FilePath, ...],
        doc(
            "SQLite databases, all stored at one instant. A pattern (`*.db`) is relative to the studio root "
            "and may match nothing; a plain name must exist."
        ),
    ] = ("*.db", "*.sqlite", "*.sqlite3")
    exclude: Annotated[tuple[Rule, ...], doc("What to leave out: lines in the syntax of `.gitignore`.")] = ()
    exclude_caches: Annotated[bool, doc("Leave out what is in folders marked by a `CACHEDIR.TAG`.")] = True
    one_file_system: Annotated[bool, doc("Do not descend into other file systems mounted below a path.")] = (
        False
    )
    directory: Annotated[FilePath, doc("Where backups are stored.")] = "backups/"
    state_directory: Annotated[FilePath, doc("Where the catalog and locks are kept.")] = ".pinnacle/"
    compression: Annotated[
        Literal["gzip", "zstd"],
        doc("`gzip` gives `.tar.gz`, which opens everywhere; `zstd` gives `.tar.zst`."),
    ] = "gzip"
    compression_level: Annotated[
        int,
        Meta(ge=0, le=19, description="Higher is smaller and slower: 0 to 3 with gzip, 1 to 19 with zstd."),
    ] = 1
    deduplicate: Annotated[
        bool,
        doc("Let full backups refer to content of earlier ones too: smaller, but no longer self-contained."),
    ] = False
    workers: Annotated[
        int, Meta(ge=0, le=256, description="How many processes work on a backup; 0 is one for each CPU.")
    ] = 0
    incremental: Incremental = Incremental()
    schedule: Schedule = Schedule()
    retention_days: Annotated[Days, doc("Days that a full backup stays.")] = 30
    keep: Keep = Keep()
    shrink_guard_percent: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="When at least this percentage of the files is gone since the last backup, the new "
            "one is flagged and cleanup waits for a person; 0 switches the guard off.",
        ),
    ] = 50
    encryption: Encryption = Encryption()
    drill: Drill = Drill()
    copy_to: Annotated[
        tuple[FilePath, ...],
        doc("Folders that `copy` brings all backups to: another disk, a mounted network drive."),
    ] = ()
    destinations: Annotated[
        tuple[Destination, ...],
        doc("More places for backups: folders, and buckets in other regions or at other providers."),
    ] = ()
    primary: Annotated[
        str,
        doc(
            "Name of the destination that backups are made in straight away, with no copy on this machine: "
            "`cloud`, or one of `destinations`. Empty makes them in `directory`."
        ),
    ] = ""
    cleanup_below_percent_free: Annotated[
        int,
        Meta(
            ge=0,
            le=90,
            description="Clean up at once, without waiting for the weekly cleanup, when less than this "
            "percentage of the disk is free; 0 never does.",
        ),
    ] = 0
    metrics_file: Annotated[
        FilePath | None,
        doc("File that the scheduler keeps up to date with metrics for Prometheus' textfile collector."),
    ] = None

    def __post_init__(self) -> None:
        """Refuse what only makes sense, or none, together. A message begins with the key it is about."""
        lowest, highest = (0, 3) if self.compression == "gzip" else (1, 19)
        if not lowest <= self.compression_level <= highest:
            raise ValueError(
                f"compression_level: expected {lowest} to {highest} with {self.compression}, "
                f"found {self.compression_level}"
            )
        for key in ("directory", "state_directory"):
            if _holds_the_studio(getattr(self, key)):
                raise ValueError(f"{key}: expected a folder of its own, not one that the studio is in")
        for key, place in (("directory", self.directory), *(("copy_to", place) for place in self.copy_to)):
            for path in self.paths:
                if _is_in(path, place):  # no backup holds what lies among the backups
                    raise ValueError(
                        f"{key}: expected a folder of its own, not one that holds the source {path}"
                    )
        for place in self.copy_to:
            if os.path.normpath(place) == os.path.normpath(self.directory):
                raise ValueError("copy_to: expected other folders than backup.directory")
        check_destinations(self.destinations, self.directory)
        if os.path.normpath(self.directory) == os.path.normpath(self.state_directory):
            raise ValueError("state_directory: expected another folder than backup.directory")


def _is_in(path: str, folder: str) -> bool:
    return f"{os.path.normpath(path)}/".startswith(f"{os.path.normpath(folder)}/")


def _holds_the_studio(directory: str) -> bool:
    return set(os.path.normpath(directory).split("/")) <= {"", ".", ".."}


class Logging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log files."""

    directory: Annotated[FilePath, doc("Folder of the log files.")] = "logs/"
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], doc("The least important events that are written.")
    ] = "INFO"
    format: Annotated[
        Literal["text", "json"], doc("`text` for people, `json` for programs; one line an event.")
    ] = "text"
    max_bytes: Annotated[
        int, Meta(ge=1024, le=2**40, description="Size at which a log file is set aside and a new one begun.")
    ] = 10 * 2**20
    files: Annotated[int, Meta(ge=1, le=100, description="How many files set aside are kept.")] = 5


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """
    The whole configuration.

    Attributes:
        backup, notifications, cloud_storage, logging: The sections of ``config.json``.
        warnings: What a person should know about where the values come from; not a key of the file.
        files: Other files that values come from, absolute; not a key of the file either.
    """

    backup: Backup = Backup()
    notifications: Notifications = Notifications()
    cloud_storage: CloudStorage = CloudStorage()
    logging: Logging = Logging()
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a primary place that there is not."""
        names = {each.name for each in self.backup.destinations}
        if self.cloud_storage.enabled:
            names.add(CLOUD)
        if self.backup.primary and self.backup.primary not in names:
            known = ", ".join(sorted(names)) or "none: cloud_storage is not enabled"
            raise ValueError(
                f"backup.primary: expected a destination ({known}), found {self.backup.primary[:40]}"
            )


SECTIONS = ("backup", "notifications", "cloud_storage", "logging")
"""The top-level keys that are ours; all others belong to the studio."""
