"""Take a backup from a server into a file: there when it is whole, and not before."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from contextlib import suppress
from typing import BinaryIO, Final, Protocol

from pinnacle_backup.errors import ObjectExists, ServerError, StoreError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.queries import ExportReport
from pinnacle_backup.remote.client import API, Client

_DOWNLOAD: Final = re.compile(rf"{API}/downloads/[A-Za-z0-9_-]{{1,100}}")


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


def download(
    client: Client, address: str, backup: BackupInfo, output: str, progress: Progress
) -> ExportReport:
    """
    Write what an address gives into a new file.

    Args:
        client: Asks the server.
        address: As the server named it.
        backup: Which backup it is.
        output: The file; must not exist.
        progress: Told of the bytes.

    Raises:
        UsageError: The file cannot be of that name.
        ObjectExists: It is there already; it was not touched.
        ServerError: The server broke off; nothing was written.
    """
    began = time.monotonic()
    path = _checked(os.path.abspath(output))
    try:
        with tempfile.NamedTemporaryFile(
            dir=os.path.dirname(path), prefix=".pinnacle-", delete=False
        ) as file:
            try:
                stored, sha256 = _take(client, address, file, progress)
                file.flush()
                os.fsync(file.fileno())
                _publish(file.name, path)
            finally:
                os.unlink(file.name)
        _put(f"{path}.sha256", f"{sha256}  {os.path.basename(path)}\n")
    except OSError as error:
        raise StoreError(f"{printable(path)} cannot be written: {error.strerror}") from error
    seconds = time.monotonic() - began
    return ExportReport(backup=backup, path=path, stored=stored, sha256=sha256, seconds=seconds)


def download_to(client: Client, address: str, file: BinaryIO, progress: Progress) -> None:
    """Write what an address gives into a stream; it is only good when this returns."""
    _take(client, address, file, progress)
    file.flush()


def _take(client: Client, address: str, file: _Sink, progress: Progress) -> tuple[int, str]:
    """Return how many bytes there were, and their SHA-256."""
    if not _DOWNLOAD.fullmatch(address):
        raise ServerError(f"{client.url} named an address for the download that is none of its own")
    total, digest = 0, hashlib.sha256()
    progress.phase("download")
    with client.open(address) as answer:
        while chunk := answer.read():
            file.write(chunk)
            digest.update(chunk)
            total += len(chunk)
            progress.advance(nbytes=len(chunk))
    return total, digest.hexdigest()


def _checked(path: str) -> str:
    folder, shown = os.path.dirname(path), printable(path)
    if os.path.isdir(path):
        raise UsageError(f"{shown} is a folder", hint="name a file in it, such as studio.tar.gz")
    if os.path.lexists(path):
        raise ObjectExists(f"{shown} is there already", hint="remove it first, or name another file")
    if not os.path.isdir(folder):
        raise UsageError(f"there is no folder {printable(folder)}", hint="make the folder first")
    return path


def _put(path: str, text: str) -> None:
    """Write the checksum beside the file, as ``sha256sum`` reads it."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _publish(written: str, path: str) -> None:
    """Give a whole file its name, unless another one got it meanwhile."""
    try:
        os.link(written, path)
    except FileExistsError:
        raise ObjectExists(f"{printable(path)} is there already", hint="name another file") from None
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):
        os.fsync(folder)
    os.close(folder)
