"""Sentences about places and objects that all providers share. No answer of a server is shown unescaped."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.errors import ObjectExists
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.place import CloudPlace

_LONGEST: Final = 200


def taken(place: CloudPlace, doing: str, name: str) -> ObjectExists:
    """Return the error for a name that has an object."""
    return ObjectExists(f"cannot {doing} {printable(joined(place, name))}: the name is taken")


def joined(place: CloudPlace, name: str) -> str:
    """Return the address of an object, or of the place if there is no name."""
    return f"{place.address}/{name}" if name else place.address


def where(place: CloudPlace) -> str:
    """Return the server as an insertion, if it is not the provider's own."""
    return f" ({printable(place.endpoint_url)})" if place.endpoint_url else ""


def cut(text: str) -> str:
    """Return what a server said, short enough for a line."""
    return printable(text[:_LONGEST])
