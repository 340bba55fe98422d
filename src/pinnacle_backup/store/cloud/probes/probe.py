"""What all questions share: the connection, the names of the objects made, and their removal."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.probes import FAILED, GOOD, NOTE, WARNING, Finding
from pinnacle_backup.store.cloud.connection import Connection
from pinnacle_backup.store.cloud.failures import status_of, store_error
from pinnacle_backup.store.cloud.place import CloudPlace

Findings = Iterator[Finding]

REFUSED: Final = 403


class Stop(Exception):
    """Nothing more can be asked: the end of a test, and no error."""


class Probe:
    """
    One test of one place.

    Args:
        place: Where. Nothing is protected by Object Lock: what a test stores goes away again.

    Attributes:
        connection: Of this test alone.
        requests: How many were made.
        size: Bytes of the test of speed.
        made: Names of objects, and the version of each, that are to be removed.
        readable: Whether the key may read.
    """

    def __init__(self, place: CloudPlace, *, size: int) -> None:
        self.wanted = place
        self.place = msgspec.structs.replace(place, object_lock_days=0)
        self.connection = Connection(self.place)
        self.size = size
        self.requests = 0
        self.made: list[tuple[str, str]] = []
        self.readable = True
        self._begun: list[tuple[str, str]] = []
        self.connection.client.meta.events.register("before-send.s3", self._count)

    @property
    def client(self) -> Any:
        """botocore's client."""
        return self.connection.client

    def ask(self, operation: str, name: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Make a request; see ``Connection.ask``."""
        return self.connection.ask(operation, name, **parameters)

    def put(self, name: str, data: bytes, **parameters: Any) -> str:
        """Store an object that is removed in the end, and return its ETag."""
        answer = self.connection.send("put_object", name, data, **parameters)
        self.remember(name, answer)
        return str(answer["ETag"])

    def remember(self, name: str, answer: dict[str, Any]) -> None:
        """Have an object removed in the end."""
        self.made.append((name, answer.get("VersionId", "")))

    def begin(self, name: str) -> str:
        """Begin an upload in parts, which is forgotten in the end, and return its id."""
        upload = str(self.ask("create_multipart_upload", name)["UploadId"])
        self._begun.append((name, upload))
        return upload

    def name(self, what: str) -> str:
        """Return the name of an object that nothing else has, and that is never listed."""
        return f".test-{what}-{secrets.token_hex(6)}"

    def outcome(self, act: Callable[[], object]) -> int:
        """Return the HTTP status of a refusal; 0 where there was none."""
        try:
            act()
        except ClientError as error:
            return status_of(error)
        return 0

    def error(self, error: Exception, doing: str) -> StoreError:
        """Return what an error means, in words."""
        return store_error(error, doing, self.place)

    def remove(self) -> int:
        """Remove what was made, and return how many objects could not be."""
        left = 0
        for name, upload in self._begun:
            with contextlib.suppress(ClientError, BotoCoreError):  # most of them were completed
                self.ask("abort_multipart_upload", name, UploadId=upload)
        self._begun.clear()
        for name, version in dict.fromkeys(self.made):
            which = {"VersionId": version} if version else {}
            try:
                self.ask("delete_object", name, **which)
            except (ClientError, BotoCoreError):
                left += 1
        self.made.clear()
        return left

    def close(self) -> None:
        """Let go of the network."""
        self.connection.pool.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    def _count(self, **_: object) -> None:
        self.requests += 1


def good(about: str, words: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(about=about, verdict=GOOD, words=words)


def note(about: str, words: str, advice: str = "") -> Finding:
    """Return what is worth knowing."""
    return Finding(about=about, verdict=NOTE, words=words, advice=advice)


def warning(about: str, words: str, advice: str) -> Finding:
    """Return what should be changed."""
    return Finding(about=about, verdict=WARNING, words=words, advice=advice)


def failed(about: str, words: str, advice: str = "") -> Finding:
    """Return what has to be changed."""
    return Finding(about=about, verdict=FAILED, words=words, advice=advice)


def failed_by(about: str, error: StoreError) -> Finding:
    """Return that an error says what has to be changed."""
    return failed(about, error.message, error.hint)


def listed(count: int, more: str = "") -> Finding:
    """Return that a list was had."""
    return good(
        "list", f"allowed; {count:,}{more} objects are there" if count else "allowed; nothing is there yet"
    )


def deleted(left: int) -> Finding:
    """Return whether what the test stored could be removed; ``left`` could not."""
    if not left:
        return good("delete", "allowed; what this test stored is gone again")
    return note(
        "delete",
        f"not allowed: append-only, as it should be for a machine that may be broken into; {left} "
        f"objects that begin with .test- stay",
        "cleanup there needs another key, or a lifecycle rule; retention by days is best done with it",
    )
