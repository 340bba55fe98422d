"""From configured sources to the paths that a scan begins at; what would be empty by mistake is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.paths import EXTERNAL, order_key, printable

_HINT = "create it, mount it, or take it out of backup.paths in config.json"


class Selected(NamedTuple):
    """
    Where a scan begins: no path twice, none inside another, each in path order.

    Attributes:
        inside: Paths below the studio root, relative to it; the root itself is the empty path.
        outside: Other paths, relative to ``/``.
    """

    inside: list[str]
    outside: list[str]


def select(root: str, sources: Iterable[str]) -> Selected:
    """
    Return where a scan begins.

    Args:
        root: The studio root, absolute.
        sources: Paths relative to the root, or absolute, or as a backup names them; they may overlap.

    Raises:
        SourceError: A source does not exist, or leads by a link to what is not in the backup.
    """
    chosen = [_Source.of(os.path.normpath(root), source) for source in sources]
    plain = [source.real for source in chosen if source.real == source.expected]
    for source in chosen:
        source.check(plain)
    base = _below(os.path.normpath(root))
    inside = [s.path[len(base) :] for s in chosen if _below(s.path).startswith(base)]
    outside = [s.path[1:] for s in chosen if not _below(s.path).startswith(base)]
    return Selected(_without_inner(inside), _without_inner(outside))


class _Source(NamedTuple):
    """
    One source.

    Attributes:
        given: As it is configured.
        path: Absolute.
        expected: The path if no link is on the way; the root itself may be reached by links.
        real: The path without links.
    """

    given: str
    path: str
    expected: str
    real: str

    @classmethod
    def of(cls, root: str, given: str) -> _Source:
        named = given[len(EXTERNAL) :] if given.startswith(EXTERNAL + "/") else given
        path = "/" + os.path.normpath(os.path.join(root, named)).lstrip("/")
        inside = _below(path).startswith(_below(root))
        expected = os.path.normpath(os.path.realpath(root) + path[len(root) :]) if inside else path
        return cls(given, path, expected, os.path.realpath(path))

    def check(self, plain: Iterable[str]) -> None:
        """Refuse what is missing, and a link to what none of the plain sources holds."""
        try:
            os.stat(self.path)
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise SourceError(
                f"the source {printable(self.given)!r} cannot be read: {reason}", hint=_HINT
            ) from error
        if self.real == self.expected:
            return
        behind_a_link = os.path.realpath(os.path.dirname(self.expected)) != os.path.dirname(self.expected)
        if behind_a_link or not any(_below(self.real).startswith(_below(source)) for source in plain):
            where = "lies behind a link" if behind_a_link else "is a link"
            raise SourceError(
                f"the source {printable(self.given)!r} {where}, so what it means would not be in the backup",
                hint=f"name {printable(self.real)!r} in backup.paths in config.json",
            )


def _without_inner(paths: Iterable[str]) -> list[str]:
    tops: list[str] = []
    for path in sorted(set(paths), key=order_key):
        if not tops or not (tops[-1] == "" or path.startswith(tops[-1] + "/")):
            tops.append(path)
    return tops


def _below(path: str) -> str:
    """Return what all paths below this one begin with."""
    return path.rstrip("/") + "/"
