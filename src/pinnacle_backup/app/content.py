"""Content out of a backup for one who looks around: a file, a folder as a tar stream, a preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from pinnacle_backup.app.browse import entry_at
from pinnacle_backup.app.opening import Opened
from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.engine.extract import content, folder_as_tar
from pinnacle_backup.errors import BackupNotFound, UsageError
from pinnacle_backup.model.entry import DIRECTORY, FILE, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.state import State

TEXT_LIMIT: Final = 256 * 1024
IMAGE_LIMIT: Final = 32 * 1024 * 1024
_FIRST: Final = 16
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}
TEXT: Final = "text/plain"

Chunks = Iterator[bytes]


@dataclass(frozen=True)
class Download:
    """
    Something to download.

    Attributes:
        entry: The file or the folder.
        chunks: Its bytes; the first ones were read already, so that what is damaged is known early.
        size: How many; None where that is not known beforehand.
    """

    entry: Entry
    chunks: Chunks
    size: int | None = None


@dataclass(frozen=True)
class Preview:
    """
    What can be shown of a file.

    Attributes:
        kind: ``text/plain``, the type of an image, or empty where nothing can be shown.
        text: Of a text, up to its limit.
        cut: Whether there is more of it.
    """

    kind: str = ""
    text: str = ""
    cut: bool = False


def download(opened: Opened, path: str) -> Download:
    """
    Return a file, or a folder as a tar stream.

    Raises:
        BackupNotFound: There is no such path in the backup.
        UsageError: It is neither a file nor a folder.
        DamagedError: Its first bytes are damaged. Later ones end the stream early.
    """
    entry = entry_at(opened, path)
    if entry.type == DIRECTORY:
        return Download(entry, _begun(_reading(opened, lambda state, m: folder_as_tar(state, entry.path, m))))
    if entry.type != FILE:
        raise UsageError(
            f"{printable(entry.path)} is a {entry.type} and has no content", hint="download its folder"
        )
    return Download(entry, _begun(_file(opened, entry)), entry.size)


def preview(opened: Opened, entry: Entry) -> Preview:
    """Return what can be shown of a file: by what it begins with, never by its name."""
    if entry.type != FILE or not entry.size:
        return Preview(kind=TEXT if entry.type == FILE else "")
    start = first_bytes(opened, entry, TEXT_LIMIT)
    kind = image_type(start)
    if kind:
        return Preview(kind=kind if entry.size <= IMAGE_LIMIT else "")
    text = _as_text(start)
    return Preview() if text is None else Preview(TEXT, text, cut=entry.size > TEXT_LIMIT)


def image(opened: Opened, path: str) -> tuple[str, Download]:
    """
    Return an image and its type.

    Raises:
        UsageError: It is none, or none that is shown.
    """
    entry = entry_at(opened, path)
    kind = image_type(first_bytes(opened, entry, _FIRST)) if entry.type == FILE else ""
    if not kind or entry.size > IMAGE_LIMIT:
        raise UsageError(f"{printable(entry.path)} is no image that can be shown", hint="download it")
    return kind, download(opened, path)


def image_type(start: bytes) -> str:
    """Return the type of an image that browsers show safely, by its first bytes; empty for all else."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if start[:4] == b"RIFF" and start[8:12] == b"WEBP" else ""


def first_bytes(opened: Opened, entry: Entry, count: int) -> bytes:
    """Return what a file begins with."""
    found = b""
    for chunk in _file(opened, entry):
        found += chunk[: count - len(found)]
        if len(found) >= count:
            break
    return found


def _as_text(start: bytes) -> str | None:
    """Return the bytes as text; None where they are none."""
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else a character was cut in two
            return None
        text = start[: error.start].decode("utf-8")
    return None if _CONTROLS & set(start) else text


def _file(opened: Opened, entry: Entry) -> Chunks:
    return _reading(opened, lambda state, members: _content(state, entry, members))


def _content(state: State, entry: Entry, members: ContentReader) -> Chunks:
    found = state.find(entry.path)
    if found is None:
        raise BackupNotFound(f"{printable(entry.path)} is not in the backup")
    return content(*found, members)


def _reading(opened: Opened, read: Callable[[State, ContentReader], Chunks]) -> Chunks:
    """Yield what is read, with the archives open as long as somebody takes it."""
    state = opened.state()
    members = ContentReader(opened.opener)
    try:
        yield from read(state, members)
    finally:
        members.close()
        state.close()


def _begun(chunks: Chunks) -> Chunks:
    """Return the same bytes, the first of them read already: errors are better had early."""
    return chain(list(islice(chunks, 1)), chunks)
