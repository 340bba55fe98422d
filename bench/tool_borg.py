"""Borg, encrypted, with zstd: its default, lz4, is quicker and stores much more."""

from __future__ import annotations

import os

from compare import size_of
from measure import Command
from tool import FULL, INCREMENTAL, PASSWORD, empty, in_shell


class Borg:
    """
    A Borg repository in a folder.

    Args:
        root: The folder with `data`.
        place: Where it may write.
    """

    name = "Borg"
    needs: tuple[str, ...] = ("borg",)
    nanoseconds = True
    folders = True

    def __init__(self, root: str, place: str) -> None:
        self._root, self._place = root, place

    def setup(self) -> Command:
        """Make an empty repository."""
        empty(self._place)
        return self._run("init", "--encryption", "repokey")

    def full(self, label: str = FULL) -> Command:
        """Make an archive."""
        return self._run("create", "--compression", "zstd", f"::{label}", "data")

    def incremental(self, label: str = INCREMENTAL) -> Command:
        """Make a further archive; Borg knows from its cache what changed."""
        return self.full(label)

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:
        """Extract an archive, or a part of it; Borg does so into the current folder."""
        paths = [f"data/{part}"] if part else []
        return Command(["borg", "extract", f"::{label}", *paths], target, self._variables())

    def verify(self) -> Command:
        """Read every byte back."""
        return self._run("check", "--verify-data")

    def thin(self) -> Command:
        """Delete the archives called incremental, and compact."""
        return self._both(f"borg delete --glob-archives '{INCREMENTAL}*'")

    def keep_newest(self) -> Command:
        """Delete all archives but the last, and compact."""
        return self._both("borg prune --keep-last 1")

    def listing(self) -> Command:
        """List the archives."""
        return self._run("list")

    def help(self) -> Command:
        """Print the help."""
        return self._run("help")

    def size(self) -> int:
        """Return the bytes of the repository."""
        return size_of(os.path.join(self._place, "repository"))

    def _both(self, command: str) -> Command:
        return in_shell(f"{command}; borg compact", self._root, self._variables())

    def _run(self, *arguments: str) -> Command:
        return Command(["borg", *arguments], self._root, self._variables())

    def _variables(self) -> dict[str, str]:
        return {
            "BORG_REPO": os.path.join(self._place, "repository"),
            "BORG_BASE_DIR": os.path.join(self._place, "home"),
            "BORG_PASSPHRASE": PASSWORD,
        }
