"""Changing nothing once somebody else may be at work."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.place import CloudPlace


class Fence(Protocol):
    """What must hold for as long as objects are changed."""

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it yet."""


class Fences:
    """
    The leases under which this process changes objects of a place.

    Args:
        place: Where.
    """

    def __init__(self, place: CloudPlace) -> None:
        self.place = place
        self._leases: list[Fence] = []

    @contextlib.contextmanager
    def under(self, lease: Fence) -> Iterator[None]:
        """Change nothing in the block once the lease is lost."""
        self._leases.append(lease)
        try:
            yield
        finally:
            self._leases.remove(lease)

    def expect_leases(self) -> None:
        """
        Pass while all leases are held.

        Raises:
            StoreError: One could not be renewed in time: somebody else may be at work by now.
        """
        if not all(lease.is_held for lease in self._leases):
            raise StoreError(
                f"{printable(self.place.address)}: the lease was lost, so nothing more is changed there",
                hint="the server could not be reached for too long; run the command again",
            )
