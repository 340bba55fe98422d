"""All objects of a place, or an exception: an answer that could hide some of them is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.base import PARTIAL, StoredObject
from pinnacle_backup.store.cloud.connection import Connection
from pinnacle_backup.store.cloud.failures import failures
from pinnacle_backup.store.cloud.stored import stored_object

_PAGE: Final = 1000


def listed(connection: Connection, *, page: int = _PAGE) -> Iterator[StoredObject]:
    """
    Yield the objects of a place, but none that begins with a dot.

    Args:
        connection: To the place.
        page: How many names are asked for at once.

    Raises:
        StoreError: There is no such bucket, or the listing would not be complete.
    """
    prefix, seen = connection.place.key(""), set[str]()
    for found in _contents(connection, prefix, page):
        name = found["Key"].removeprefix(prefix)
        if name in seen or len(name) + len(prefix) != len(found["Key"]):
            raise _broken(connection, f"it names {printable(found['Key'])} twice, or wrongly")
        seen.add(name)
        if name and not name.startswith(".") and not name.endswith(PARTIAL):
            yield described(name, found["Size"], found)


def described(name: str, size: int, answer: dict[str, Any]) -> StoredObject:
    """Return an object as a listing or a HEAD tells of it."""
    return stored_object(name, size, answer["LastModified"], answer.get("ETag", ""))


def _contents(connection: Connection, prefix: str, most: int) -> Iterator[dict[str, Any]]:
    place, tokens = connection.place, set[str]()
    more: dict[str, str] = {}
    while True:
        with failures(place, "list"):
            page = connection.ask("list_objects_v2", Prefix=prefix, Delimiter="/", MaxKeys=most, **more)
        found = page.get("Contents", [])
        count = len(found) + len(page.get("CommonPrefixes", []))
        if "IsTruncated" not in page or page.get("Name", place.bucket) != place.bucket:
            raise _broken(connection, "the answer is no listing")
        if page.get("KeyCount", count) != count:
            raise _broken(connection, f"it has {count} names and says {page['KeyCount']}")
        yield from found
        if page["IsTruncated"]:
            token = page.get("NextContinuationToken", "")
            if not token or token in tokens:
                raise _broken(connection, "it has more pages, but does not go on")
            tokens.add(token)
            more = {"ContinuationToken": token}
        elif count >= most and found:  # a full page said to be the last: make sure
            more = {"StartAfter": found[-1]["Key"]}
        else:
            return


def _broken(connection: Connection, reason: str) -> StoreError:
    return StoreError(
        f"cannot list {printable(connection.place.address)}: {reason}",
        hint="the server or a proxy in between is at fault; nothing was concluded from it",
    )
