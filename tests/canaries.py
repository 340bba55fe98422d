"""
Secrets that tests use: all begin alike, so that whatever leaks is found by looking for the beginning.

Where a test needs a secret whose leak would matter, it is ``canary("what it is")``.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

PREFIX = "c4nary"
_DEPTH = 4
_OURS = ("logs", ".pinnacle")


def canary(of: str) -> str:
    """Return the secret of that name."""
    return f"{PREFIX}-{of}"


def _forms() -> tuple[bytes, ...]:
    """Return the prefix as it is, in base64 at each of its three places, and in hexadecimal."""
    coded = [b64encode(bytes(shift) + PREFIX.encode())[2 * (shift > 0) + (shift > 1) :] for shift in range(3)]
    whole = [text.rstrip(b"=")[: 4 + shift] for shift, text in zip((4, 3, 2), coded, strict=True)]
    return (PREFIX.encode(), *whole, PREFIX.encode().hex().encode())


FORMS = _forms()


def found_in(content: bytes) -> bytes | None:
    """Return the line around the first canary; None where there is none."""
    for form in FORMS:
        place = content.find(form)
        if place >= 0:
            return content[max(place - 200, 0) : place + 60]
    return None


def leaks(files: Iterator[Path]) -> dict[str, bytes]:
    """Return which files hold a canary, and what stands around it."""
    looked = (
        (path, found_in(path.read_bytes())) for path in files if path.is_file() and not path.is_symlink()
    )
    return {str(path): around for path, around in looked if around is not None}


def logs_below(folder: Path) -> Iterator[Path]:
    """Yield the log files, and the records of runs, of all studios near the top of a folder."""
    for path, names, _ in os.walk(folder):
        deep = len(Path(path).relative_to(folder).parts)
        for name in [name for name in names if name in _OURS]:
            place = Path(path, name)
            yield from place.glob("*.log*" if name == "logs" else "state.db*")
        names[:] = [] if deep >= _DEPTH else [name for name in names if name not in _OURS]
