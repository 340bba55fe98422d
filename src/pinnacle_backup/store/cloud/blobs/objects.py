"""The requests about objects, each sure of what became of it."""

from __future__ import annotations

import json
import secrets
from typing import Any, Final

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.blobs.client import Client, client_to
from pinnacle_backup.store.cloud.blobs.failures import failures, is_conflict, is_missing, is_refused
from pinnacle_backup.store.cloud.fences import Fences
from pinnacle_backup.store.cloud.messages import joined, taken

_TOKEN: Final = "pinnacletoken"  # noqa: S105 - tells writers apart, opens nothing; Azure takes no hyphen
_STEP: Final = 1 << 20


class Blobs(Fences):
    """
    The objects of a place. A *version* is an opaque text that other bytes of the same name do not have.

    Args:
        place: Where.
    """

    @property
    def client(self) -> Client:
        """This process's client."""
        return client_to(self.place)

    def head(self, name: str) -> dict[str, Any]:
        """Return what is known of an object. Raises what obstore raises."""
        found: dict[str, Any] = self.client.ask("head", self.client.reader, self.place.key(name))
        return found

    def exists(self, name: str, *, unless_forbidden: bool = False) -> bool:
        """
        Tell whether there is such an object.

        Args:
            name: Its name.
            unless_forbidden: Say no where the key may not look.
        """
        with failures(self.place, "look for", name):
            try:
                self.head(name)
            except Exception as error:
                if is_missing(error) or (unless_forbidden and is_refused(error)):
                    return False
                raise
        return True

    def fetch(self, name: str, etag: str, offset: int, length: int) -> bytes:
        """
        Return bytes of an object.

        Args:
            name: Of the object.
            etag: What it had when it was opened.
            offset: Where the bytes begin.
            length: How many, all of them inside; at least one.

        Raises:
            StoreError: They cannot be had, or the object is another one by now.
        """
        client, end = self.client, offset + length
        with failures(self.place, "read", name):
            try:
                answer = client.ask(
                    "get",
                    client.reader,
                    self.place.key(name),
                    options={"range": (offset, end), "if_match": etag},
                )
            except Exception as error:
                if is_conflict(error):
                    raise self._changed(name) from None
                raise
            if answer.meta["e_tag"] != etag:
                raise self._changed(name)
            parts = []
            for part in answer.stream(min_chunk_size=_STEP):
                client.download.spend(len(part))
                parts.append(bytes(part))
        data = b"".join(parts)
        if tuple(answer.range) != (offset, end) or len(data) != length:
            address = printable(joined(self.place, name))
            raise StoreError(f"{address}: {length:,} bytes were asked for, {len(data):,} or others came")
        return data

    def put(
        self,
        name: str,
        data: bytes,
        *,
        token: str = "",
        doing: str = "store",
        replace: bool = False,
        version: str = "",
    ) -> str:
        """
        Store an object in one request and return its version.

        Args:
            name: Of the object.
            data: All of it.
            token: Random; tells our object from another's when the answer is lost.
            doing: For messages.
            replace: Whether the name may be taken.
            version: Which the object to be replaced has; empty for any.

        Raises:
            ObjectExists: The name is taken, and ``replace`` is false.
            StoreError: It cannot be stored, or has another version.
        """
        client, token = self.client, token or secrets.token_hex(16)
        mode = json.loads(version) if version else "overwrite" if replace else "create"
        client.upload.spend(len(data))
        with failures(self.place, doing, name):
            try:
                answer = client.ask(
                    "put",
                    client.writer,
                    self.place.key(name),
                    data,
                    mode=mode,
                    attributes=self.made(token),
                    use_multipart=False,
                )
            except Exception as error:
                if not is_conflict(error):
                    raise
                found = self.ours(name, token)
                if found is None and mode == "create":
                    raise taken(self.place, doing, name) from None
                if found is None:
                    raise
                answer = found
        return version_of(answer)

    def delete(self, name: str, doing: str = "delete") -> None:
        """
        Remove an object.

        Raises:
            ObjectNotFound: There is none.
            StoreError: It cannot be removed.
        """
        with failures(self.place, doing, name):
            self.client.ask("delete", self.client.writer, self.place.key(name))

    def ours(self, name: str, token: str) -> dict[str, Any] | None:
        """Return the object if it is the one that we tried to store: then only the answer was lost."""
        client = self.client
        try:
            answer = client.ask("get", client.reader, self.place.key(name), options={"head": True})
        except Exception as error:
            if is_missing(error) or is_refused(error):
                return None
            raise
        found: dict[str, Any] = answer.meta
        return found if answer.attributes.get(_TOKEN) == token else None

    def expect_free(self, name: str) -> None:
        """
        Pass while there is no object of a name, or the key may not look.

        Raises:
            ObjectExists: There is one.
        """
        if self.exists(name, unless_forbidden=True):
            raise taken(self.place, "store", name)

    def made(self, token: str) -> dict[str, str]:
        """Return the attributes with which objects are made."""
        made = {"Content-Type": "application/octet-stream", _TOKEN: token}
        return made | ({"Storage-Class": self.place.storage_class} if self.place.storage_class else {})

    def _changed(self, name: str) -> StoreError:
        address = printable(joined(self.place, name))
        return StoreError(f"{address} was changed while it was read", hint="start again")


def version_of(answer: dict[str, Any]) -> str:
    """Return the version of an object: Azure compares ETags, Google the numbers of generations."""
    return json.dumps({key: answer[key] for key in ("e_tag", "version") if answer.get(key)})
