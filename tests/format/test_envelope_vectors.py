"""
Byte-exact vectors of the envelope (format.md, section 6).

``vectors/envelope.json`` never changes while the format has its version. What our code writes is compared
with it, and with a second writer below, made from the page alone. The plain stream of a case is the first
``length`` bytes of 0, 1, ... 250, 0, 1, ...
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import unicodedata
from functools import cache
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pinnacle_backup import errors
from pinnacle_backup.crypto.envelope import EncryptedSink, EncryptedSource, KeyRing, read_head, read_totals
from pinnacle_backup.crypto.slots import KeySlot, seal
from pinnacle_backup.model.backup import BackupHeader, BackupTotals

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("envelope.json").read_text("utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}
DAMAGED = {case["name"]: case for case in VECTORS["damaged"]}
REPOSITORY = bytes.fromhex(VECTORS["repository"])
MASTER_KEY = bytes.fromhex(VECTORS["master_key"])


class Memory:
    """A file in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    def write(self, data: bytes) -> None:
        self.data += data

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])


def plain_of(case: dict) -> bytes:
    return (bytes(range(251)) * (case["length"] // 251 + 1))[: case["length"]]


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, 2.3, with SHA-512."""
    output = block = b""
    for number in range(1, -(-length // 64) + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha512")
        output += block
    return output[:length]


@cache
def second_slot() -> bytes:
    """Section 6.2."""
    want = VECTORS["slot"]
    label = want["label"].encode()
    prefix = struct.pack(">BIII", 1, want["memory_kib"], want["passes"], want["lanes"])
    prefix += (
        bytes.fromhex(want["salt"]) + struct.pack(">QB", want["created"], len(label)) + label.ljust(63, b"\0")
    )
    k = Argon2id(
        salt=bytes.fromhex(want["salt"]),
        length=32,
        iterations=want["passes"],
        lanes=want["lanes"],
        memory_cost=want["memory_kib"],
    ).derive(unicodedata.normalize("NFC", VECTORS["password"]).encode("utf-8"))
    w_c = hkdf_expand(k, b"pinnacle-backup 1 slot" + prefix + REPOSITORY, 64)
    sealed = AESGCM(w_c[:32]).encrypt(bytes(12), MASTER_KEY, prefix + REPOSITORY)
    body = prefix + w_c[32:] + sealed
    return body + hashlib.sha256(body).digest() + bytes(299)


def second_writer(case: dict) -> bytes:
    """Sections 6.1, 6.3 and 6.4."""
    text, salt, plain = case["header"].encode(), bytes.fromhex(case["salt"]), plain_of(case)
    head = b"PinnacleBackup\0\1" + len(text).to_bytes(4, "big") + text
    head += bytes(992 - len(head))
    head += hashlib.sha256(head).digest()
    s = hkdf_expand(MASTER_KEY, b"pinnacle-backup 1 archive" + REPOSITORY, 32)
    keys = hkdf_expand(s, b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + head, 76)
    key, base, commitment = keys[:32], int.from_bytes(keys[32:44], "big"), keys[44:]
    archive = head + second_slot() + bytes(7 * 512) + salt + commitment
    for number in range(len(plain) // 16_384 + 1):
        segment = plain[number * 16_384 : (number + 1) * 16_384]
        archive += AESGCM(key).encrypt((base ^ number).to_bytes(12, "big"), segment, None)
    totals = case["totals"].encode()
    f = hkdf_expand(MASTER_KEY, b"pinnacle-backup 1 footer" + REPOSITORY + salt, 32)
    mac = hmac.digest(f, head + totals, "sha256")
    checksum = hashlib.sha256(head + totals + mac).digest()
    return archive + totals + mac + checksum + len(totals).to_bytes(4, "big") + b"PBFOOTER"


def our_writer(case: dict) -> bytes:
    file = Memory()
    sink = EncryptedSink(
        file,
        msgspec.json.decode(case["header"], type=BackupHeader),
        MASTER_KEY,
        [KeySlot.decode(second_slot())],
        randomness=lambda _: bytes.fromhex(case["salt"]),
    )
    sink.write(plain_of(case))
    sink.finish(msgspec.json.decode(case["totals"], type=BackupTotals))
    return bytes(file.data)


def damage(archive: bytes, changes: list[list]) -> bytes:
    """Apply the changes of a vector, one after the other."""
    data = bytearray(archive)
    for kind, *arguments in changes:
        match kind, arguments:
            case "keep", [length]:
                del data[length:]
            case "cut", [start, end]:
                del data[start:end]
            case "append", [more]:
                data += bytes.fromhex(more)
            case "xor", [offset, mask]:
                data[offset] ^= mask
            case "set", [offset, replacement]:
                new = bytes.fromhex(replacement)
                data[offset : offset + len(new)] = new
            case "swap", [one, other, length]:
                first, second = data[one : one + length], data[other : other + length]
                data[one : one + length], data[other : other + length] = second, first
            case "sum", [start, end]:  # make the checksum after a range fit again
                data[end : end + 32] = hashlib.sha256(data[start:end]).digest()
            case _:
                raise AssertionError(kind)
    return bytes(data)


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing([VECTORS["password"]])


def read_all(archive: bytes, ring: KeyRing) -> tuple[BackupHeader, bytes, BackupTotals]:
    source = Memory(archive)
    head = read_head(source)
    head.check_slots()
    key = ring.master_key(head)
    totals = read_totals(source, head, key)
    plain = EncryptedSource(source, head, key)
    return head.header, plain.read_at(0, plain.size), totals


def test_the_slot_is_the_vectors():
    want = VECTORS["slot"]
    ours = seal(
        MASTER_KEY,
        VECTORS["password"],
        repository=REPOSITORY,
        label=want["label"],
        created=want["created"],
        randomness=lambda _: bytes.fromhex(want["salt"]),
    )

    assert ours.encode().hex() == second_slot().hex() == want["bytes"] + "00" * 299


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("write", [our_writer, second_writer], ids=["ours", "from the page"])
def test_the_archive_is_the_vectors(name, write):
    case = CASES[name]
    archive = write(case)

    assert archive[5_144:5_176].hex() == case["commitment"]
    assert archive[5_176:5_192].hex() == case["first_bytes"]
    assert archive[-len(case["footer"]) // 2 :].hex() == case["footer"]
    assert len(archive) == case["size"]
    assert hashlib.sha256(archive).hexdigest() == case["sha256"]


@pytest.mark.parametrize("name", CASES)
def test_the_archive_can_be_read(name, ring):
    case = CASES[name]
    header, plain, totals = read_all(second_writer(case), ring)

    assert header == msgspec.json.decode(case["header"], type=BackupHeader)
    assert plain == plain_of(case)
    assert totals == msgspec.json.decode(case["totals"], type=BackupTotals)


@pytest.mark.parametrize("name", DAMAGED)
def test_each_damage_is_the_error_that_it_is(name, ring):
    """One failure in each vector."""
    vector = DAMAGED[name]
    archive = damage(second_writer(CASES[vector["case"]]), vector["changes"])
    keys = KeyRing([vector["password"]]) if "password" in vector else ring

    with pytest.raises(errors.PinnacleError) as caught:
        read_all(archive, keys)
    assert caught.value.code == vector["error"], caught.value
