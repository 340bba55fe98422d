"""
Style sheets, scripts and icons, from memory.

Pages name them below their version, so that a browser asks for each once and never again; when any of them
changes, all have another version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pinnacle_backup.web.together import put_together

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_VERSIONED: Final = re.compile(r"([0-9a-f]{12})/(.+)")
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class StaticFiles:
    """
    An application that answers with files.

    Args:
        files: Their content by path.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files: Final = files
        self._tags = {path: f'"{_digest(content)}"' for path, content in files.items()}
        self.version = _digest("".join(f"{path} {tag}" for path, tag in sorted(self._tags.items())).encode())
        """12 hex digits, others when any file is another one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        await self._answer(path, Headers(scope=scope))(scope, receive, send)

    def _answer(self, path: str, headers: Headers) -> Response:
        """Return a file; one of another version, for a page from before an update, is not to be kept."""
        versioned = _VERSIONED.fullmatch(path)
        path = versioned[2] if versioned else path
        if path not in self.files:
            raise HTTPException(404)
        is_current = versioned is not None and versioned[1] == self.version
        tag = self._tags[path]
        known = {"ETag": tag, "Cache-Control": _FOR_EVER if is_current else _ASK_AGAIN}
        if tag in headers.get("if-none-match", ""):
            return Response(status_code=304, headers=known)
        return Response(self.files[path], headers=known, media_type=_TYPES[path.rpartition(".")[2]])


@cache
def packaged() -> StaticFiles:
    """Return the files of this package; what every page loads is in two of them, see ``together``."""
    return StaticFiles(put_together(dict(_files(resources.files("pinnacle_backup.web") / "static"))))


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    for found in folder.iterdir():
        if found.is_dir():
            yield from _files(found, f"{above}{found.name}/")
        elif found.name.rpartition(".")[2] in _TYPES:
            yield f"{above}{found.name}", found.read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
