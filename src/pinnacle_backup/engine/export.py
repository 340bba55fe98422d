"""Export: any backup as one self-contained plain archive, with as much as possible copied as it is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from pinnacle_backup import __version__
from pinnacle_backup.archive import tar
from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.members import Codec, codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto.content_id import content_id_key
from pinnacle_backup.engine.export_bundles import Bundles, Composed
from pinnacle_backup.engine.export_large import LargeFiles
from pinnacle_backup.engine.grouping import LARGE
from pinnacle_backup.engine.last_headers import LastHeaders
from pinnacle_backup.engine.manifest_order import ManifestOrder
from pinnacle_backup.engine.output import Output
from pinnacle_backup.engine.tar_stream import file_header
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import FULL, BackupHeader, BackupInfo, BackupSummary, ManifestPart
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FILE, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.streams import ByteSink
from pinnacle_backup.repository.archives import Opener
from pinnacle_backup.repository.state import State

_COMPRESSION: Final = "gzip"
_MOST_HELD: Final = 100_000
"""Extents of large files whose lines wait in memory until a bundle before them is written."""


def export(
    info: BackupInfo,
    open_archive: Opener,
    sink: ByteSink,
    *,
    level: int,
    scratch: str,
    randomness: Callable[[int], bytes],
    progress: Progress,
) -> str:
    """
    Write a backup as a full one whose content lies all in its own archive.

    The content of every file is compared with its SHA-256 on the way. Memory does not grow with the backup.

    Args:
        info: The backup.
        open_archive: Opens the archives that it needs.
        sink: Receives the new archive; committed, or aborted where this fails.
        level: Compression level of what cannot be copied.
        scratch: Folder for temporary files.
        randomness: Returns that many random bytes.
        progress: Told of what is being done.

    Returns:
        The SHA-256 of the new archive, in hex.

    Raises:
        DamagedError: An archive is missing, or the content of a file is not what was backed up.
        StoreError: The new archive cannot be written.
    """
    with ExitStack() as stack:
        stack.callback(sink.abort)
        codec = codec_of(_COMPRESSION)
        state = State(info.header.id, open_archive)
        stack.callback(state.close)
        members = ContentReader(open_archive, keep_raw=True)
        stack.callback(members.close)
        header = _header(state.summary.backup, randomness(16).hex())
        output = Output(sink, header, None)
        writer = ArchiveWriter(output, codec, level=level, scratch=scratch)
        stack.callback(writer.close)
        progress.phase("export", total_bytes=info.totals.size or None)
        run = _Run(writer, codec, level, members, header, scratch, progress)
        stack.callback(run.close)
        for entry, archives in state.entries(absent=header.safety):
            run.add(entry, archives)
        run.finish(state.summary)
        progress.phase("check")
        output.commit(writer.sha256)
    return writer.sha256


class _Run:
    """One execution of ``export``: takes entries in path order."""

    def __init__(
        self,
        writer: ArchiveWriter,
        codec: Codec,
        level: int,
        members: ContentReader,
        header: BackupHeader,
        scratch: str,
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._members = members
        self._header = header
        self._progress = progress
        self._order = ManifestOrder(self._write, writer.add_lines, self._orphan)
        self._bundles = Bundles(writer, codec, level, self._order.settle)
        self._large_files = LargeFiles(
            writer,
            codec,
            level,
            members,
            key=content_id_key(bytes.fromhex(header.repository), None),
            scratch=scratch,
            advance=lambda count: progress.advance(nbytes=count),
        )
        self._last = LastHeaders(writer, codec, level, scratch)
        self._first_names: dict[str, Entry] = {}
        self._entries = self._size = self._held = 0

    def add(self, entry: Entry, archives: Sequence[str]) -> None:
        """Take the next entry of the state."""
        place = self._order.reserve()
        if entry.type == ABSENT:
            self._order.settle(place, entry)
            return
        self._entries += 1
        self._size += entry.size
        link = self._first_name(entry)
        if entry.type == FILE and not link:
            self._add_file(place, entry, archives)
        elif entry.type == DIRECTORY:
            self._last.add_folder(entry)
            self._order.settle(place, entry)
        elif link:  # its line gets the content of the first name
            self._last.add_link(entry, link)
            self._order.settle(place, msgspec.structs.replace(entry, sha256="", extents=()))
        else:
            data = tar.header(entry)
            self._bundles.add(Composed(place, entry, data, len(data), 0))
        self._progress.advance(items=1, path=printable(entry.path))

    def finish(self, source: BackupSummary) -> None:
        """Write manifest and summary."""
        self._bundles.finish()
        self._order.finish()
        self._last.finish()
        self._writer.finish(lambda index: self._summary(source, index))

    def close(self) -> None:
        """Give back temporary files."""
        self._last.close()

    def _first_name(self, entry: Entry) -> str:
        """Return the path that came first with this inode; empty where it is this one."""
        if not entry.group or entry.type != FILE:
            return ""
        first = self._first_names.setdefault(entry.group, entry)
        return first.path if first is not entry and first.sha256 == entry.sha256 else ""

    def _add_file(self, place: int, entry: Entry, archives: Sequence[str]) -> None:
        try:
            if _is_large(entry):
                self._add_large(place, entry, archives)
            else:
                self._add_small(place, entry, archives)
        except DamagedError as error:
            hint = "`verify` tells what else is damaged; another backup may hold a sound version"
            raise DamagedError(
                f"{printable(entry.path)}: {error.message}", hint=error.hint or hint
            ) from error

    def _add_large(self, place: int, entry: Entry, archives: Sequence[str]) -> None:
        self._order.settle(place, self._large_files.store(entry, archives))
        self._held += len(entry.extents)
        if self._held > _MOST_HELD:
            self._bundles.finish()
            self._held = 0

    def _add_small(self, place: int, entry: Entry, archives: Sequence[str]) -> None:
        runs = [self._members.locate(extent, archives) for extent in entry.extents]
        content = b"".join(run for _, run in runs)
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise DamagedError("the SHA-256 of its content is not the recorded one")
        header = file_header(entry, len(content))
        data = b"".join((header, content, tar.padding(len(content))))
        composed = Composed(place, entry, data, len(header), len(content))
        if len(runs) == 1:
            self._bundles.add(composed, runs[0][0], entry.extents[0].start)
        else:
            self._bundles.add(composed)
        self._progress.advance(nbytes=entry.size)

    def _write(self, entry: Entry, _: Entry | None) -> None:
        """Receive an entry in path order."""
        self._writer.add(entry)

    def _orphan(self, entry: Entry) -> None:
        raise DamagedError(f"{printable(entry.path)}: its first name is not in the backup")

    def _summary(self, source: BackupSummary, index: tuple[ManifestPart, ...]) -> BackupSummary:
        totals = msgspec.structs.replace(
            source.totals,
            entries=self._entries,
            size=self._size,
            added=self._entries,
            changed=0,
            deleted=0,
            references=(),
        )
        return msgspec.structs.replace(
            source,
            backup=self._header,
            totals=totals,
            tool=f"pinnacle-backup {__version__}",
            archives=(self._header.id,),
            index=index,
        )


def _header(source: BackupHeader, identity: str) -> BackupHeader:
    return msgspec.structs.replace(source, id=identity, type=FULL, base="", compression=_COMPRESSION)


def _is_large(entry: Entry) -> bool:
    """Tell whether the content has members of its own: of large files, databases, and what is cut up."""
    return entry.size > LARGE or entry.pages is not None or any(extent.id for extent in entry.extents)
