"""Export a backup to a file of the user's choice."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from typing import BinaryIO

from pinnacle_backup.app.opening import open_backup
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.recording import recording
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine.export import export
from pinnacle_backup.errors import ObjectExists, OutputClosed, RepositoryBusy, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.queries import ExportReport
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.repository.companions import write_sidecar
from pinnacle_backup.store.local import LocalStore

_OTHER_KINDS = (".enc", ".zst")


def export_backup(
    studio: Studio, name: str, output: str, *, passwords: PasswordSource, progress: Progress
) -> ExportReport:
    """
    Write a backup as one plain archive that any tar opens, its checksum beside it.

    Args:
        studio: Whose backup.
        name: Which one: name, id, ``latest``, or the path of an archive file anywhere.
        output: The file to write. It appears when it is whole, and not before.
        passwords: For encrypted archives.
        progress: Told of what is being done.

    Raises:
        BackupNotFound: There is no such backup.
        UsageError: The file cannot be of that name.
        ObjectExists: The file is there already; it was not touched.
        PasswordError: A password is missing or wrong.
        DamagedError: A file's content is not what was backed up; nothing was written.
    """
    began = time.monotonic()
    path = _checked(studio, os.path.abspath(output))
    store, file = LocalStore(os.path.dirname(path)), os.path.basename(path)
    with recording(studio, "export", f"{printable(name)} to {printable(path)}") as run:
        progress = run.follow(progress)
        opened = open_backup(studio, name, passwords)
        with (
            studio.repository.reader("export", wait_seconds=WAIT_SECONDS),
            scratch_folder(studio.state_directory) as scratch,
            _alone(store.directory),
        ):
            sha256 = export(
                opened.info,
                opened.opener,
                store.create(file),
                level=_level(studio),
                scratch=scratch,
                randomness=studio.randomness,
                progress=progress,
            )
            write_sidecar(store, file, sha256)
        stored, seconds = store.stat(file).size, time.monotonic() - began
        run.note(f"wrote {printable(path)}: {stored} bytes, {seconds:.1f} s, sha256 {sha256}")
    return ExportReport(backup=opened.info, path=path, stored=stored, sha256=sha256, seconds=seconds)


def export_to(
    studio: Studio, name: str, file: BinaryIO, *, passwords: PasswordSource, progress: Progress
) -> None:
    """
    Write a backup as one plain archive into a stream: a pipe, a terminal's redirection.

    What was written is only good when this returns: nothing can be taken back.

    Args:
        studio: Whose backup.
        name: See ``export_backup``.
        file: Receives it.
        passwords: For encrypted archives.
        progress: Told of what is being done.

    Raises:
        BackupNotFound, PasswordError, DamagedError: As ``export_backup``.
    """
    with recording(studio, "export", printable(name)) as run:
        progress = run.follow(progress)
        opened = open_backup(studio, name, passwords)
        with (
            studio.repository.reader("export", wait_seconds=WAIT_SECONDS),
            scratch_folder(studio.state_directory) as scratch,
        ):
            sha256 = export(
                opened.info,
                opened.opener,
                _Stream(file),
                level=_level(studio),
                scratch=scratch,
                randomness=studio.randomness,
                progress=progress,
            )
        run.note(f"gave out {printable(opened.info.name)} as a plain archive, sha256 {sha256}")


class _Stream:
    """A stream as a sink."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: Buffer) -> None:
        with _reader():
            self._file.write(data)

    def check(self, sha256: str) -> None:
        """Nothing can be read back from a stream."""

    def commit(self) -> None:
        with _reader():
            self._file.flush()

    def abort(self) -> None:
        """Nothing can be taken back."""


@contextlib.contextmanager
def _reader() -> Iterator[None]:
    """Tell a reader that has gone from all other broken pipes, which are faults."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed(*error.args) from None


def _checked(studio: Studio, path: str) -> str:
    """Return the path where an export can go to it."""
    folder, shown = os.path.dirname(path), printable(path)
    if os.path.isdir(path):
        raise UsageError(f"{shown} is a folder", hint="name a file in it, such as studio.tar.gz")
    if os.path.lexists(path):
        raise ObjectExists(f"{shown} is there already", hint="remove it first, or name another file")
    if not os.path.isdir(folder):
        raise UsageError(
            f"there is no folder {printable(folder)}", hint="is the disk mounted? Make the folder first"
        )
    if path.endswith(_OTHER_KINDS):
        raise UsageError(f"{shown}: an export is always a plain .tar.gz", hint="name it so")
    if os.path.realpath(folder) == os.path.realpath(studio.directory):
        raise UsageError(f"{shown} would lie among the backups", hint="name a file elsewhere")
    return path


def _level(studio: Studio) -> int:
    """Return the level for gzip: the configuration's may be one for zstd."""
    settings = studio.configuration.backup
    return settings.compression_level if settings.compression == "gzip" else 1


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    """
    Keep other exports out of a folder: one to the same file would take the unfinished one for a dead run's.

    Raises:
        RepositoryBusy: There is one.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # network file systems may not lock folders
            _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RepositoryBusy(
            f"another export writes into {printable(folder)}", hint="wait until it has ended"
        ) from None
