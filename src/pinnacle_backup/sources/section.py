"""Sections of path order: a scan of one costs what the section holds, not what the whole tree holds."""

from __future__ import annotations

from dataclasses import dataclass

from pinnacle_backup.model.paths import order_key, to_bytes


@dataclass(frozen=True)
class Section:
    """
    All paths from ``start`` on and before ``end``, in path order.

    Attributes:
        start: The first path; empty for the beginning.
        end: The first path after the section; None for no end.
    """

    start: str = ""
    end: str | None = None

    def covers(self, path: str) -> bool:
        """Tell whether a path lies in the section."""
        key = order_key(path)
        return order_key(self.start) <= key and (self.end is None or key < order_key(self.end))

    def touches(self, path: str) -> bool:
        """Tell whether a path, or anything below it, can lie in the section."""
        return self.covers(path) or self.start.startswith(path + "/") or not path

    def narrow(self, folder: str, names: list[str]) -> list[str]:
        """Return those names in a folder that ``touches`` is true of; the folder itself is touched."""
        first, last = _next(self.start, folder), _next(self.end, folder) if self.end is not None else b""
        if first:
            names = [name for name in names if to_bytes(name) >= first]
        if last:
            is_end = self.end == (f"{folder}/" if folder else "") + last.decode("utf-8", "surrogateescape")
            names = [name for name in names if to_bytes(name) < last or (name_is(name, last) and not is_end)]
        return names

    def above(self) -> frozenset[str]:
        """Return the folders on the way to the start, which lie before it."""
        parts = self.start.split("/")[:-1]
        return frozenset("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def name_is(name: str, other: bytes) -> bool:
    """Tell whether a name has these bytes."""
    return to_bytes(name) == other


def _next(path: str, folder: str) -> bytes:
    """Return the part of a path that follows a folder; nothing where the path is not below it."""
    if not folder:
        return to_bytes(path.split("/", 1)[0])
    if not path.startswith(folder + "/"):
        return b""
    return to_bytes(path[len(folder) + 1 :].split("/", 1)[0])
