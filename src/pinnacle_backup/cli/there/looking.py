"""Questions to a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from pinnacle_backup.cli.there.asking import Asking, at, reference, sent, with_password
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.calendar import CalendarDay
from pinnacle_backup.model.drills import DrillRecord, Genuineness
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.queries import BackupDetails, Difference, ListedBackups, PathVersion, StudioStatus
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.runs import Run, RunLine
from pinnacle_backup.remote.following import Looked

if TYPE_CHECKING:
    from pinnacle_backup.app.browse import Browsed
    from pinnacle_backup.app.diff import Compared
    from pinnacle_backup.app.passwords import PasswordSource
    from pinnacle_backup.repository.listing import Listing

_PAGE = 1000
_RUNS = 500
_DIFFERENCES = 100_000


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a folder; ``next`` is the address of what follows."""

    entries: tuple[Entry, ...]
    next: str


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """Versions of paths, and the backups that were not searched."""

    versions: tuple[PathVersion, ...]
    problems: tuple[Problem, ...]


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What differs; ``more`` is how many differences are not named."""

    first: BackupInfo
    second: BackupInfo | None
    differences: tuple[Difference, ...]
    more: int


class Looking(Asking):
    """See ``cli.verbs.Looking``."""

    def backups(self) -> Listing:
        from pinnacle_backup.repository.listing import Listing

        found = self.listed()
        return Listing(found.backups, found.problems)

    def listed(self) -> ListedBackups:
        found = self._client.get("/backups", ListedBackups)
        return msgspec.structs.replace(found, directory=self._client.url)

    def details(self, name: str, passwords: PasswordSource) -> BackupDetails:
        details = self._client.get(at(name), BackupDetails)
        given = passwords.given(None) if details.backup.encrypted and details.summary is None else ()
        if not given:
            return details
        self._client.send("POST", at(name, "unlock"), dict, body=sent(given[0].value))
        return self._client.get(at(name), BackupDetails)

    @contextmanager
    def browse(
        self, name: str, path: str, *, recursive: bool, passwords: PasswordSource
    ) -> Iterator[Browsed]:
        from pinnacle_backup.app.browse import Browsed

        backup = self._unlocked(name, passwords)
        yield Browsed(backup, self._entries(backup, path, recursive=recursive))

    @contextmanager
    def find(
        self, pattern: str, passwords: PasswordSource, *, ignore_case: bool = False
    ) -> Iterator[Versions]:
        self._unlock_one(passwords)
        case = {"ignore_case": "true"} if ignore_case else {}
        yield self._client.get("/versions", Versions, path=pattern, **case)

    @contextmanager
    def compare(
        self, first: str, second: str | None, *, paths: tuple[str, ...], passwords: PasswordSource
    ) -> Iterator[Compared]:
        from pinnacle_backup.app.diff import Compared

        one = self._unlocked(first, passwords)
        other = self._unlocked(second, passwords) if second else None
        query: dict[str, Any] = {
            "from": reference(one),
            "to": reference(other) if other else "",
            "path": paths,
        }
        found = self._client.get("/diff", Differences, **query, limit=_DIFFERENCES)
        yield Compared(found.first, found.second, iter(found.differences))
        if found.more:
            self.notice(f"{found.more:,} more paths differ and are not shown; --path PATH narrows it down")

    def status(self) -> StudioStatus:
        return self._client.send("GET", "/backup/status", StudioStatus, api="")

    def runs(
        self,
        limit: int,
        *,
        verb: str = "",
        outcome: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Run]:
        times = {name: moment.isoformat() for name, moment in (("since", since), ("until", until)) if moment}
        found: list[Run] = []
        while len(found) < limit:
            below = found[-1].id if found else 0
            most = min(limit - len(found), _RUNS)
            more = self._client.get(
                "/runs",
                list[Run],
                member="runs",
                limit=most,
                verb=verb,
                outcome=outcome,
                below=below,
                **times,
            )
            found += more
            if len(more) < most:
                break
        return found

    def days(self) -> Sequence[CalendarDay]:
        return self._client.get("/calendar", list[CalendarDay], member="days")

    def run(self, number: int) -> tuple[Run, Sequence[RunLine]]:
        found = self._client.get(f"/runs/{number}", Looked)
        return found.run, found.log

    def drills(self) -> Sequence[DrillRecord]:
        return self._client.get("/drills", list[DrillRecord], member="drills")

    def drill_report(self, reference: str) -> tuple[Genuineness, str]:
        wanted = reference or next((drill.id for drill in self.drills()), "")
        if not wanted:
            raise BackupNotFound("there is no report yet", hint="`drill` makes one")
        found = self._client.get(f"/drills/{quote(wanted, safe='')}", Genuineness)
        return found, self.page_of(found.report.id)

    def _unlocked(self, name: str, passwords: PasswordSource) -> BackupInfo:
        """Return a backup that the server can read from now on."""
        details = self._client.get(at(name), BackupDetails)
        if details.backup.encrypted and details.summary is None:
            with_password(passwords, "of the backup", lambda body: self._unlock(details.backup, body))
        return details.backup

    def _unlock(self, backup: BackupInfo, body: dict[str, str]) -> None:
        if body:
            self._client.send("POST", at(reference(backup), "unlock"), dict, body=body)
        else:  # the server may have been given the password
            self._client.get(at(reference(backup), "entries"), Entries, limit=1)

    def _unlock_one(self, passwords: PasswordSource) -> None:
        """Give the server a password that was given; it serves all backups that it opens."""
        given = passwords.given(None)
        encrypted = [backup for backup in self.backups().backups if backup.encrypted] if given else []
        if encrypted:
            self._unlock(encrypted[0], sent(given[0].value))

    def _entries(self, backup: BackupInfo, path: str, *, recursive: bool) -> Iterator[Entry]:
        for entry in self._folder(backup, path):
            yield entry
            if recursive and entry.type == DIRECTORY and entry.path != path:
                yield from self._entries(backup, entry.path, recursive=True)

    def _folder(self, backup: BackupInfo, path: str) -> Iterator[Entry]:
        after = ""
        while True:
            page = self._client.get(
                at(reference(backup), "entries"), Entries, path=path, after=after, limit=_PAGE
            )
            yield from page.entries
            if not page.next or not page.entries:
                return
            after = page.entries[-1].path
