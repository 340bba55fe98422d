"""
Adding, changing and removing passwords: key slots are rewritten, the data never is.

What is decided for an archive is a list of edits; ``key_edits`` carries them out so that a crash between any
two steps leaves an archive that one of the passwords opens, and the same command again completes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from pinnacle_backup.crypto.envelope import Head, read_head, with_slot, without_slot
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import EMPTY_SLOT
from pinnacle_backup.engine.key_edits import Edit, carry_out
from pinnacle_backup.engine.key_slots import NewPassword, meant, opened
from pinnacle_backup.engine.verified import keep_verified
from pinnacle_backup.errors import DamagedError, PasswordError, PinnacleError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import ArchiveKeys, KeyReport, KeySlotInfo
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store

_LATEST: Final = 253_402_300_799
"""The end of the year 9999, in seconds since 1970: later times cannot be shown."""

Decide = Callable[[Head], Sequence[Edit]]
Prepare = Callable[[Mapping[str, Head]], Decide]


def encrypted(listing: Listing, names: Iterable[str]) -> tuple[BackupInfo, ...]:
    """
    Return the encrypted backups that a person means: of these names, or all.

    Raises:
        UsageError: One that was named is not encrypted.
    """
    named = {info.name: info for info in map(listing.find, names)}
    for info in named.values():
        if not info.encrypted:
            raise UsageError(f"{printable(info.name)} is not encrypted: it has no passwords")
    return tuple(named.values()) or tuple(info for info in listing.backups if info.encrypted)


def slots_of(repository: Repository, names: Iterable[str]) -> tuple[ArchiveKeys, ...]:
    """Return the used key slots of these backups, or of all; no password needed."""
    found = []
    for info in encrypted(repository.listing(), names):
        head = _head_of(repository.store, info.name)
        found.append(ArchiveKeys(name=info.name, slots=tuple(_shown(head))))
    return tuple(found)


def add(
    repository: Repository,
    names: Iterable[str],
    *,
    known: KeyRing,
    new: NewPassword,
    label: str,
    wait_seconds: float,
) -> KeyReport:
    """
    Add a password to these backups, or to all; those that have it stay as they are.

    Args:
        repository: Where they are.
        names: In a person's words.
        known: Opens them; what it does not open is skipped.
        new: The password.
        label: What it is called in lists.
        wait_seconds: How long to wait for other commands.

    Raises:
        PasswordError: The known password opens none of them.
        UsageError: The label will not do, or none of them has a free key slot.
        RepositoryBusy: Others still held the repository at the end of the wait.
    """
    if label.isdecimal():
        raise UsageError(f"the label {label!r} would be taken for the number of a key slot")

    def decide(head: Head) -> Sequence[Edit]:
        master_key = known.master_key(head)
        return () if new.opens(head) else (with_slot(head, new.slot(head, master_key, label)),)

    return _change(repository, names, lambda _: decide, wait_seconds).report()


def change(
    repository: Repository, names: Iterable[str], *, old: KeyRing, new: NewPassword, wait_seconds: float
) -> KeyReport:
    """
    Replace a password in these backups, or in all that it opens; see ``add``.

    The new password has its slot before the old one loses its own.
    """

    def decide(head: Head) -> Sequence[Edit]:
        has_new, has_old = new.opens(head), opened(old, head)
        if has_new.keys() & has_old.keys():
            raise UsageError("the new password is the old one")
        if has_new and not has_old:  # an earlier run did it
            return ()
        if not has_old:
            old.unlock(head)  # says why it cannot
        edits = [] if has_new else [_successor(head, has_old, new)]
        return (*edits, *((index, EMPTY_SLOT) for index in has_old))

    return _change(repository, names, lambda _: decide, wait_seconds).report()


def remove(
    repository: Repository, names: Iterable[str], *, slot: str, known: KeyRing, wait_seconds: float
) -> KeyReport:
    """
    Remove a password from these backups, or from all; see ``add``.

    Args:
        repository: Where they are.
        names: In a person's words.
        slot: Label or number of its key slot.
        known: Opens them without that slot.
        wait_seconds: How long to wait for other commands.

    Raises:
        UsageError: There is no such slot, it is the last one, or it is not clear which one is meant.
    """

    def prepare(heads: Mapping[str, Head]) -> Decide:
        within_reach = [head for head in heads.values() if opened(known, head)]
        for head in () if within_reach else heads.values():
            known.unlock(head)  # says why it cannot
        find = meant(slot, within_reach)
        return lambda head: _removal(head, find(head), slot, known)

    outcome = _change(repository, names, prepare, wait_seconds)
    if not outcome.changed:
        outcome.done.clear()  # where the slot is not, it was not removed
    if not outcome.changed and not outcome.failed:
        raise UsageError(f"no backup has a key slot {slot!r}", hint="`key list` shows all")
    return outcome.report()


def _successor(head: Head, has_old: Mapping[int, bytes], new: NewPassword) -> Edit:
    """Return the slot of the new password, which takes over the label of the old one."""
    index, master_key = next(iter(has_old.items()))
    slot = head.slots[index]
    return with_slot(head, new.slot(head, master_key, slot.label if slot else ""))


def _removal(head: Head, indices: Sequence[int], slot: str, known: KeyRing) -> Sequence[Edit]:
    if not indices:
        return ()
    if len(indices) > 1:
        raise UsageError(f"{len(indices)} key slots are called {slot!r}", hint="give the number instead")
    index = indices[0]
    edit = (index, without_slot(head, index))
    left = tuple(None if i == index else other for i, other in enumerate(head.slots))
    if not opened(known, msgspec.structs.replace(head, slots=left)):
        known.unlock(head)  # says why, where it opens nothing at all
        raise PasswordError(
            "the password that was given is the one to remove",
            hint="give one that stays, so that it is sure that somebody knows it",
        )
    return (edit,)


@dataclass
class _Outcome:
    """
    What became of each archive.

    Attributes:
        changed: Those that were.
        done: Those where nothing was to be done.
        failed: The others, and why.
    """

    changed: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    failed: dict[str, PinnacleError] = field(default_factory=dict)

    def report(self) -> KeyReport:
        """Return it for people; where all failed, raise the first reason."""
        if not self.changed and not self.done:
            raise next(iter(self.failed.values()))
        skipped = tuple(Problem(printable(name), error.message) for name, error in self.failed.items())
        return KeyReport(changed=tuple(self.changed), skipped=skipped)

    @contextlib.contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Let one archive fail without the others."""
        try:
            yield
        except (PasswordError, UsageError, DamagedError) as error:
            self.failed[name] = error


