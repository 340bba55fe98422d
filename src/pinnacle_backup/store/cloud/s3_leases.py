"""Leases as objects of S3; see ``lease``."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from pinnacle_backup.store.cloud.failures import failures, status_of
from pinnacle_backup.store.cloud.lease import FREE, LONGEST, Seen
from pinnacle_backup.store.cloud.objects import Objects


class S3Leases:
    """
    ``LeaseObjects`` of a bucket. A version is an ETag, and the time is that of the answer.

    Args:
        objects: Of the place.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @property
    def address(self) -> str:
        """The place for people."""
        return self._objects.place.address

    def store(self, name: str, data: bytes, version: str) -> str:
        """Store a lease unless it is another by now, and never protected from being deleted."""
        return self._objects.put(name, data, doing="take the lease", match=version, protect=False)

    def find(self, name: str) -> Seen | None:
        """Return a lease; one that may not be read is looked up in the list."""
        with failures(self._objects.place, "read the lease", name):
            try:
                return self._read(name)
            except ClientError as error:
                if status_of(error) != 403:
                    raise
                return self._listed(name)

    def remove(self, name: str, version: str) -> None:
        """Delete a lease; a key that may not delete leaves word instead that it is free."""
        with failures(self._objects.place, "give back the lease", name):
            try:
                self._objects.connection.ask("delete_object", name)
            except ClientError as error:
                if status_of(error) != 403:
                    raise
                self._objects.put(name, FREE, match=version, protect=False)

    def _read(self, name: str) -> Seen | None:
        try:
            answer = self._objects.connection.ask("get_object", name)
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise
        with contextlib.closing(answer["Body"]) as body:
            data = body.read(LONGEST)
        return Seen(answer["ETag"], _age(answer, answer["LastModified"]), data)

    def _listed(self, name: str) -> Seen | None:
        key = self._objects.place.key(name)
        answer = self._objects.connection.ask("list_objects_v2", Prefix=key, MaxKeys=1)
        for found in answer.get("Contents", []):
            if found["Key"] == key:
                free = found["ETag"].strip('"') == hashlib.md5(FREE, usedforsecurity=False).hexdigest()
                return Seen(found["ETag"], _age(answer, found["LastModified"]), FREE if free else None)
        return None


def _age(answer: dict[str, Any], changed: datetime) -> float:
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (now.astimezone(UTC) - changed).total_seconds()
