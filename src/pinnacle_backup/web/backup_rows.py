"""Backups and what lies in them, as pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Final

from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.entry import DIRECTORY, FILE, Entry
from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.queries import AlsoIn
from pinnacle_backup.model.words import instant, size
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.web.addresses import api_address, backup_address, reference, with_query
from pinnacle_backup.web.moments import day_and_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_DATABASES: Final = (".db", ".sqlite", ".sqlite3")

NEWEST, OLDEST, LARGEST, NAME = "newest", "oldest", "largest", "name"
SORTS: Final[dict[str, tuple[Callable[[BackupInfo], Any], bool]]] = {
    NEWEST: (lambda info: (info.header.created, info.name), True),
    OLDEST: (lambda info: (info.header.created, info.name), False),
    LARGEST: (lambda info: info.stored, True),
    NAME: (lambda info: info.name, False),
}
KINDS: Final[dict[str, Callable[[BackupInfo], bool]]] = {
    "full": lambda info: info.header.type == FULL and not info.header.safety,
    "incremental": lambda info: info.header.type != FULL and not info.header.safety,
    "safety": lambda info: info.header.safety,
    "pinned": lambda info: info.pinned,
    "unverified": lambda info: not info.verified,
}


@dataclass(frozen=True)
class BackupRow:
    """
    One backup.

    Attributes:
        info: It.
        name: Printable.
        made: When, in the studio's zone.
        kind: What it is, in a word or two.
        href, api: The addresses of its page, and in the API.
        reference: What names it in addresses and commands.
        missing: Whether an archive that it needs is not there.
        also_in: Names of the other places that have it.
    """

    info: BackupInfo
    name: str
    made: str
    kind: str
    href: str
    api: str
    reference: str
    missing: bool
    also_in: tuple[str, ...] = ()


def backup_row(
    info: BackupInfo, listing: Listing, zone: tzinfo, places: AlsoIn = MappingProxyType({})
) -> BackupRow:
    """Return a backup as pages show it, with the other places that have it."""
    return BackupRow(
        info=info,
        name=printable(info.name),
        made=day_and_time(instant(info.header.created), zone),
        kind=kind_of(info),
        href=backup_address(info),
        api=api_address(info),
        reference=reference(info),
        missing=bool(listing.missing(info)),
        also_in=tuple(map(printable, places.get(info.name, ()))),
    )


def kind_of(info: BackupInfo) -> str:
    """Return what a backup is, in a word or two."""
    if info.header.safety:
        return "Safety"
    return "Full" if info.header.type == FULL else "Incremental"


def chosen(listing: Listing, *, words: str, kind: str, sort: str) -> list[BackupInfo]:
    """Return the backups whose names hold all words, of one kind, sorted."""
    wanted = words.lower().split()
    found = [
        info
        for info in listing.backups
        if (not kind or KINDS[kind](info))
        and all(word in f"{info.name} {info.header.created}".lower() for word in wanted)
    ]
    key, reverse = SORTS[sort]
    return sorted(found, key=key, reverse=reverse)


@dataclass(frozen=True)
class EntryRow:
    """
    One path in a backup.

    Attributes:
        path: As forms send it; empty where text cannot carry its bytes.
        name: The last part of it.
        kind: Of its icon; see ``data.html``.
        href: Its page.
        content: Where to download it; empty for what has no content.
        size, modified, note: In words.
    """

    path: str
    name: str
    kind: str
    href: str
    content: str
    size: str
    modified: str
    note: str = ""


def entry_rows(info: BackupInfo, entries: Iterable[Entry], zone: tzinfo) -> list[EntryRow]:
    """Return what lies in a folder, as pages show it."""
    return [_entry_row(info, entry, zone) for entry in entries]


def _entry_row(info: BackupInfo, entry: Entry, zone: tzinfo) -> EntryRow:
    has_content = entry.type in (FILE, DIRECTORY)
    plain = entry.path if to_bytes(entry.path) == printable(entry.path).encode() else ""
    return EntryRow(
        path=plain,
        name=entry.path.rpartition("/")[2],
        kind=_icon(entry),
        href=browse_address(info, entry.path),
        content=with_query(api_address(info, "content"), path=entry.path) if has_content else "",
        size=size(entry.size) if entry.type == FILE else "",
        modified=modified(entry, zone),
        note=f"leads to {printable(entry.target)}" if entry.target else "",
    )


def browse_address(info: BackupInfo, path: str = "", after: str = "") -> str:
    """Return the page of a folder or a file of a backup."""
    return with_query(backup_address(info, "browse"), path=path, after=after)


def crumbs_of(info: BackupInfo, path: str, top: str) -> list[tuple[str, str]]:
    """Return the way from the top of a backup to a path; the last part has no address."""
    parts = path.split("/") if path else []
    ways = [(top, browse_address(info))]
    ways += [
        (printable(part), browse_address(info, "/".join(parts[: n + 1]))) for n, part in enumerate(parts)
    ]
    return [*ways[:-1], (ways[-1][0], "")]


def _icon(entry: Entry) -> str:
    if entry.type != FILE:
        return entry.type
    name = entry.path.lower()
    if entry.pages is not None or name.endswith(_DATABASES):
        return "database"
    return "image" if name.endswith(_IMAGES) else "file"


def modified(entry: Entry, zone: tzinfo) -> str:
    """Return when a file was last modified; empty where that is no time that a calendar knows."""
    if not entry.mtime_ns:
        return ""
    try:
        return (
            f"{(_EPOCH + timedelta(microseconds=entry.mtime_ns // 1000)).astimezone(zone):%-d %b %Y, %H:%M}"
        )
    except (OverflowError, ValueError):
        return ""
