"""
Tar headers that stand behind all content: later names of files, then folders.

Large files do not stand among their small neighbours, so tar comes back to folders: had it made them before,
they would have the time of the extraction, and read-only ones would refuse their files. A later name needs
the file that it names.
"""

from __future__ import annotations

import tempfile
from typing import IO, Final

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.model.entry import Entry

_MEMBER: Final = 1 << 20


class LastHeaders:
    """
    Gathers headers in temporary files.

    Args:
        writer: Of the archive.
        codec, level: How members are made.
        scratch: Folder for the files, if they become large.
    """

    def __init__(self, writer: ArchiveWriter, codec: Codec, level: int, scratch: str) -> None:
        self._writer = writer
        self._codec = codec
        self._level = level
        self._links: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMBER, dir=scratch)  # noqa: SIM115
        self._folders: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMBER, dir=scratch)  # noqa: SIM115

    def add_link(self, entry: Entry, first: str) -> None:
        """Take a later name of the file that is called ``first`` in the archive."""
        self._links.write(tar.header(entry, link=first))

    def add_folder(self, entry: Entry) -> None:
        """Take a folder."""
        self._folders.write(tar.header(entry))

    def add_folders(self, headers: bytes) -> None:
        """Take the headers of folders."""
        self._folders.write(headers)

    def finish(self) -> None:
        """Write all headers into the archive."""
        for headers in (self._links, self._folders):
            headers.seek(0)
            while part := headers.read(_MEMBER):
                self._writer.append(self._codec.compress(part, self._level))

    def close(self) -> None:
        """Give back the files."""
        self._links.close()
        self._folders.close()
