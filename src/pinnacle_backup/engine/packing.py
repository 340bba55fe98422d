"""Groups of entries on their way to a worker: six times as fast as pickling them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.model.entry import Entry

_Tables = list[tuple[str, ...]]
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(tuple[_Tables, list[int], list[Entry]])


class Packed:
    """
    Entries with their archive tables; packed while they travel.

    Args:
        items: The entries.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __getstate__(self) -> bytes | Sequence[Item]:
        tables = {id(archives): archives for _, archives in self.items}
        numbers = {identity: number for number, identity in enumerate(tables)}
        which = [numbers[id(archives)] for _, archives in self.items]
        try:
            return _encoder.encode((list(tables.values()), which, [entry for entry, _ in self.items]))
        except (UnicodeEncodeError, OverflowError):  # a name that is not UTF-8, a time of another age
            return self.items

    def __setstate__(self, state: bytes | Sequence[Item]) -> None:
        if not isinstance(state, bytes):
            self.items = state
            return
        tables, which, entries = _decoder.decode(state)
        self.items = [(entry, tables[number]) for entry, number in zip(entries, which, strict=True)]
