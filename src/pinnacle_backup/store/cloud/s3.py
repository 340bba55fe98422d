"""Backups in a bucket of S3, or of a server that speaks like it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

from botocore.exceptions import ClientError

from pinnacle_backup.errors import ObjectNotFound, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import ByteSink, ByteSource
from pinnacle_backup.store.base import NOTE_BYTES, PARTIAL, StoredObject, check_name
from pinnacle_backup.store.cloud.connection import SMALL_READS, connection_to
from pinnacle_backup.store.cloud.failures import failures, status_of
from pinnacle_backup.store.cloud.lease import Lease
from pinnacle_backup.store.cloud.listing import described, listed
from pinnacle_backup.store.cloud.messages import taken
from pinnacle_backup.store.cloud.objects import Objects
from pinnacle_backup.store.cloud.patching import patch
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.ranges import fetch, fetch_end, fetch_ends
from pinnacle_backup.store.cloud.reading import BufferedSource
from pinnacle_backup.store.cloud.s3_leases import S3Leases
from pinnacle_backup.store.cloud.unfinished import abort_upload, unfinished
from pinnacle_backup.store.cloud.upload import Upload

NOTE = ".note"
"""The name of the note; what begins with a dot is not listed."""


class S3Store:
    """
    A bucket, or the part of it below a prefix. See ``store.base.Store`` for what each method promises.

    Args:
        place: Where.
    """

    def __init__(self, place: CloudPlace) -> None:
        self.place = place
        self._objects = Objects(place)
        self._sizes: dict[str, int] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """Leave leases and connections with the process that has them."""
        return (S3Store, (self.place,))

    @property
    def reads_at_once(self) -> int:
        """As many as there are connections for."""
        return SMALL_READS

    @property
    def address(self) -> str:
        """The place for people."""
        return self.place.address

    def list(self) -> Iterator[StoredObject]:
        """List the objects but hidden ones; objects below a further slash belong to somebody else."""
        sizes = {}
        for stored in listed(connection_to(self.place)):
            sizes[stored.name] = stored.size
            yield stored
        self._sizes = sizes

    def open(self, name: str) -> ByteSource:
        """Open an object; should it change while it is read, that is an error."""
        ends = fetch_ends(connection_to(self.place), check_name(name), self._sizes.get(name, 0))
        return BufferedSource(
            f"{self.address}/{name}",
            ends.size,
            partial(_fetch, self.place, name, ends.etag),
            partial(_pool, self.place),
            self.place.connections,
            beginning=ends.first,
            end=ends.last,
        )

    def create(self, name: str, *, size: int = 0) -> ByteSink:
        """Begin an upload, or take up one that was left."""
        if self.exists(check_name(name), unless_forbidden=True):
            raise taken(self.place, "create", name)
        return Upload(self._objects, name, size)

    def put(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """Store a small object in one request; an empty one is a mark that can be taken away again."""
        self._objects.expect_leases()
        self._objects.put(check_name(name), data, replace=replace, protect=bool(data))

    def patch(self, name: str, offset: int, data: bytes) -> None:
        """Store the object anew, with other bytes in its beginning; the server copies the rest."""
        self._objects.expect_leases()
        patch(self._objects, check_name(name), offset, data)

    def delete(self, name: str) -> None:
        """Remove an object, unless it is protected."""
        self._objects.expect_leases()
        until = self.protected_until(name)
        if until is not None:
            address = printable(f"{self.address}/{name}")
            raise StoreError(
                f"cannot delete {address}: it is protected until {until:%F %T %Z}",
                hint="cleanup removes it after that time",
            )
        with failures(self.place, "delete", name):
            self._objects.delete(name)

    def exists(self, name: str, *, unless_forbidden: bool = False) -> bool:
        """
        Tell whether there is such an object.

        Args:
            name: Its name.
            unless_forbidden: Say no where the key may not look.
        """
        with failures(self.place, "look for", check_name(name)):
            try:
                self._objects.head(name)
            except ClientError as error:
                if status_of(error) == 404 or (unless_forbidden and status_of(error) == 403):
                    return False
                raise
        return True

    def stat(self, name: str) -> StoredObject:
        """Return what the list says of one object."""
        with failures(self.place, "look for", check_name(name)):
            found = self._objects.head(name)
        return described(name, found["ContentLength"], found)

    def protected_until(self, name: str) -> datetime | None:
        """Return until when Object Lock keeps an object from being deleted."""
        with failures(self.place, "look for", check_name(name)):
            return self._objects.protected_until(name)

    def sweep(self, belongs: Callable[[str], bool]) -> tuple[str, ...]:
        """Abort the unfinished uploads that are ours and return the names of those that are gone."""
        self._objects.expect_leases()
        with failures(self.place, "sweep"):
            connection = self._objects.connection
            ours = [upload for upload, _ in unfinished(connection) if belongs(upload.name)]
            return tuple(upload.name + PARTIAL for upload in ours if abort_upload(connection, upload))

    def read_note(self) -> bytes:
        """Return the note; empty where there is none, or one that is too long."""
        try:
            found = fetch_end(connection_to(self.place), NOTE)
            if found.size > NOTE_BYTES:
                return b""
            missing = found.size - len(found.last)
            return (_fetch(self.place, NOTE, found.etag, 0, missing) if missing else b"") + found.last
        except ObjectNotFound:
            return b""

    def write_note(self, data: bytes) -> None:
        """Leave a note; no lock keeps it from being replaced."""
        self._objects.expect_leases()
        self._objects.put(NOTE, data, replace=True, protect=False)

    def drop_cache(self, name: str) -> None:
        """Nothing is kept: what is opened anew is fetched anew."""

    def free_bytes(self) -> None:
        """A bucket has no limit that could be asked for."""

    def lock(
        self, name: str, *, shared: bool, wait_seconds: float, owner: str
    ) -> AbstractContextManager[None]:
        """
        Hold a lease. Who only shares needs none, and no right to write.

        What he reads may thus be deleted meanwhile; that is an error then, as with every object that is gone.
        """
        return contextlib.nullcontext() if shared else self._leased(name, wait_seconds, owner)

    @contextlib.contextmanager
    def _leased(self, name: str, wait_seconds: float, owner: str) -> Iterator[None]:
        lease = Lease(S3Leases(self._objects), name, owner)
        lease.take(wait_seconds)
        try:
            with self._objects.under(lease):
                yield
        finally:
            lease.give_back()


def _fetch(place: CloudPlace, name: str, etag: str, offset: int, length: int) -> bytes:
    return fetch(connection_to(place), name, etag, offset, length)


def _pool(place: CloudPlace) -> Executor:
    return connection_to(place).pool
