"""duplicity with its defaults: volumes of tar, gzip and GnuPG, incremental ones by librsync."""

from __future__ import annotations

import os

from compare import size_of
from measure import Command
from tool import FULL, INCREMENTAL, PASSWORD, empty


class Duplicity:
    """
    duplicity's volumes in a folder.

    Args:
        root: The folder with `data`.
        place: Where it may write.
    """

    name = "duplicity"
    needs: tuple[str, ...] = ("duplicity", "gpg")
    nanoseconds = False
    folders = True

    def __init__(self, root: str, place: str) -> None:
        self._root, self._place = root, place

    def setup(self) -> None:
        """Make an empty folder, and one for keys that stays empty."""
        empty(self._place)
        os.makedirs(os.path.join(self._place, "volumes"))
        os.makedirs(os.path.join(self._place, "keys"), mode=0o700)

    def full(self, label: str = FULL) -> Command:  # noqa: ARG002 - it has no names
        """Make a full backup."""
        return self._run("full", "data", self._url)

    def incremental(self, label: str = INCREMENTAL) -> Command:  # noqa: ARG002 - it has no names
        """Make an incremental backup."""
        return self._run("incremental", "data", self._url)

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:  # noqa: ARG002 - the last one
        """Restore the last backup, or a part of it."""
        whole = os.path.join(target, "data", part).rstrip("/")
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        return self._run("restore", *(["--path-to-restore", part] if part else []), self._url, whole)

    def verify(self) -> Command:
        """Read every byte back, and check every file's checksum."""
        return self._run("verify", self._url, "data")

    def thin(self) -> Command:
        """Delete the incremental ones but those of the newest full backup, which has none."""
        return self._run("remove-all-inc-of-but-n-full", "1", "--force", self._url)

    def keep_newest(self) -> Command:
        """Delete all but the last full backup."""
        return self._run("remove-all-but-n-full", "1", "--force", self._url)

    def listing(self) -> Command:
        """List the backups."""
        return self._run("collection-status", self._url)

    def help(self) -> Command:
        """Print the help."""
        return self._run("--help")

    def size(self) -> int:
        """Return the bytes of the volumes."""
        return size_of(os.path.join(self._place, "volumes"))

    @property
    def _url(self) -> str:
        return "file://" + os.path.join(os.path.abspath(self._place), "volumes")

    def _run(self, *arguments: str) -> Command:
        own = ["--archive-dir", os.path.join(os.path.abspath(self._place), "cache")]
        variables = {"PASSPHRASE": PASSWORD, "GNUPGHOME": os.path.join(os.path.abspath(self._place), "keys")}
        options = [] if "--help" in arguments else own
        return Command(["duplicity", *arguments, *options], self._root, variables)
