"""Addresses of backups and of paths in them: names may hold any bytes, addresses carry them all."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Path, Request

from pinnacle_backup.model.backup import BackupInfo

API = "/api/v1"

Number = Annotated[int, Path(ge=0, le=2**53)]
"""In a path: of a run, a session, a token; no larger than every reader of JSON knows them."""


def backup_address(info: BackupInfo, *rest: str) -> str:
    """Return the address of a backup's page, or of one below it."""
    return "/".join((f"/backups/{quote(reference(info), safe='')}", *rest))


def api_address(info: BackupInfo, *rest: str) -> str:
    """Return the address of a backup in the API, or of something below it."""
    return API + backup_address(info, *rest)


def reference(info: BackupInfo) -> str:
    """Return what names a backup in addresses and commands: its name, unless that is no plain text."""
    plain = info.name.isascii() and info.name.isprintable() and not info.name.startswith("-")
    return info.name if plain else info.header.id


def with_query(address: str, **values: str | int) -> str:
    """Return an address with values; empty ones are left out. Bytes that are no UTF-8 stay as they are."""
    known = {key: value for key, value in values.items() if value not in ("", 0)}
    if not known:
        return address
    return f"{address}?{urlencode(known, safe='/', errors='surrogateescape')}"


def raw_query(request: Request, name: str) -> str:
    """Return a value of the query as a path: bytes that are no UTF-8 are kept, as paths keep them."""
    return next(iter(raw_query_all(request, name)), "")


def raw_query_all(request: Request, name: str) -> list[str]:
    """Return all values of that name in the query; see ``raw_query``."""
    query = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return [value for key, value in pairs if key == name]
