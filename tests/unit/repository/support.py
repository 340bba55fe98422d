"""Archives for tests of the repository: their facts as JSON, so that no archive has to be made."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.local import LocalStore

REPOSITORY = "0123456789abcdef" * 2


class Facts(msgspec.Struct):
    header: BackupHeader
    totals: BackupTotals
    encrypted: bool = False


class ReadFacts:
    """Reads the facts, and tells which archives it opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, source: ByteSource, name: str) -> tuple[BackupHeader, BackupTotals, bool]:
        self.opened.append(name)
        try:
            facts = msgspec.json.decode(source.read_at(0, source.size), type=Facts)
        except msgspec.MsgspecError as error:
            raise FormatError("this is no archive of Pinnacle Backup") from error
        return facts.header, facts.totals, facts.encrypted


def backup_id(number: int) -> str:
    return f"{number:032x}"


def header(number: int, *, base: int = 0, safety: bool = False, repository: str = REPOSITORY) -> BackupHeader:
    """Return the header of backup ``number``, made that many seconds after the beginning of 2024."""
    return BackupHeader(
        repository=repository,
        id=backup_id(number),
        type=INCREMENTAL if base else FULL,
        created=f"2024-01-{1 + number // 86400:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000000Z",
        base=backup_id(base) if base else "",
        safety=safety,
    )


def totals(*references: int) -> BackupTotals:
    return BackupTotals(entries=3, size=1000, references=tuple(map(backup_id, references)))


def archive(header: BackupHeader, totals: BackupTotals = BackupTotals(), *, encrypted: bool = False) -> bytes:
    return msgspec.json.encode(Facts(header, totals, encrypted))


def info(
    number: int, *references: int, base: int = 0, safety: bool = False, name: str = "", pinned: bool = False
) -> BackupInfo:
    return BackupInfo(
        name=name or f"backup_{number}.tar.gz",
        header=header(number, base=base, safety=safety),
        totals=totals(*references),
        stored=100,
        pinned=pinned,
    )


class Place:
    """A folder of backups with its catalog."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "backups"
        self.catalog = path / "state" / "catalog.db"
        self.read_facts = ReadFacts()
        self.store: Store = LocalStore(str(self.folder))

    def repository(self) -> Repository:
        """Open the repository as a new process would."""
        self.read_facts = ReadFacts()
        return Repository(self.store, Catalog(str(self.catalog)), read_facts=self.read_facts)

    def add(self, number: int, *references: int, base: int = 0, name: str = "", safety: bool = False) -> str:
        """Put an archive into the folder, as if it had been copied there."""
        name = name or f"backup_{number}.tar.gz"
        self.store.put(name, archive(header(number, base=base, safety=safety), totals(*references)))
        return name

    def names(self) -> set[str]:
        return {name for name in os.listdir(self.folder) if not name.startswith(".")}
