"""Paths that somebody picked for a restore: in addresses, and as the patterns that mean just them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from fastapi import Request

from pinnacle_backup.engine.patterns import quoted

PAGE: Final = "/restore"
_MOST: Final = 1000


def picked_paths(request: Request) -> list[str]:
    """Return the paths in an address (``path=``, several); bytes that are no UTF-8 are kept."""
    query = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(query, errors="surrogateescape", max_num_fields=2 * _MOST)
    return [value for key, value in pairs if key == "path" and value][:_MOST]


def restore_address(paths: Sequence[str] = (), **values: str | int) -> str:
    """Return the address of the page of restores with these paths picked; empty values are left out."""
    pairs = [(key, value) for key, value in values.items() if value not in ("", 0)]
    pairs += [("path", path) for path in paths]
    return f"{PAGE}?{urlencode(pairs, safe='/', errors='surrogateescape')}" if pairs else PAGE


def as_pattern(path: str) -> str:
    """Return the pattern, on one line, that means a path; what no line can carry stands as ``?``."""
    pattern = "".join(c if c.isprintable() else "?" for c in quoted(path))
    begin = "[ ]" if pattern.startswith(" ") else ""
    end = "[ ]" if pattern.endswith(" ") and len(pattern) > 1 else ""
    return f"{begin}{pattern.strip()}{end}"
