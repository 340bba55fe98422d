"""How the places stand that backups are brought to, by what is remembered of them."""

from __future__ import annotations

from collections.abc import Mapping

from pinnacle_backup.app.destinations import Destination, destinations_of
from pinnacle_backup.app.remembered import CHECKED
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.wanted import unwanted
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.repository.listing import Listing


def destination_states(studio: Studio, listing: Listing) -> tuple[DestinationState, ...]:
    """
    Return how each place stood when it was last listed.

    Args:
        studio: Whose.
        listing: What there is here.
    """
    return tuple(_state(studio, destination, listing) for destination in destinations_of(studio))


def whereabouts(studio: Studio, listing: Listing) -> Mapping[str, tuple[str, ...]]:
    """
    Return by the name of each archive in which other places it was when they were last listed.

    Args:
        studio: Whose.
        listing: What there is here; another backup that has the name of one of them does not count.
    """
    here = {info.name: info.header.id for info in listing.backups}
    found: dict[str, list[str]] = {}
    for destination in destinations_of(studio):
        for name, cached in destination.catalog.backups().items():
            if here.get(name, cached.header.id) == cached.header.id:
                found.setdefault(name, []).append(destination.name)
    return {name: tuple(places) for name, places in found.items()}


def _state(studio: Studio, destination: Destination, listing: Listing) -> DestinationState:
    there = destination.catalog.backups()
    copied = {(name, cached.header.id) for name, cached in there.items()}
    left_out = unwanted(studio, destination, listing.backups)
    missing = [
        info
        for info in listing.backups
        if (info.name, info.header.id) not in copied and info.name not in left_out
    ]
    here = {(info.name, info.header.id) for info in listing.backups}
    return DestinationState(
        name=destination.name,
        address=destination.address,
        full_address=destination.full_address,
        automatic=destination.automatic,
        backups=len(there),
        stored=sum(cached.size for cached in there.values()),
        missing=tuple(info.name for info in missing),
        oldest_missing=min((info.header.created for info in missing), default=""),
        only_there=len(copied - here),
        newest=max((cached.header.created for cached in there.values()), default=""),
        checked=destination.catalog.value(CHECKED),
    )
