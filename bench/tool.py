"""What is measured of every tool: the same verbs for all, each returning the command to run."""

from __future__ import annotations

import os
import shutil
from typing import Protocol

from measure import Command

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASSWORD = "correct horse battery staple"
FULL, INCREMENTAL = "full", "incremental"


class Tool(Protocol):
    """
    A tool that works in the folder above the data, named `data`.

    Attributes:
        name: As tables and charts show it.
        needs: Programs without which it is left out.
        nanoseconds: Whether it keeps times to the nanosecond.
        folders: Whether it keeps modes and times of folders.
    """

    name: str
    needs: tuple[str, ...]
    nanoseconds: bool
    folders: bool

    def setup(self) -> Command | None:
        """Make an empty place to back up to; return what must still be run for that, not measured."""

    def full(self, label: str = FULL) -> Command:
        """Back everything up; `label` begins with `full`."""

    def incremental(self, label: str = INCREMENTAL) -> Command:
        """Back up what changed; `label` begins with `incremental`."""

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:
        """
        Restore below `target`, an empty folder.

        Args:
            target: The data comes to `target/data`.
            part: Only this file or folder below the data.
            label: Of the newest full backup.
        """

    def verify(self) -> Command:
        """Read back and check all that was written."""

    def thin(self) -> Command:
        """Let the full backups stay, and delete the incremental ones."""

    def keep_newest(self) -> Command:
        """Delete all but the newest full backup, and what it does not need."""

    def listing(self) -> Command:
        """Show which backups there are."""

    def help(self) -> Command:
        """Show how the program is called."""

    def size(self) -> int:
        """Return the bytes of the backups so far."""


def left_out(tools: dict[str, Tool]) -> dict[str, str]:
    """Return the program that is missing, by the name of the tool that needs it."""
    missing = {
        name: [need for need in tool.needs if shutil.which(need) is None] for name, tool in tools.items()
    }
    return {name: needs[0] for name, needs in missing.items() if needs}


def empty(folder: str) -> None:
    """Make a folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def write_text(path: str, text: str) -> None:
    """Write a small file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def in_shell(commands: str, cwd: str, environment: dict[str, str]) -> Command:
    """Return one command of several, that stops at the first that fails."""
    return Command(["sh", "-e", "-c", commands], cwd, environment)
