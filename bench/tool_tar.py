"""GNU tar with a parallel compressor; not encrypted, times in whole seconds, only a checksum of the whole."""

from __future__ import annotations

import os

from measure import Command
from tool import FULL, INCREMENTAL, empty, in_shell


class Tar:
    """
    Archives in a folder.

    Args:
        root: The folder with `data`.
        place: Where it may write.
        compressor: `pigz` or `zstd`.
    """

    nanoseconds = False
    folders = True

    def __init__(self, root: str, place: str, compressor: str = "pigz") -> None:
        self.name = f"tar + {compressor}"
        self.needs: tuple[str, ...] = ("tar", compressor)
        self._root, self._place = root, place
        self._program = {"pigz": "pigz", "zstd": "zstd -T0"}[compressor]
        self._ending = {"pigz": ".tar.gz", "zstd": ".tar.zst"}[compressor]

    def setup(self) -> None:
        """Make an empty folder."""
        empty(self._place)

    def full(self, label: str = FULL) -> Command:
        """Make a full archive, and the list that the next one is compared with."""
        if os.path.exists(self._list):
            os.unlink(self._list)
        return self._create(label)

    def incremental(self, label: str = INCREMENTAL) -> Command:
        """Make an archive of what is newer than the list."""
        return self._create(label)

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:
        """Extract a full archive, or a part of it."""
        words = ("--extract", "--file", self._path(label), "--directory", target)
        return self._run(*words, *([f"data/{part}"] if part else []))

    def verify(self) -> Command:
        """Decompress and check the checksum of the whole."""
        return Command([*self._program.split(), "--test", self._path(FULL)], self._root)

    def thin(self) -> Command:
        """Delete the incremental archives."""
        return in_shell(f"rm -f -- {INCREMENTAL}*{self._ending}", self._place, {})

    def keep_newest(self) -> Command:
        """Delete all archives but the newest."""
        return in_shell(f"ls -t -- *{self._ending} | tail -n +2 | xargs -r rm -f --", self._place, {})

    def listing(self) -> Command:
        """List the archives."""
        return Command(["ls", "-l", self._place], self._root)

    def help(self) -> Command:
        """Print the help."""
        return Command(["tar", "--help"], self._root)

    def size(self) -> int:
        """Return the bytes of the archives."""
        names = [name for name in os.listdir(self._place) if name.endswith(self._ending)]
        return sum(os.path.getsize(os.path.join(self._place, name)) for name in names)

    @property
    def _list(self) -> str:
        return os.path.join(self._place, "list")

    def _path(self, label: str) -> str:
        return os.path.join(self._place, label + self._ending)

    def _create(self, label: str) -> Command:
        words = ("--create", "--file", self._path(label), "--listed-incremental", self._list)
        return self._run(*words, "data")

    def _run(self, *arguments: str) -> Command:
        return Command(["tar", "--use-compress-program", self._program, *arguments], self._root)
