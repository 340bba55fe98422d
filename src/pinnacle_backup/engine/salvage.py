"""Reading a manifest of which parts are damaged."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.errors import DamagedError, PinnacleError, StoreError
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes, order_key


def sound_entries(reader: ArchiveReader, damaged: Callable[[PinnacleError], None]) -> Iterator[Entry]:
    """
    Yield the entries of all sound parts of a manifest, in path order.

    Args:
        reader: The archive.
        damaged: Told of every part that cannot be read, of some twice.
    """
    firsts = [part.first for part in reader.summary.index]
    keys = [order_key(from_bytes(first)) for first in firsts]
    part = 0
    while part < len(firsts):
        last = b""
        try:
            for entry in reader.entries(start=from_bytes(firsts[part])):
                last = order_key(entry.path)
                yield entry
        except (DamagedError, StoreError) as error:
            damaged(error)
            part = max(part + 1, bisect_right(keys, last))
        else:
            return
