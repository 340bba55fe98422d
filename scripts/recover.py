#!/usr/bin/env python3
"""
Turn a backup into a folder without Pinnacle Backup: this one file is enough.

    python3 recover.py ARCHIVE TARGET [--password-file FILE]

Without FILE the password is that of the variable PINNACLE_PASSWORD, else it is asked for.
Needs Linux and Python 3.9 or newer; for .enc also the package cryptography, for .tar.zst before Python 3.14
backports.zstd. Archives that ARCHIVE builds on must lie beside it, under whatever name. As root, owners come
back too. What is damaged is named and left out, the rest is recovered, and the exit code is 1.
Written from docs/design/format.md alone: the numbers in comments are its sections.
"""

# ruff: noqa: E401, I001, PLC0415 - few lines, and the packages only where they are needed
import argparse, base64, contextlib, functools, getpass, hashlib, hmac, importlib, itertools
import json, os, pathlib, struct, sys, unicodedata, zlib
from collections.abc import Callable, Iterator
from typing import Any

Entry = dict[str, Any]
MEMBER = bytes.fromhex("1f8b08000000000000ff")
GZIP_TRAILER = bytes.fromhex("1f8b08040000000000ff5c0050425800"), bytes.fromhex("03000000000000000000")
ZSTD_TRAILER = bytes.fromhex("5e2a4d1858000000"), b""


