"""What the tests of encryption share: an archive in memory, and a key slot that is sealed only once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from pinnacle_backup.crypto.envelope import EncryptedSink, EncryptedSource, read_head
from pinnacle_backup.crypto.password import _TURNS
from pinnacle_backup.crypto.slots import KeySlot, seal
from pinnacle_backup.crypto.turns import MOST_WAITING, Turns
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import BackupHeader, BackupTotals

PASSWORD = "correct horse"
MASTER_KEY = bytes(range(32))
REPOSITORY = "00112233445566778899aabbccddeeff"
HEADER = BackupHeader(
    repository=REPOSITORY, id="0f" * 16, type="full", created="2026-11-22T14:03:22.000000Z", safety=True
)
TOTALS = BackupTotals(entries=3, size=12_345, added=3, references=("ab" * 16,))


class Memory:
    """Bytes that can be written like a file of a store, and read like one."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.calls: list[str] = []

    def write(self, data: bytes) -> None:
        self.calls.append("write")
        self.data += data

    def check(self, sha256: str) -> None:
        self.calls.append("check")
        if hashlib.sha256(self.data).hexdigest() != sha256:
            raise DamagedError("other bytes came back")

    def commit(self) -> None:
        self.calls.append("commit")

    def abort(self) -> None:
        self.calls.append("abort")

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or offset + length > len(self.data):
            raise DamagedError("the file is too short")
        self.calls.append(f"read {offset} {length}")
        return bytes(self.data[offset : offset + length])

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    return Memory


@pytest.fixture(scope="session")
def header() -> BackupHeader:
    return HEADER


@pytest.fixture(scope="session")
def totals() -> BackupTotals:
    return TOTALS


@pytest.fixture(scope="session")
def master_key() -> bytes:
    return MASTER_KEY


@pytest.fixture(scope="session")
def repository() -> bytes:
    return bytes.fromhex(REPOSITORY)


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def slot() -> KeySlot:
    return seal(
        MASTER_KEY, PASSWORD, repository=bytes.fromhex(REPOSITORY), label="Ada", created=1_700_000_000
    )


@pytest.fixture(scope="session")
def encrypt(slot: KeySlot) -> Callable[..., bytes]:
    def encrypt(
        plain: bytes = b"plain stream", header: BackupHeader = HEADER, totals: BackupTotals = TOTALS
    ) -> bytes:
        file = Memory()
        sink = EncryptedSink(file, header, MASTER_KEY, [slot])
        sink.write(plain)
        sink.finish(totals)
        return bytes(file.data)

    return encrypt


@pytest.fixture(scope="session")
def open_source() -> Callable[..., EncryptedSource]:
    def open_source(archive: bytes, master_key: bytes = MASTER_KEY) -> EncryptedSource:
        source = Memory(archive)
        return EncryptedSource(source, read_head(source), master_key)

    return open_source


@pytest.fixture
def full_password_turns() -> Iterator[Turns]:
    """The turns of those who derive, while as many as may wait for it do so."""
    _TURNS._queue.extend(range(MOST_WAITING))
    yield _TURNS
    _TURNS._queue.clear()
