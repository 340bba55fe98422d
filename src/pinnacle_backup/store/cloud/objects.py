"""The requests that change objects, each sure of what became of it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.connection import Connection, connection_to
from pinnacle_backup.store.cloud.failures import Incomplete, code_of, failures, status_of
from pinnacle_backup.store.cloud.fences import Fences
from pinnacle_backup.store.cloud.messages import taken
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.unfinished import Unfinished

_TOKEN: Final = "pinnacle-token"  # noqa: S105 - tells writers apart, opens nothing
_CONFLICT: Final = (409, 412)


class Objects(Fences):
    """
    The objects of a place.

    Args:
        place: Where.
    """

    def __init__(self, place: CloudPlace) -> None:
        super().__init__(place)

    @property
    def connection(self) -> Connection:
        """This process's connection."""
        return connection_to(self.place)

    def protected_until(self, name: str) -> datetime | None:
        """Return until when an object cannot be deleted. Raises what botocore raises."""
        until: datetime | None = self.head(name).get("ObjectLockRetainUntilDate")
        return until if until is not None and until > datetime.now(UTC) else None

    def head(self, name: str) -> dict[str, Any]:
        """Return what is known of an object. Raises what botocore raises."""
        return self.connection.ask("head_object", name)

    def put(
        self,
        name: str,
        data: bytes,
        *,
        token: str = "",
        doing: str = "store",
        replace: bool = False,
        match: str = "",
        protect: bool = True,
    ) -> str:
        """
        Store an object in one request and return its ETag.

        Args:
            name: Of the object.
            data: All of it.
            token: Random; tells our object from another's when the answer is lost.
            doing: For messages.
            replace: Whether the name may be taken.
            match: The ETag that the object to be replaced has; empty for any.
            protect: Whether Object Lock is asked for where it is configured.

        Raises:
            ObjectExists: The name is taken, and ``replace`` is false.
            StoreError: It cannot be stored, or has another ETag.
        """
        token = token or secrets.token_hex(16)
        condition = {"IfMatch": match} if match else {} if replace else {"IfNoneMatch": "*"}
        with failures(self.place, doing, name):
            try:
                answer = self._put(name, data, token, protect=protect, **condition)
            except ClientError as error:
                found = self._ours(name, token) if status_of(error) in _CONFLICT else None
                if found is None and code_of(error) == "PreconditionFailed" and not replace and not match:
                    raise taken(self.place, doing, name) from error
                if found is None:
                    raise
                answer = found
        return str(answer["ETag"])

    def _put(self, name: str, data: bytes, token: str, *, protect: bool, **condition: str) -> dict[str, Any]:
        return self.connection.send(
            "put_object", name, data, **self._made(token, protect=protect), **condition
        )

    def delete(self, name: str) -> None:
        """Remove an object. Raises what botocore raises, and Incomplete where it is still there."""
        answer = self.connection.ask("delete_object", name)
        said = answer["ResponseMetadata"]["HTTPStatusCode"]
        if said != 204 and self._found(name) is not None:  # 204: what S3 says, and no portal or proxy
            raise Incomplete(f"the server answered {said}, but it is still there")

    def begin(self, name: str, token: str) -> Unfinished:
        """Begin an upload in parts."""
        answer = self.connection.ask("create_multipart_upload", name, **self._made(token, protect=True))
        return Unfinished(name, answer["UploadId"])

    def send_part(self, upload: Unfinished, number: int, data: bytes | memoryview) -> str:
        """Send one part and return its ETag."""
        answer = self.connection.send("upload_part", upload.name, data, UploadId=upload.id, PartNumber=number)
        return str(answer["ETag"])

    def complete(
        self, upload: Unfinished, etags: list[str], *, size: int, token: str, match: str = ""
    ) -> None:
        """
        Have the object appear, and look at it.

        Args:
            upload: Whose parts were sent.
            etags: Of all parts, in order.
            size: Of the object.
            token: With which the upload was begun.
            match: The ETag of the object that is replaced; empty: the name must be free.

        Raises:
            ObjectExists: The name is taken.
            StoreError: The object did not appear, or is not the one that was sent.
        """
        self.expect_leases()
        with failures(self.place, "store", upload.name):
            try:
                etag = self._complete(upload, etags, match)
            except (ClientError, BotoCoreError, Incomplete) as error:
                found = self._ours(upload.name, token, expected_etag(etags), size)
                if found is None:
                    if isinstance(error, ClientError) and status_of(error) in _CONFLICT and not match:
                        raise taken(self.place, "store", upload.name) from error
                    raise
                etag = str(found["ETag"])
            self._look_at(upload.name, etag, size)

    def _complete(self, upload: Unfinished, etags: list[str], match: str) -> str:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        condition = {"IfMatch": match} if match else {"IfNoneMatch": "*"}
        request = {"UploadId": upload.id, "MultipartUpload": {"Parts": parts}}
        connection = self.connection
        if not connection.refuses_conditions:
            try:
                return str(
                    connection.ask("complete_multipart_upload", upload.name, **request, **condition)["ETag"]
                )
            except ClientError as error:
                if status_of(error) != 501:
                    raise
                connection.refuses_conditions = True
        self._expect(upload.name, match)
        return str(connection.ask("complete_multipart_upload", upload.name, **request)["ETag"])

    def _expect(self, name: str, match: str) -> None:
        """Pass where the object is what a condition would have demanded; the lease keeps others away."""
        found = self._found(name)
        if match and (found is None or found["ETag"] != match):
            address = printable(f"{self.place.address}/{name}")
            raise StoreError(f"{address} was changed meanwhile", hint="try again")
        if not match and found is not None:
            raise taken(self.place, "store", name)

    def _look_at(self, name: str, etag: str, size: int) -> None:
        """Pass where the object has the size and the ETag it must have, or the key may not look."""
        try:
            found = self.head(name)
        except ClientError as error:
            if status_of(error) == 403:
                return
            raise
        if found["ContentLength"] != size or found["ETag"].strip('"') != etag.strip('"'):
            address = printable(f"{self.place.address}/{name}")
            raise StoreError(
                f"{address}: {found['ContentLength']:,} bytes are there, {size:,} were sent, or others",
                hint="delete it there, and try again",
            )

    def _ours(self, name: str, token: str, etag: str = "", size: int = -1) -> dict[str, Any] | None:
        """Return the object if it is the one that we tried to store: then only the answer was lost."""
        found = self._found(name)
        if found is None:
            return None
        same = etag and found["ETag"].strip('"') == etag and found["ContentLength"] == size
        return found if same or found.get("Metadata", {}).get(_TOKEN) == token else None

    def _found(self, name: str) -> dict[str, Any] | None:
        try:
            return self.head(name)
        except ClientError as error:
            if status_of(error) in (403, 404):
                return None
            raise

    def _made(self, token: str, *, protect: bool) -> dict[str, Any]:
        """Return the parameters with which objects are made."""
        made: dict[str, Any] = {"Metadata": {_TOKEN: token}, "ContentType": "application/octet-stream"}
        if self.place.storage_class:
            made["StorageClass"] = self.place.storage_class
        if protect and self.place.object_lock_days:
            made["ObjectLockMode"] = self.place.object_lock_mode.upper()
            days = timedelta(days=self.place.object_lock_days)
            made["ObjectLockRetainUntilDate"] = datetime.now(UTC) + days
        return made


def expected_etag(etags: list[str]) -> str:
    """Return the ETag of an object made of these parts, as S3 computes it; empty where it cannot be known."""
    try:
        digests = b"".join(bytes.fromhex(etag.strip('"')) for etag in etags)
    except ValueError:
        return ""
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(etags)}"
