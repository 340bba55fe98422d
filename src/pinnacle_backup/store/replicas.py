"""Reading the same objects from several places: where one fails, even in the middle, another takes over."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from pinnacle_backup.errors import DamagedError, ObjectNotFound, StoreError
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.store.base import Store


@dataclass(frozen=True)
class Replicas:
    """
    Opens objects in the first store that has them and can be reached.

    Attributes:
        stores: In the order of preference. An object of one name has the same bytes in all of them.
    """

    stores: tuple[Store, ...]

    @property
    def reads_at_once(self) -> int:
        """As many as the store that is asked first; see ``Store``."""
        return self.stores[0].reads_at_once

    def open(self, name: str) -> ByteSource:
        """
        Open an object for reading at any place.

        Raises:
            ObjectNotFound: No store has it.
            StoreError: The stores that may have it cannot be read; the error is that of the first.
        """
        return _Source(self.stores, name)


class _Source:
    """An object that is read from one store after the other, as long as there is one left."""

    def __init__(self, stores: tuple[Store, ...], name: str) -> None:
        self._opened = _openings(stores, name)
        self._source = next(self._opened)
        self._size = self._source.size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        try:
            return self._source.read_at(offset, length)
        except (StoreError, DamagedError) as error:
            if offset < 0 or offset + length > self._size or not self._moves_on():
                raise
            try:
                return self.read_at(offset, length)
            except (StoreError, DamagedError):
                raise error from None

    def close(self) -> None:
        self._source.close()
        self._opened.close()

    def _moves_on(self) -> bool:
        """Open the object in the next store that has it as long as it was; tell whether there is one."""
        for source in self._opened:
            if source.size == self._size:
                self._source.close()
                self._source = source
                return True
            source.close()
        return False


def _openings(stores: tuple[Store, ...], name: str) -> Generator[ByteSource]:
    """Yield the object as each store has it; the first error, where none has."""
    first: StoreError | None = None
    found = False
    for store in stores:
        try:
            source = store.open(name)
        except StoreError as error:
            if first is None or isinstance(first, ObjectNotFound):
                first = error
            continue
        found = True
        yield source
    if not found and first is not None:
        raise first
