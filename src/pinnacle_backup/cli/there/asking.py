"""What all verbs for a server share: the client, the run that is followed, the password sent along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import PasswordError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.runs import RunLine
from pinnacle_backup.remote.client import Client
from pinnacle_backup.remote.following import Following

if TYPE_CHECKING:
    from pinnacle_backup.app.passwords import PasswordSource
    from pinnacle_backup.cli.context import Context

T = TypeVar("T")


class Asking:
    """
    Asks a server.

    Args:
        client: Leads to it.
        context: Where to tell a person what goes on.
    """

    def __init__(self, client: Client, context: Context) -> None:
        self._client = client
        self._context = context

    def now(self) -> datetime:
        """Return the time now."""
        return datetime.now(UTC)

    def page_of(self, drill: str) -> str:
        """Return where a browser shows the report of a drill."""
        return f"{self._client.url}/drills/{drill}"

    def line(self, run: int, line: RunLine) -> None:
        """Show a line of a run's log to a person who wants to know more."""
        context = self._context
        if context.settings.verbose and not context.out.as_json:
            context.out.note(f"run {run}: {printable(line.text)}")

    def notice(self, text: str) -> None:
        """Tell a person at once."""
        self._context.out.warn(text)

    def _start(self, path: str, body: dict[str, Any], progress: Progress) -> Following:
        """Start a run, and return who follows it."""
        number = self._client.send("POST", path, int, body=body, member="run")
        return Following(self._client, number, progress=progress, told=self)

    def _found(self, path: str, body: dict[str, Any], kind: type[T], progress: Progress) -> T:
        """Start a run, follow it to its end, and return what it found."""
        return self._start(path, body, progress).found(kind)


def with_password(passwords: PasswordSource, purpose: str, work: Callable[[dict[str, str]], T]) -> T:
    """
    Do what may take a password, which is sent along; ask a person only where the server needs one.

    Args:
        passwords: Those that were given.
        purpose: For whom it asks.
        work: Takes what belongs into the request's body.
    """
    given = passwords.given(None)
    try:
        return work(sent(given[0].value) if given else {})
    except PasswordError:
        if given:
            raise
        return work(sent(passwords.ask(purpose).value))


def sent(password: Secret) -> dict[str, str]:
    """Return the member of a request's body that holds a password."""
    return {"password": password.reveal()}


def at(name: str, *rest: str) -> str:
    """
    Return the address of a backup, or of something below it.

    Raises:
        UsageError: It names a file, and the server reads none of this machine.
    """
    if "/" in name:
        raise UsageError(
            f"{printable(name)} is a file, and a server knows only its own backups",
            hint="leave --server out to read an archive on this machine",
        )
    return "/".join(("/backups", quote(name, safe="", errors="surrogateescape"), *rest))


def reference(backup: BackupInfo) -> str:
    """Return what names this very backup, whatever characters its name holds."""
    return backup.header.id
