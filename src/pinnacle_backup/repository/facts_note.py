"""
What is known of all archives, in one note beside them, for stores that answer late.

Who comes to a bucket for the first time then reads one object instead of the end of each archive. The note
is a cache: what it says of an archive counts only while size and time of change are those that the store
lists, and one that is missing or makes no sense costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.repository.catalog import CachedBackup
from pinnacle_backup.store.base import Store

_LONGEST: Final = 256 << 20
"""Bytes that are unpacked at most: whoever can write to the bucket can write anything."""


def write_facts(store: Store, facts: Iterable[CachedBackup]) -> None:
    """Leave a note of all archives; where that is not possible, without one."""
    unverified = [
        msgspec.structs.replace(found, verified="") for found in facts
    ]  # each machine reads for itself
    with contextlib.suppress(PinnacleError):
        store.write_note(gzip.compress(msgspec.json.encode(unverified), 6, mtime=0))


def read_facts_note(store: Store) -> Mapping[str, CachedBackup]:
    """Return what the note says, by name; nothing where there is none, or none that makes sense."""
    with contextlib.suppress(PinnacleError, OSError, EOFError, zlib.error, msgspec.MsgspecError):
        with gzip.open(io.BytesIO(store.read_note())) as file:
            data = file.read(_LONGEST)
        return {found.name: found for found in msgspec.json.decode(data, type=list[CachedBackup])}
    return {}
