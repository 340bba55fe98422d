"""Leases as objects at Google and in Azure; see ``lease``."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pinnacle_backup.store.cloud.blobs.failures import failures, is_missing, is_refused
from pinnacle_backup.store.cloud.blobs.objects import Blobs, version_of
from pinnacle_backup.store.cloud.lease import FREE, LONGEST, Seen

_CLOCK: Final = ".clock"


class BlobLeases:
    """
    ``LeaseObjects`` of a place.

    obstore does not tell the time of an answer. What time it is for the server is seen by the age of an
    object that was stored just now.

    Args:
        blobs: Of the place.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @property
    def address(self) -> str:
        """The place for people."""
        return self._blobs.place.address

    def store(self, name: str, data: bytes, version: str) -> str:
        """Store a lease unless it is another by now."""
        return self._blobs.put(name, data, doing="take the lease", version=version)

    def find(self, name: str) -> Seen | None:
        """Return a lease; of one that may not be read, when it was renewed."""
        client, data = self._blobs.client, None
        with failures(self._blobs.place, "read the lease", name):
            try:
                found = self._blobs.head(name)
                if found["size"] <= LONGEST:
                    answer = client.ask("get", client.reader, self._blobs.place.key(name))
                    found, data = answer.meta, bytes(answer.bytes())
            except Exception as error:
                if is_missing(error):
                    return None
                raise
            return Seen(version_of(found), (self._now() - found["last_modified"]).total_seconds(), data)

    def remove(self, name: str, version: str) -> None:
        """Delete a lease; a key that may not delete leaves word instead that it is free."""
        client, key = self._blobs.client, self._blobs.place.key(name)
        with failures(self._blobs.place, "give back the lease", name):
            try:
                client.ask("delete", client.writer, key)
            except Exception as error:
                if not is_refused(error):
                    raise
                self._blobs.put(name, FREE, version=version)

    def _now(self) -> datetime:
        self._blobs.put(_CLOCK, b"", doing="ask for the time with", replace=True)
        now: datetime = self._blobs.head(_CLOCK)["last_modified"]
        return now
