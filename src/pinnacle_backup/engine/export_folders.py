"""
Folders of an export, once more at its end.

Large files do not stand among their small neighbours: tar comes back to folders that it had done with, and
they get the time of the extraction. Their headers at the end set them right.
"""

from __future__ import annotations

import tempfile
from typing import IO, Final

from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter

_MEMBER: Final = 1 << 20


class Folders:
    """
    Gathers headers in a temporary file.

    Args:
        writer: Of the new archive.
        codec, level: How members are made.
        scratch: Folder for the file, if it becomes large.
    """

    def __init__(self, writer: ArchiveWriter, codec: Codec, level: int, scratch: str) -> None:
        self._writer = writer
        self._codec = codec
        self._level = level
        self._headers: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMBER, dir=scratch)  # noqa: SIM115

    def add(self, header: bytes) -> None:
        """Take the header of a folder."""
        self._headers.write(header)

    def finish(self) -> None:
        """Write all headers into the archive."""
        self._headers.seek(0)
        while part := self._headers.read(_MEMBER):
            self._writer.append(self._codec.compress(part, self._level))

    def close(self) -> None:
        """Give back the file."""
        self._headers.close()
