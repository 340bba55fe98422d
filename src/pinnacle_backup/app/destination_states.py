"""How the places stand that backups are brought to, by what is remembered of them."""

from __future__ import annotations

from collections.abc import Mapping

from pinnacle_backup.app.destinations import Destination, destinations_of
from pinnacle_backup.app.remembered import CHECKED
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.repository.listing import Listing


def destination_states(studio: Studio, listing: Listing) -> tuple[DestinationState, ...]:
    """
    Return how each place stood when it was last listed.

    Args:
        studio: Whose.
        listing: What there is here.
    """
    return tuple(_state(destination, listing) for destination in destinations_of(studio))


def whereabouts(studio: Studio) -> Mapping[str, tuple[str, ...]]:
    """Return by the name of each archive in which other places it was when they were last listed."""
    found: dict[str, list[str]] = {}
    for destination in destinations_of(studio):
        for name in destination.catalog.backups():
            found.setdefault(name, []).append(destination.name)
    return {name: tuple(places) for name, places in found.items()}


def _state(destination: Destination, listing: Listing) -> DestinationState:
    there = destination.catalog.backups()
    missing = [info for info in listing.backups if info.name not in there]
    here = {info.name for info in listing.backups}
    return DestinationState(
        name=destination.name,
        address=destination.address,
        full_address=destination.full_address,
        automatic=destination.automatic,
        backups=len(there),
        stored=sum(cached.size for cached in there.values()),
        missing=tuple(info.name for info in missing),
        oldest_missing=min((info.header.created for info in missing), default=""),
        only_there=len(there.keys() - here),
        newest=max((cached.header.created for cached in there.values()), default=""),
        checked=destination.catalog.value(CHECKED),
    )
