"""
The tools that are measured, each as a class with the same verbs: what to run for each, and what it wrote.

Every tool works in the folder above the data, named `data`, with its defaults, and writes below `place`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Protocol

from compare import size_of
from measure import Command

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASSWORD = "correct horse battery staple"


class Tool(Protocol):
    """
    What is measured of every tool.

    Attributes:
        name: As the table shows it.
        nanoseconds: Whether it keeps times to the nanosecond.
    """

    name: str
    nanoseconds: bool

    def setup(self) -> Command | None:
        """Make an empty place to back up to; return what must still be run for that, not measured."""

    def full(self) -> Command:
        """Back everything up."""

    def incremental(self) -> Command:
        """Back up what changed."""

    def restore(self, target: str) -> Command:
        """Restore the full backup below `target`, an empty folder; the data comes to `target/data`."""

    def verify(self) -> Command:
        """Read back and check all that was written."""

    def size(self) -> int:
        """Return the bytes of the backups so far."""


class Pinnacle:
    """This project, from a checkout, as the guide calls it."""

    nanoseconds = True

    def __init__(self, root: str, place: str, *, encrypted: bool = False) -> None:
        self.name = "Pinnacle, encrypted" if encrypted else "Pinnacle"
        self._root = root
        self._place = place
        self._archive = "full.tar.gz.enc" if encrypted else "full.tar.gz"
        self._password = ["--password-file", os.path.join(place, "password")] if encrypted else []

    def setup(self) -> None:
        """Write the password, and the configuration with its defaults where it is not about places."""
        _empty(self._place)
        _write(os.path.join(self._place, "password"), PASSWORD)
        config = {"backup": {"paths": ["data/"], "databases": ["data/*.db"]}}
        _write(os.path.join(self._root, "config.json"), json.dumps(config))

    def full(self) -> Command:
        """Make a full backup."""
        return self._run("create", "--type", "full", "--name", "full", *self._password)

    def incremental(self) -> Command:
        """Make an incremental backup."""
        return self._run("create", "--type", "incremental", *self._password)

    def restore(self, target: str) -> Command:
        """Restore the full backup."""
        return self._run("restore", self._archive, "--target", target, "--yes", *self._password)

    def verify(self) -> Command:
        """Read every byte back, and check every file's SHA-256."""
        return self._run("verify", self._archive, *self._password)

    def size(self) -> int:
        """Return the bytes of the archives with what belongs to them."""
        return size_of(os.path.join(self._place, "backups"))

    def _run(self, *arguments: str) -> Command:
        script = os.path.join(PROJECT, "scripts", "backup_restore.py")
        places = {
            "PINNACLE_BACKUP__DIRECTORY": os.path.join(self._place, "backups"),
            "PINNACLE_BACKUP__STATE_DIRECTORY": os.path.join(self._place, "state"),
        }
        return Command([sys.executable, script, *arguments], self._root, places)


class Restic:
    """restic with its defaults; it always encrypts."""

    name = "restic"
    nanoseconds = True

    def __init__(self, root: str, place: str) -> None:
        self._root = root
        self._place = place

    def setup(self) -> Command:
        """Make an empty repository."""
        _empty(self._place)
        return self._run("init")

    def full(self) -> Command:
        """Make the first backup."""
        return self._run("backup", "data")

    def incremental(self) -> Command:
        """Make a further backup; restic finds the one before by itself."""
        return self._run("backup", "data")

    def restore(self, target: str) -> Command:
        """Restore the last backup."""
        return self._run("restore", "latest", "--target", target)

    def verify(self) -> Command:
        """Read every byte back."""
        return self._run("check", "--read-data")

    def size(self) -> int:
        """Return the bytes of the repository."""
        return size_of(os.path.join(self._place, "repository"))

    def _run(self, *arguments: str) -> Command:
        variables = {
            "RESTIC_REPOSITORY": os.path.join(self._place, "repository"),
            "RESTIC_CACHE_DIR": os.path.join(self._place, "cache"),
            "RESTIC_PASSWORD": PASSWORD,
        }
        return Command(["restic", "--quiet", *arguments], self._root, variables)


class Tar:
    """GNU tar with pigz; not encrypted, times in whole seconds, no checksum but CRC-32 of the whole."""

    name = "tar + pigz"
    nanoseconds = False

    def __init__(self, root: str, place: str) -> None:
        self._root = root
        self._place = place

    def setup(self) -> None:
        """Make an empty folder."""
        _empty(self._place)

    def full(self) -> Command:
        """Make a full archive, and the list that the next one is compared with."""
        return self._run("--create", "--file", self._path("full.tar.gz"), *self._since(), "data")

    def incremental(self) -> Command:
        """Make an archive of what is newer than the list."""
        return self._run("--create", "--file", self._path("incremental.tar.gz"), *self._since(), "data")

    def restore(self, target: str) -> Command:
        """Extract the full archive."""
        return self._run("--extract", "--file", self._path("full.tar.gz"), "--directory", target)

    def verify(self) -> Command:
        """Decompress and check the CRC-32."""
        return Command(["pigz", "--test", self._path("full.tar.gz")], self._root)

    def size(self) -> int:
        """Return the bytes of the archives."""
        return sum(
            os.path.getsize(os.path.join(self._place, name))
            for name in os.listdir(self._place)
            if name.endswith(".gz")
        )

    def _since(self) -> list[str]:
        return ["--listed-incremental", self._path("list")]

    def _path(self, name: str) -> str:
        return os.path.join(self._place, name)

    def _run(self, *arguments: str) -> Command:
        return Command(["tar", "--use-compress-program", "pigz", *arguments], self._root)


def all_tools(root: str, place: str) -> dict[str, Tool]:
    """Return the tools by the name that `--tools` takes."""
    return {
        "plain": Pinnacle(root, os.path.join(place, "plain")),
        "encrypted": Pinnacle(root, os.path.join(place, "encrypted"), encrypted=True),
        "restic": Restic(root, os.path.join(place, "restic")),
        "tar": Tar(root, os.path.join(place, "tar")),
    }


def _empty(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
