"""What a place for backups can do: keep bytes by name. Nothing here knows what a backup is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol

import msgspec

from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import ByteSink, ByteSource

PARTIAL: Final = ".partial"
"""Ends the name of an object that is still being written. No object has such a name."""

NAME_BYTES: Final = 240
"""Longest name: with ``.partial`` it still fits into the 255 bytes of a directory entry."""

NOTE_BYTES: Final = 16 << 20
"""Longest note, enough for 100,000 archives: whoever can write to a bucket can write anything."""


class StoredObject(msgspec.Struct, frozen=True, gc=False):
    """
    An object as the store lists it.

    Attributes:
        name: Its name.
        size: Bytes.
        modified_ns: When it last changed, ns since 1970; another value means other bytes.
    """

    name: str
    size: int
    modified_ns: int


class Store(Protocol):
    """
    Bytes by name. Objects appear whole or not at all, and no name is overwritten unless asked.

    Stores are picklable: worker processes open objects by them.
    """

    @property
    def reads_at_once(self) -> int:
        """How many objects are best opened at the same time: one answers late, but many do so at once."""

    @property
    def address(self) -> str:
        """The place for people: the path of a folder, or ``s3://bucket/prefix``."""

    def list(self) -> Iterator[StoredObject]:
        """
        List all objects, in no order: every one of them, or an exception.

        Raises:
            ObjectNotFound: The folder itself is missing. It may be new, or a disk that is not mounted.
            StoreError: There is no such bucket, or the listing would not be complete.
        """

    def open(self, name: str) -> ByteSource:
        """
        Open an object for reading at any place.

        Raises:
            ObjectNotFound: No such object.
        """

    def create(self, name: str, *, size: int = 0) -> ByteSink:
        """
        Begin a new object. The caller holds the writer lock: what a dead run left of it is replaced.

        Args:
            name: Its name.
            size: How large it will be, as far as that is known; 0 where it is not. Object storage makes parts
                to measure, and keeps those of a run that broke off for one that comes with the same bytes.

        Raises:
            ObjectExists: The name is taken.
        """

    def put(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """
        Store a small object at once. Unless it is empty, the caller holds the writer lock.

        Raises:
            ObjectExists: The name is taken, and ``replace`` is false.
        """

    def patch(self, name: str, offset: int, data: bytes) -> None:
        """
        Overwrite bytes inside an object, durably; its length stays. Only for key slots.

        Raises:
            UsageError: This kind of store cannot, or the bytes would not lie inside.
        """

    def delete(self, name: str) -> None:
        """
        Remove an object, durably.

        Raises:
            ObjectNotFound: No such object.
        """

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""

    def stat(self, name: str) -> StoredObject:
        """
        Return what the list says of one object.

        Raises:
            ObjectNotFound: No such object.
        """

    def protected_until(self, name: str) -> datetime | None:
        """
        Return until when the store refuses to delete an object; None where it does not.

        Raises:
            ObjectNotFound: No such object.
        """

    def sweep(self, belongs: Callable[[str], bool]) -> tuple[str, ...]:
        """
        Remove unfinished objects and return their names. The caller holds the writer lock.

        Args:
            belongs: Tells by the name whether an unfinished object is one of ours.
        """

    def read_note(self) -> bytes:
        """
        Return the note that was left in the store; empty where there is none of at most ``NOTE_BYTES``.

        Raises:
            StoreError: It cannot be read.
        """

    def write_note(self, data: bytes) -> None:
        """
        Leave a note in place of the one before; it is no object, and the list does not have it.

        Raises:
            StoreError: It cannot be left.
        """

    def drop_cache(self, name: str) -> None:
        """Have the next reads of an object come from the medium, as far as that can be had."""

    def free_bytes(self) -> int | None:
        """Return how many more bytes fit in, or None where there is no limit."""

    def lock(
        self, name: str, *, shared: bool, wait_seconds: float, owner: str
    ) -> AbstractContextManager[None]:
        """
        Hold a lock of the store; it ends with the process at the latest.

        Args:
            name: Which lock.
            shared: Whether others may hold it too, as long as they share it.
            wait_seconds: How long to wait for others.
            owner: The command, for the message to those who have to wait.

        Raises:
            RepositoryBusy: Others still held it at the end of the wait.
        """


def check_name(name: str) -> str:
    """
    Return the name if an object can have it.

    Raises:
        UsageError: It is empty, hidden, too long, reserved, or names something outside the store.
    """
    reason = _objection(name)
    if reason:
        raise UsageError(f"{printable(name)[:300]!r} cannot be the name of an object: {reason}")
    return name


def _objection(name: str) -> str:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if not name:
        return "it is empty"
    if "/" in name or not name.isprintable():
        return "it has a slash or a character that cannot be printed"
    if name.startswith("."):
        return "it begins with a dot"
    if name.endswith(PARTIAL):
        return f"{PARTIAL} marks unfinished objects"
    return f"it is longer than {NAME_BYTES} bytes" if length > NAME_BYTES else ""
