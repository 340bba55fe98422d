"""Ask a server's API, and have its answers as values of the model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from pinnacle_backup.errors import PinnacleError, ServerError
from pinnacle_backup.remote.connection import Answer, Connector
from pinnacle_backup.remote.decoding import convert
from pinnacle_backup.remote.problems import error_of, stranger

API: Final = "/api/v1"
ANSWER_LIMIT: Final = 256 * 1024 * 1024
"""No answer of ours comes near: the plan for a million paths takes half of it."""

_LONGEST_SECONDS: Final = 600.0
_JSON: Final = "application/json"

T = TypeVar("T")


class Client:
    """
    Asks one server.

    Args:
        connector: Leads to it.
        version: Of this program, to tell where the server's is another one.
    """

    def __init__(self, connector: Connector, version: str) -> None:
        self._connector = connector
        self._version = version

    @property
    def url(self) -> str:
        """The server's address, for people."""
        return self._connector.address.url

    def get(self, path: str, kind: type[T], /, *, member: str = "", **query: Any) -> T:
        """Return what is at an address; see ``send``."""
        return self.send("GET", f"{path}{_query(query)}", kind, member=member)

    def send(
        self, method: str, path: str, kind: type[T], *, body: object = None, member: str = "", api: str = API
    ) -> T:
        """
        Send a request, and return what the answer holds.

        Args:
            method: ``GET``, ``POST`` ...
            path: Below the API, with its query.
            kind: Of the value.
            body: Is sent as JSON.
            member: The one of the answer's members that is wanted; empty for all of it.
            api: What stands before the path.

        Raises:
            ServerError: It cannot be reached, or is none of ours.
            PinnacleError: What the server says.
        """
        content = self._content(method, api + path, body)
        try:
            value = msgspec.json.decode(content)
            return convert(value[member] if member else value, kind)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError):
            raise self._not_understood(path.partition("?")[0]) from None

    @contextmanager
    def open(self, path: str) -> Iterator[Answer]:
        """
        Give an answer that is no JSON, and as long as it likes, for the time of the block.

        Raises:
            PinnacleError: As ``send``.
        """
        with self._connector.exchange("GET", path) as answer:
            if answer.status != 200:
                raise self._error(answer)
            if answer.kind.startswith("text/") or not answer.has_end:
                raise stranger(answer.status, self.url)
            yield answer

    def _content(self, method: str, path: str, body: object) -> bytes:
        sent = None if body is None else msgspec.json.encode(body)
        with self._connector.exchange(method, path, sent) as answer:
            if answer.status >= 300:
                raise self._error(answer)
            if answer.kind != _JSON:
                raise stranger(answer.status, self.url)
            return self._read(answer)

    def _error(self, answer: Answer) -> PinnacleError:
        return error_of(answer.status, answer.kind, self._read(answer), self.url)

    def _read(self, answer: Answer) -> bytes:
        """Return all of an answer, which must neither be too large nor take for ever."""
        until = time.monotonic() + _LONGEST_SECONDS
        content = bytearray()
        while chunk := answer.read():
            content += chunk
            if len(content) > ANSWER_LIMIT or time.monotonic() > until:
                raise ServerError(f"the answer of {self.url} does not end", hint="is it the right address?")
        return bytes(content)

    def _not_understood(self, path: str) -> ServerError:
        """Return the error for an answer that makes no sense here: most probably the versions differ."""
        message = f"the answer of {self.url} to {path} cannot be understood"
        try:
            version = self._version_there()
        except PinnacleError:
            version = ""
        if version and version != self._version:
            return ServerError(message, hint=f"it is version {version}, this is {self._version}: update one")
        return ServerError(message, hint="is it a Pinnacle Backup server, of this version?")

    def _version_there(self) -> str:
        try:
            value = msgspec.json.decode(self._content("GET", f"{API}/session", None))
        except (msgspec.MsgspecError, RecursionError):
            return ""
        found = value.get("version", "") if isinstance(value, dict) else ""
        return found if isinstance(found, str) and found.isprintable() and len(found) < 40 else ""


def _query(values: dict[str, Any]) -> str:
    """Return the query of an address; what is empty is left out. Bytes that are no UTF-8 stay as they are."""
    pairs = [
        (name, each)
        for name, value in values.items()
        for each in (value if isinstance(value, tuple) else (value,))
        if each not in ("", 0, None, False)
    ]
    return f"?{urlencode(pairs, errors='surrogateescape')}" if pairs else ""
