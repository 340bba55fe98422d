"""Backups in a bucket of Google Cloud Storage, or in a container of Azure Blob Storage."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import partial

from pinnacle_backup.errors import ObjectNotFound, StoreError, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import ByteSink, ByteSource
from pinnacle_backup.store.base import NOTE_BYTES, PARTIAL, StoredObject, check_name
from pinnacle_backup.store.cloud.blobs.client import SMALL_READS, client_to
from pinnacle_backup.store.cloud.blobs.failures import failures
from pinnacle_backup.store.cloud.blobs.leases import BlobLeases
from pinnacle_backup.store.cloud.blobs.objects import Blobs
from pinnacle_backup.store.cloud.blobs.upload import BlobUpload
from pinnacle_backup.store.cloud.lease import Lease
from pinnacle_backup.store.cloud.messages import joined, taken
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.reading import BufferedSource
from pinnacle_backup.store.cloud.stored import stored_object

_NOTE = ".note"


class BlobStore:
    """
    A bucket, or the part of it below a prefix. See ``store.base.Store`` for what each method promises.

    Args:
        place: Where.
    """

    def __init__(self, place: CloudPlace) -> None:
        self.place = place
        self._blobs = Blobs(place)

    def __reduce__(self) -> tuple[object, ...]:
        """Leave leases and connections with the process that has them."""
        return (BlobStore, (self.place,))

    @property
    def reads_at_once(self) -> int:
        """As many as there are threads for."""
        return SMALL_READS

    @property
    def address(self) -> str:
        """The place for people."""
        return self.place.address

    def list(self) -> Iterator[StoredObject]:
        """List the objects but hidden ones; objects below a further slash belong to somebody else."""
        client, prefix, seen = client_to(self.place), self.place.key(""), set[str]()
        with failures(self.place, "list"):
            found = client.ask("list_with_delimiter", client.reader, self.place.prefix or None)["objects"]
        for each in found:
            name = each["path"].removeprefix(prefix)
            if name in seen or len(name) + len(prefix) != len(each["path"]):
                raise StoreError(
                    f"cannot list {printable(self.address)}: "
                    f"it names {printable(each['path'])} twice, or wrongly",
                    hint="the server or a proxy in between is at fault; nothing was concluded from it",
                )
            seen.add(name)
            if name and not name.startswith(".") and not name.endswith(PARTIAL):
                yield stored_object(name, each["size"], each["last_modified"], each["e_tag"] or "")

    def open(self, name: str) -> ByteSource:
        """Open an object; should it change while it is read, that is an error."""
        with failures(self.place, "open", check_name(name)):
            found = self._blobs.head(name)
        return self._source(name, found["size"], found["e_tag"])

    def _source(self, name: str, size: int, etag: str) -> ByteSource:
        return BufferedSource(
            joined(self.place, name),
            size,
            partial(_fetch, self.place, name, etag),
            partial(_pool, self.place),
            self.place.connections,
        )

    def create(self, name: str, *, size: int = 0) -> ByteSink:
        """Begin an upload."""
        if self._blobs.exists(check_name(name), unless_forbidden=True):
            raise taken(self.place, "create", name)
        return BlobUpload(self._blobs, name, size)

    def put(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """Store a small object in one request."""
        self._blobs.expect_leases()
        self._blobs.put(check_name(name), data, replace=replace)

    def patch(self, name: str, offset: int, data: bytes) -> None:  # noqa: ARG002 - as the protocol has it
        """Refuse: obstore can have no part of an object copied into its successor."""
        self.stat(name)
        address = printable(joined(self.place, name))
        raise UsageError(
            f"{address}: objects cannot be changed there, only replaced",
            hint="change the local backup; then delete this copy, and `copy` brings the changed one",
        )

    def delete(self, name: str) -> None:
        """Remove an object, unless a policy of the provider protects it."""
        self._blobs.expect_leases()
        self._blobs.delete(check_name(name))

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""
        return self._blobs.exists(check_name(name))

    def stat(self, name: str) -> StoredObject:
        """Return what the list says of one object."""
        with failures(self.place, "look for", check_name(name)):
            found = self._blobs.head(name)
        return stored_object(name, found["size"], found["last_modified"], found["e_tag"] or "")

    def protected_until(self, name: str) -> None:
        """Nothing is known of protection: obstore does not tell of it. A delete that is refused does."""
        self.stat(name)

    def sweep(self, belongs: Callable[[str], bool]) -> tuple[str, ...]:  # noqa: ARG002 - as the protocol has it
        """Nothing unfinished can be seen. Azure drops it after a week, Google by a rule of the bucket."""
        self._blobs.expect_leases()
        return ()

    def read_note(self) -> bytes:
        """Return the note; empty where there is none, or one that is too long."""
        try:
            with failures(self.place, "read", _NOTE):
                found = self._blobs.head(_NOTE)
        except ObjectNotFound:
            return b""
        if found["size"] > NOTE_BYTES:
            return b""
        return self._source(_NOTE, found["size"], found["e_tag"]).read_at(0, found["size"])

    def write_note(self, data: bytes) -> None:
        """Leave a note; no lock keeps it from being replaced."""
        self._blobs.expect_leases()
        self._blobs.put(_NOTE, data, replace=True)

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
        lease = Lease(BlobLeases(self._blobs), name, owner)
        lease.take(wait_seconds)
        try:
            with self._blobs.under(lease):
                yield
        finally:
            lease.give_back()


def _fetch(place: CloudPlace, name: str, etag: str, offset: int, length: int) -> bytes:
    return Blobs(place).fetch(name, etag, offset, length)


def _pool(place: CloudPlace) -> Executor:
    return client_to(place).pool
