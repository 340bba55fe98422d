"""restic with its defaults; it always encrypts and deduplicates."""

from __future__ import annotations

import os

from compare import size_of
from measure import Command
from tool import FULL, INCREMENTAL, PASSWORD, empty


class Restic:
    """
    A restic repository in a folder.

    Args:
        root: The folder with `data`.
        place: Where it may write.
    """

    name = "restic"
    needs: tuple[str, ...] = ("restic",)
    nanoseconds = True
    folders = True

    def __init__(self, root: str, place: str) -> None:
        self._root, self._place = root, place

    def setup(self) -> Command:
        """Make an empty repository."""
        empty(self._place)
        return self._run("init")

    def full(self, label: str = FULL) -> Command:
        """Make the first backup; restic calls them all alike, so tell them apart by a tag."""
        return self._run("backup", "--tag", label.partition("-")[0], "data")

    def incremental(self, label: str = INCREMENTAL) -> Command:
        """Make a further backup; restic finds the one before by itself."""
        return self.full(label)

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:  # noqa: ARG002 - the last one
        """Restore the last backup, or a part of it."""
        only = ["--include", f"/data/{part}"] if part else []
        return self._run("restore", "latest", "--target", target, *only)

    def verify(self) -> Command:
        """Read every byte back."""
        return self._run("check", "--read-data")

    def thin(self) -> Command:
        """Forget what has not the tag of full backups, and repack."""
        return self._run("forget", "--keep-tag", FULL, "--prune")

    def keep_newest(self) -> Command:
        """Forget all but the last, and repack."""
        return self._run("forget", "--keep-last", "1", "--group-by", "", "--prune")

    def listing(self) -> Command:
        """List the backups."""
        return self._run("snapshots")

    def help(self) -> Command:
        """Print the help."""
        return self._run("help")

    def size(self) -> int:
        """Return the bytes of the repository."""
        return size_of(os.path.join(self._place, "repository"))

    def _run(self, *arguments: str) -> Command:
        return Command(["restic", "--quiet", *arguments], self._root, self._variables())

    def _variables(self) -> dict[str, str]:
        return {
            "RESTIC_REPOSITORY": os.path.join(self._place, "repository"),
            "RESTIC_CACHE_DIR": os.path.join(self._place, "cache"),
            "RESTIC_PASSWORD": PASSWORD,
        }
