"""This project, from a checkout, as the guide calls it."""

from __future__ import annotations

import json
import os
import sys

from compare import size_of
from measure import Command
from tool import FULL, INCREMENTAL, PASSWORD, PROJECT, empty, write_text


class Pinnacle:
    """
    Backups in a folder.

    Args:
        root: The studio: the folder with `data`.
        place: Where it may write.
        encrypted: Whether with a password.
        deduplicated: Whether full backups refer to content of earlier ones.
    """

    needs: tuple[str, ...] = ()
    nanoseconds = True
    folders = True

    def __init__(self, root: str, place: str, *, encrypted: bool = False, deduplicated: bool = False) -> None:
        kinds = {"encrypted": encrypted and not deduplicated, "deduplicated": deduplicated}
        self.name = ", ".join(["Pinnacle", *(kind for kind, chosen in kinds.items() if chosen)])
        self._root, self._place, self._deduplicated = root, place, deduplicated
        self._ending = ".tar.gz.enc" if encrypted else ".tar.gz"
        self._password = ["--password-file", os.path.join(place, "password")] if encrypted else []

    def setup(self) -> None:
        """Write the password, and the configuration with its defaults where it is not about places."""
        empty(self._place)
        write_text(os.path.join(self._place, "password"), PASSWORD)
        config = {
            "backup": {
                "paths": ["data/"],
                "databases": ["data/*.db"],
                "incremental": {"retention_days": 0},  # what `thin` deletes has just been made
            }
        }
        write_text(os.path.join(self._root, "config.json"), json.dumps(config))

    def full(self, label: str = FULL) -> Command:
        """Make a full backup."""
        return self._run("create", "--type", "full", "--name", label, *self._password)

    def incremental(self, label: str = INCREMENTAL) -> Command:
        """Make an incremental backup."""
        return self._run("create", "--type", "incremental", "--name", label, *self._password)

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:
        """Restore a full backup, or a part of it."""
        paths = [os.path.join("data", part)] if part else []
        return self._run(
            "restore", label + self._ending, *paths, "--target", target, "--yes", *self._password
        )

    def verify(self) -> Command:
        """Read every byte back, and check every file's SHA-256."""
        return self._run("verify", FULL + self._ending, *self._password)

    def thin(self) -> Command:
        """Clean up; incremental backups are kept for 0 days."""
        return self._run("cleanup", "--yes")

    def keep_newest(self) -> Command:
        """Clean up; full backups are kept for 0 days, too."""
        return self._run("cleanup", "--retention", "0", "--yes")

    def listing(self) -> Command:
        """List the backups."""
        return self._run("list")

    def help(self) -> Command:
        """Print the help."""
        return self._run("--help")

    def size(self) -> int:
        """Return the bytes of the archives with what belongs to them."""
        return size_of(os.path.join(self._place, "backups"))

    def _run(self, *arguments: str) -> Command:
        script = os.path.join(PROJECT, "scripts", "backup_restore.py")
        settings = {
            "PINNACLE_BACKUP__DIRECTORY": os.path.join(self._place, "backups"),
            "PINNACLE_BACKUP__STATE_DIRECTORY": os.path.join(self._place, "state"),
            "PINNACLE_BACKUP__DEDUPLICATE": json.dumps(self._deduplicated),
        }
        return Command([sys.executable, script, *arguments], self._root, settings)
