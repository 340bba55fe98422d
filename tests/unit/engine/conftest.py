"""Archives made by hand: a repository whose every byte a test has chosen."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto import keyring, password, slots
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.engine.output import Encryption, Output
from pinnacle_backup.model.backup import (
    FULL,
    INCREMENTAL,
    BackupHeader,
    BackupInfo,
    BackupSummary,
    BackupTotals,
)
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FILE, Entry, Extent, PageTable
from pinnacle_backup.model.paths import order_key
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.companions import write_sidecar
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.store.local import LocalStore

REPOSITORY = "5" * 32
MASTER_KEY = bytes(range(32))
CHUNK = 256 << 10

Content = tuple[Entry, bytes]


class Archives:
    """
    Makes archives in a folder.

    Args:
        directory: The folder.
        scratch: For temporary files.
    """

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.store = LocalStore(str(directory))
        self.scratch = str(scratch)
        self.infos: list[BackupInfo] = []
        self.passwords: list[str] = []
        self._codec = codec_of("gzip")

    def file(self, path: str, content: bytes = b"", **facts: object) -> Content:
        """Return a file's entry, extents to come, and its content with holes left out."""
        holes = facts.get("holes", ())
        assert isinstance(holes, tuple)
        size = len(content) + sum(length for _, length in holes)
        sha256 = hashlib.sha256(content).hexdigest()
        entry = Entry(path=path, type=FILE, mode=0o644, size=size, sha256=sha256)
        return msgspec.structs.replace(entry, **facts), content

    def folder(self, path: str, **facts: object) -> Content:
        """Return a folder's entry."""
        return msgspec.structs.replace(Entry(path=path, type=DIRECTORY, mode=0o755), **facts), b""

    def database(self, path: str, content: bytes) -> Content:
        """Return the entry of a database; its page table is made when it is written."""
        page_size = int.from_bytes(content[16:18], "big")
        return self.file(path, content, pages=PageTable(page_size, ()))

    def gone(self, path: str) -> Content:
        """Return the line that says that a path is gone."""
        return Entry(path=path, type=ABSENT), b""

    def add(
        self,
        name: str,
        contents: Iterable[Content],
        *,
        created: str = "2026-11-20T02:00:00.000000Z",
        base: BackupInfo | None = None,
        totals: BackupTotals | None = None,
        encrypted: bool = False,
        together: int = 3,
        sidecar: bool = True,
        safety: bool = False,
    ) -> BackupInfo:
        """
        Write an archive and return what is listed of it.

        Args:
            name: Of the archive.
            contents: In any order.
            created, base, totals, encrypted, safety: What the archive says of itself.
            together: How many small files share a member.
            sidecar: Whether it gets one.
        """
        header = BackupHeader(
            repository=REPOSITORY,
            id=hashlib.sha256(name.encode()).hexdigest()[:32],
            type=INCREMENTAL if base else FULL,
            created=created,
            base=base.header.id if base else "",
            safety=safety,
        )
        output = Output(self.store.create(name), header, _encryption() if encrypted else None)
        ordered = sorted(contents, key=lambda content: order_key(content[0].path))
        totals = totals or BackupTotals(
            entries=sum(entry.type != ABSENT for entry, _ in ordered),
            size=sum(entry.size for entry, _ in ordered),
            references=(base.header.id,) if base else (),
        )
        writer = ArchiveWriter(output, self._codec, level=1, scratch=self.scratch)
        self._write(writer, ordered, together)
        archives = (header.id, base.header.id) if base else (header.id,)
        writer.finish(
            lambda index: BackupSummary(
                backup=header,
                totals=totals,
                tool="test",
                host="test",
                sources=(),
                archives=archives,
                index=index,
                databases=tuple(entry.path for entry, _ in ordered if entry.pages is not None),
            )
        )
        sha256 = output.finish(totals, writer.sha256)
        output.commit(sha256)
        writer.close()
        if sidecar:
            write_sidecar(self.store, name, sha256)
        stored = os.path.getsize(self.path(name))
        info = BackupInfo(name=name, header=header, totals=totals, stored=stored, encrypted=encrypted)
        self.infos.append(info)
        return info

    def path(self, name: str) -> str:
        """Return where an archive lies."""
        return os.path.join(self.store.directory, name)

    def opener(self) -> OpenByName:
        """Return what opens all archives."""
        return OpenByName(
            self.store, {info.header.id: info.name for info in self.infos}, KeyRing(self.passwords)
        )

    def state(self, info: BackupInfo) -> State:
        """Return the complete state of a backup."""
        return State(info.header.id, self.opener())

    def repository(self) -> Repository:
        """Return the repository of these archives."""
        return Repository(self.store, Catalog(None), read_facts=read_facts)

    def change(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes of an archive."""
        with open(self.path(name), "r+b") as file:
            file.seek(offset)
            file.write(data)

    def _write(self, writer: ArchiveWriter, ordered: Iterable[Content], together: int) -> None:
        waiting: list[Content] = []
        for entry, content in ordered:
            if len(content) > 1 << 20 or entry.pages is not None:
                self._write_large(writer, entry, content)
            elif entry.type != ABSENT:
                waiting.append((entry, content))
            if len(waiting) == together:
                self._write_bundle(writer, waiting)
                waiting = []
        self._write_bundle(writer, waiting)
        for entry, _ in ordered:
            writer.add(entry)

    def _write_bundle(self, writer: ArchiveWriter, bundle: list[Content]) -> None:
        data = b""
        starts = []
        for entry, content in bundle:
            data += tar.header(entry, len(content))
            starts.append(len(data))
            data += content + tar.padding(len(content))
        if not data:
            return
        member = self._codec.compress(data, 1)
        offset = writer.append(member)
        for (entry, content), start in zip(bundle, starts, strict=True):
            if content:
                entry.extents = (Extent(0, offset, len(member), start, len(content)),)

    def _write_large(self, writer: ArchiveWriter, entry: Entry, content: bytes) -> None:
        writer.append(self._codec.compress(tar.header(entry, len(content)), 1))
        entry.extents = self._write_chunks(writer, content)
        writer.append(self._codec.store(tar.padding(len(content))))
        if entry.pages is not None:
            table = bytes(16 * -(-entry.size // entry.pages.page_size))
            header = tar.header(Entry(path=".pinnacle/chunks/00000001", type=FILE), len(table))
            writer.append(self._codec.compress(header, 1))
            entry.pages = PageTable(entry.pages.page_size, self._write_chunks(writer, table))
            writer.append(self._codec.store(tar.padding(len(table))))

    def _write_chunks(self, writer: ArchiveWriter, content: bytes) -> tuple[Extent, ...]:
        extents = []
        for start in range(0, len(content), CHUNK):
            chunk = content[start : start + CHUNK]
            member = self._codec.compress(chunk, 1)
            extents.append(Extent(0, writer.append(member), len(member), 0, len(chunk)))
        return tuple(extents)


@functools.cache
def _encryption() -> Encryption:
    slot = seal(
        MASTER_KEY,
        "right",
        repository=bytes.fromhex(REPOSITORY),
        label="",
        created=1_767_225_600,
    )
    return Encryption(MASTER_KEY, (slot,))


@pytest.fixture(scope="package", autouse=True)
def _each_key_is_derived_once() -> Iterator[None]:
    """Have a key that was derived remembered: what that costs, and that it does, is for the tests of encryption."""
    with pytest.MonkeyPatch.context() as patch:
        derive = functools.cache(password.derive)
        for module in (keyring, slots):
            patch.setattr(module, "derive", derive)
        yield


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    """An empty folder of archives."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Archives(tmp_path / "backups", scratch)