def check(fine: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not fine:
        raise ValueError(otherwise)


def expand(key: bytes, info: bytes) -> bytes:  # HKDF-Expand-SHA-512 (RFC 5869, 2.3), the first 128 bytes
    first = hmac.digest(key, info + b"\1", "sha512")
    return first + hmac.digest(key, first + info + b"\2", "sha512")


def name_of(entry: Entry, key: str) -> bytes:
    return base64.b64decode(entry.get(key + "_base64", "")) or entry.get(key, "").encode()


class Archive:
    """An archive: its plain stream, its members, the lines of its manifest."""

    def __init__(self, path: str, passwords: list[str]) -> None:
        self.file = open(path, "rb")  # noqa: SIM115 - until the end of the process
        self.size = self.stored_size = self.file.seek(0, os.SEEK_END)
        self.read = self.stored  # as it is, where it is not encrypted
        if self.stored(0, 14) == b"PinnacleBackup":
            self.decrypt(passwords)
        start, end = GZIP_TRAILER if self.read(0, 2) == MEMBER[:2] else ZSTD_TRAILER
        length = len(start) + 88 + len(end)
        trailer = self.read(self.size - length, length)  # 4
        check(trailer.startswith(start) and trailer.endswith(end), "no trailer: it was cut, or is no backup")
        place, stored, _, sha256 = struct.unpack_from(">QQQ32s", trailer, len(start))
        self.summary = json.loads(self.member(place, stored, sha256.hex()))  # 3.3
        check(self.summary["backup"].get("format", 1) == 1, "its format is newer: use a newer recover.py")

    def stored(self, offset: int, length: int) -> bytes:
        check(0 <= offset <= offset + length <= self.stored_size, "it was cut, or points outside itself")
        self.file.seek(offset)
        return self.file.read(length)

    def decrypt(self, passwords: list[str]) -> None:
        """Find the master key in a slot (6.2), then the keys of the segments (6.3)."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        head, salt, commitment = self.stored(0, 1024), self.stored(5120, 24), self.stored(5144, 32)
        check(hashlib.sha256(head[:992]).digest() == head[992:], "its head is damaged")
        check(head[14:16] == b"\0\1", "its version is newer: use a newer recover.py")
        repository = bytes.fromhex(json.loads(head[20:992].rstrip(b"\0"))["repository"])
        passwords += [] if passwords else [os.environ.get("PINNACLE_PASSWORD") or getpass.getpass()]
        for password, place in itertools.product(passwords, range(1024, 5120, 512)):
            slot = self.stored(place, 512)
            kind, memory, passes, lanes, slot_salt = struct.unpack_from(">BIII16s", slot)
            if kind != 1 or hashlib.sha256(slot[:181]).digest() != slot[181:213]:
                continue  # empty or damaged
            sane = 2**16 <= memory <= 2**20 and 3 <= passes <= 16 and 1 <= lanes <= 16
            check(sane, "a key slot asks for too much or too little")
            kdf = Argon2id(salt=slot_salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
            secret = kdf.derive(unicodedata.normalize("NFC", password).encode())
            keys = expand(secret, b"pinnacle-backup 1 slot" + slot[:101] + repository)
            if hmac.compare_digest(keys[32:64], slot[101:133]):
                master_key = AESGCM(keys[:32]).decrypt(bytes(12), slot[133:181], slot[:101] + repository)
                break
        else:
            raise ValueError("wrong password, or damaged key slots")
        archive_key = expand(master_key, b"pinnacle-backup 1 archive" + repository)[:32]
        keys = expand(archive_key, b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + head)
        check(hmac.compare_digest(keys[44:76], commitment), "its head was changed")
        self.cipher, self.base_nonce = AESGCM(keys[:32]), int.from_bytes(keys[32:44], "big")
        totals, end = struct.unpack(">I8s", self.stored(self.stored_size - 12, 12))  # 6.4
        last, rest = divmod(self.stored_size - 5176 - 76 - totals, 16_400)
        check(end == b"PBFOOTER" and last >= 0 and rest >= 16, "it was cut")
        self.size, self.read = last * 16_384 + rest - 16, self.decrypted
        self.read(self.size, 0)  # only an authentic last segment proves that the archive ends here

    def decrypted(self, offset: int, length: int) -> bytes:
        check(0 <= offset <= offset + length <= self.size, "it points outside itself")
        first, plain = offset // 16_384, bytearray()
        for number in range(first, (offset + length) // 16_384 + 1):
            stored = self.stored(5176 + number * 16_400, min(16_384, self.size - number * 16_384) + 16)
            plain += self.cipher.decrypt((self.base_nonce ^ number).to_bytes(12, "big"), stored, None)
        return bytes(plain[offset - first * 16_384 :][:length])

    @functools.lru_cache(maxsize=4)  # noqa: B019 - neighbours share a member
    def member(self, place: int, length: int, sha256: str = "") -> bytes:
        """Return what a member holds (1)."""
        stored = self.read(place, length)
        check(sha256 in ("", hashlib.sha256(stored).hexdigest()), "the manifest is damaged")
        decoder: Any = zlib.decompressobj(31)
        if not stored.startswith(MEMBER):
            module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
            decoder = importlib.import_module(module).ZstdDecompressor()
        data: bytes = decoder.decompress(stored, 64 << 20)
        check(decoder.eof and not decoder.unused_data, "a member is damaged")
        return data

    def entries(self, report: Callable[[bytes, object], None]) -> Iterator[Entry]:
        """Yield the manifest's lines (3.1), each with the table that its extents count in."""
        for first, place, length, _, sha256 in self.summary["index"]:
            try:
                for line in self.member(place, length, sha256).splitlines():
                    entry = json.loads(line)
                    yield {**entry, "name": name_of(entry, "path"), "archives": self.summary["archives"]}
            except Exception as error:  # noqa: BLE001 - the other parts are worth having
                report(base64.b64decode(first), f"lost, with paths that follow it: {error!r}")


class Recovery:
    """Makes the entries of a backup in the current folder, which was empty."""

    def __init__(self, path: str, passwords: list[str]) -> None:
        self.failed, self.first_names = 0, dict[Any, bytes]()
        self.folder, self.passwords = os.path.dirname(os.path.abspath(path)), passwords
        archive = Archive(path, passwords)
        self.archives = {archive.summary["backup"]["id"]: archive}
        base = archive.summary["backup"].get("base")  # its lines count where the incremental has none
        self.manifests = [archive, *([self.archives[base]] if base and self.find(base) else [])]
        for backup in set(itertools.chain(*(manifest.summary["archives"] for manifest in self.manifests))):
            self.find(backup)

    def find(self, backup: str) -> bool:
        """Open the archive of a backup, which lies in the same folder."""
        for name in [] if backup in self.archives else os.listdir(self.folder):
            with contextlib.suppress(Exception), open(os.path.join(self.folder, name), "rb") as file:
                start = file.read(1024)
                encrypted = start.startswith(b"PinnacleBackup")
                if not encrypted or json.loads(start[20:992].rstrip(b"\0"))["id"] == backup:
                    archive = Archive(file.name, self.passwords)
                    self.archives.setdefault(archive.summary["backup"]["id"], archive)
        if backup not in self.archives:
            self.report(b"backup " + backup.encode(), f"no archive in {self.folder} has this id and opens")
        return backup in self.archives

    def report(self, path: bytes, reason: object) -> None:
        self.failed += 1
        print(f"{os.fsdecode(path)!r}: {reason}", file=sys.stderr)

    def run(self) -> None:
        """Make real folders first and links last: no link ever stands on the way to what is written."""
        seen, later = set[bytes](), list[Entry]()
        for entry in itertools.chain(*(manifest.entries(self.report) for manifest in self.manifests)):
            new = entry["name"] not in seen and entry.get("type") != "absent"
            seen.add(entry["name"])
            if new and entry.get("type") in ("symlink", "directory"):
                later += [entry] if self.attempt(self.make_folder, entry) else []
            elif new:
                self.attempt(self.make, entry)
        for entry in reversed(later):
            self.attempt(self.make, entry)

    def attempt(self, act: Callable[[Entry], None], entry: Entry) -> bool:
        try:
            act(entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next path is worth having
            self.report(entry["name"], repr(error))
            return False
        return True

    def make_folder(self, entry: Entry) -> None:
        path = entry["name"]
        check(not {b"", b".", b".."} & set(path.split(b"/")), "an unsafe path")
        os.makedirs(path if entry["type"] == "directory" else os.path.dirname(path) or b".", exist_ok=True)

    def make(self, entry: Entry) -> None:
        self.make_folder(entry)
        path, inode = entry["name"], (entry.get("group"), entry.get("sha256"))
        if entry["type"] == "symlink":
            os.symlink(name_of(entry, "target"), path)
        elif entry["type"] == "fifo":
            os.mkfifo(path)
        elif inode in self.first_names:
            os.link(self.first_names[inode], path)
        elif entry["type"] == "file":
            self.write(entry, path)
            self.first_names.update({inode: path} if inode[0] else {})
        self.set_metadata(entry, path)

    def write(self, entry: Entry, path: bytes) -> None:
        """Write the content of a file (3.2). What does not have the right SHA-256 does not stay."""
        digest, position, holes = hashlib.sha256(), 0, entry.get("holes", [])
        with open(path, "xb") as file:
            try:
                for index, place, length, start, size, *_ in entry.get("extents", []):
                    run = self.archives[entry["archives"][index]].member(place, length)[start : start + size]
                    digest.update(run)
                    while run:
                        while holes and holes[0][0] <= position:
                            position += holes.pop(0)[1]
                        room = holes[0][0] - position if holes else len(run)
                        file.seek(position)
                        position += file.write(run[:room])
                        run = run[room:]
                size = file.truncate(entry.get("size", 0))
                check(position + sum(length for _, length in holes) == size, "its content is not whole")
                check(digest.hexdigest() == entry["sha256"], "its content is damaged")
            except Exception:
                os.unlink(path)
                raise

    def set_metadata(self, entry: Entry, path: bytes) -> None:
        """Owner first, which takes setuid and capabilities away; times last."""
        uid, gid, mode, mtime = (entry.get(key, 0) for key in ("uid", "gid", "mode", "mtime_ns"))
        if os.geteuid() == 0:
            os.chown(path, uid, gid, follow_symlinks=False)
        if entry["type"] != "symlink":
            os.chmod(path, mode if os.geteuid() in (0, uid) else mode & 0o1777)
        odd_names = [(base64.b64decode(key), value) for key, value in entry.get("xattrs_base64", [])]
        for key, value in [*entry.get("xattrs", {}).items(), *odd_names]:
            os.setxattr(path, key, base64.b64decode(value), follow_symlinks=False)
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


def main() -> int:
    parser = argparse.ArgumentParser(description="Turn a backup into a folder, without Pinnacle Backup.")
    parser.add_argument("archive")
    parser.add_argument("target", help="an empty folder, or a new one")
    parser.add_argument("--password-file", metavar="FILE", action="append", default=[], type=pathlib.Path)
    options = parser.parse_args()
    try:
        passwords = [file.read_text("utf-8").removesuffix("\n") for file in options.password_file]
        recovery = Recovery(options.archive, passwords)
        os.umask(0o077)
        os.makedirs(options.target, exist_ok=True)
        os.chdir(options.target)
        check(not os.listdir(), "the target is not empty")
    except ImportError as error:
        sys.exit(f"{error}; to install it: python3 -m pip install cryptography backports.zstd")
    except EOFError:
        sys.exit(f"{options.archive}: it needs a password, and nobody can be asked: use --password-file")
    except Exception as error:  # noqa: BLE001 - one line, whatever it is
        sys.exit(f"{options.archive}: {error or repr(error)}")
    recovery.run()
    print(f"{options.target}: recovered, {recovery.failed} problems")
    return 1 if recovery.failed else 0


if __name__ == "__main__":
    sys.exit(main())