def _change(repository: Repository, names: Iterable[str], prepare: Prepare, wait_seconds: float) -> _Outcome:
    """Carry out what is decided for each archive."""
    store, outcome = repository.store, _Outcome()
    with repository.cleaner("key", wait_seconds=wait_seconds) as cleaner:
        infos = encrypted(cleaner.listing, names)
        if not infos:
            raise UsageError("no backup is encrypted")
        before = repository.catalog.backups()
        heads: dict[str, Head] = {}
        for info in infos:
            with outcome.attempt(info.name):
                heads[info.name] = _head_of(store, info.name)
        decide = prepare(heads)
        for name, head in heads.items():
            with outcome.attempt(name):
                (outcome.changed if carry_out(store, name, decide(head)) else outcome.done).append(name)
        repository.list()  # the files have changed: the catalog reads them again
        changed = frozenset(outcome.changed)
        keep_verified(
            repository.catalog, before, lambda old, new: new.name in changed and old.header == new.header
        )
    return outcome


def _head_of(store: Store, name: str) -> Head:
    source = store.open(name)
    try:
        return read_head(source)
    except DamagedError as error:
        raise DamagedError(f"{printable(name)}: {error.message}", hint=error.hint) from error
    finally:
        source.close()


def _shown(head: Head) -> Iterator[KeySlotInfo]:
    for index, slot in enumerate(head.slots):
        if slot is not None:
            created = datetime.fromtimestamp(min(slot.created, _LATEST), UTC)
            yield KeySlotInfo(number=index + 1, label=slot.label, created=f"{created:%Y-%m-%dT%H:%M:%SZ}")
