"""
Archives of format 1 that every later version must still read: stored as they were made, never made again.

``golden/build.py`` says what is in them. The expectations below do not come from it but stand here in full.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.manifest import merge
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.crypto.envelope import open_plain, read_head, read_totals
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.model.paths import EXTERNAL

NOW = 1_795_356_202_123_456_789
LONG = "data/" + "n" * 150
CONTENT = {
    f"{EXTERNAL}/srv/note": b"outside the root\n",
    "config.json": b'{"backup": {}}\n',
    "data/big.bin": b"first chunk " * 50 + b"second chunk " * 40,
    "data/empty": b"",
    "data/hard-1": b"two names\n",
    "data/hard-2": b"two names\n",
    "data/holes": b"head" + bytes(299_992) + b"tail",
    LONG: b"long\n",
    "data/old": b"before 1970\n",
    "data/test.db": b"SQLite format 3\0".ljust(512, b"\1") + bytes(512),
}
LATER = {path: content for path, content in CONTENT.items() if path != "data/empty"} | {
    "data/big.bin": b"first chunk " * 50 + b"another end\n",
    "data/new": b"new\n",
}
LINKS = {"data/link": "../config.json", "data/\udcff": "\udcfe", "data/ümlaut": "\udcfd"}
NAMES = ("tiny.tar.gz", "tiny.tar.gz.enc", "full.tar.gz", "full.tar.zst", "full_incremental.tar.gz")


def open_golden(golden, memory, name):
    source = open_plain(memory(golden.read(name)), KeyRing((golden.PASSWORD,)))
    return ArchiveReader(source, name)


def content_of(reader, opener, entries):
    archives = reader.summary.archives
    content = ContentReader(opener)
    found = {}
    for entry in entries:
        if entry.type == "file":
            data = b"".join(map(bytes, content.stream(entry.extents, archives)))
            for offset, length in entry.holes:
                data = data[:offset] + bytes(length) + data[offset:]
            assert len(data) == entry.size
            found[entry.path] = data
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_archive_is_small_and_sound(name, golden, memory) -> None:
    assert len(golden.read(name)) < 20_000
    reader = open_golden(golden, memory, name)
    reader.check_stream(lambda count: None)
    assert reader.summary.backup.format == 1
    assert reader.summary.tool == "pinnacle-backup 1.0.0"


@pytest.mark.parametrize("name", ["full.tar.gz", "full.tar.zst"])
def test_a_full_reads_as_it_was_written(name, golden, memory) -> None:
    reader = open_golden(golden, memory, name)
    entries = {entry.path: entry for entry in reader.entries()}
    assert content_of(reader, lambda backup: reader, entries.values()) == CONTENT
    assert {path: entry.target for path, entry in entries.items() if entry.target} == LINKS
    old = entries["data/old"]
    assert (old.mode, old.uid, old.gid, old.mtime_ns) == (0o4755, 3_000_000, 3_000_001, -1)
    assert old.xattrs == {"user.note": b"\0\xff", "user.\udcfe": b"x"}
    assert entries["data/hard-1"].group == entries["data/hard-2"].group != ""
    assert entries["data/fifo"].type == "fifo"
    assert entries["data"].mode == 0o2750
    assert len(entries) == reader.summary.totals.entries == 16
    assert sum(entry.size for entry in entries.values()) == reader.summary.totals.size
    table = entries["data/test.db"].pages
    assert table.page_size == 512
    assert sum(extent.length for extent in table.extents) == 32


def test_an_incremental_and_its_base_give_the_later_state(golden, memory) -> None:
    base = open_golden(golden, memory, "full.tar.gz")
    reader = open_golden(golden, memory, "full_incremental.tar.gz")
    readers = {r.summary.backup.id: r for r in (base, reader)}
    assert reader.summary.backup.base == base.summary.backup.id
    found = {}
    for entry, of_base in merge(base.entries(), reader.entries()):
        found |= content_of(base if of_base else reader, readers.__getitem__, [entry])
    assert found == LATER


def test_header_and_totals_of_an_encrypted_one_need_no_password(golden, memory) -> None:
    source = memory(golden.read("tiny.tar.gz.enc"))
    head = read_head(source)
    assert head.header.id == "00000000000000000000000000000002"
    assert read_totals(source, head, None).entries == 2
    assert open_golden(golden, memory, "tiny.tar.gz.enc").summary.backup == head.header


@pytest.mark.parametrize("name", ["tiny.tar.gz", "tiny.tar.gz.enc"])
def test_members_that_are_stored_leave_one_way_to_write_an_archive(name, golden) -> None:
    """Clock and randomness are fixed, no compressor has a say: every byte is the same."""
    assert golden.ARCHIVES[name]() == golden.read(name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tiny.tar.gz", {"config.json": CONTENT["config.json"]}),
        ("tiny.tar.gz.enc", {"config.json": CONTENT["config.json"]}),
        ("full.tar.gz", CONTENT),
        ("full.tar.zst", CONTENT),
        ("full_incremental.tar.gz", LATER),
    ],
)
def test_recover_py_reads_every_golden_archive(name, content, golden, tmp_path) -> None:
    """The stand-alone script keeps pace with the format, and no package of ours helps it."""
    script = Path(__file__).parents[2] / "scripts" / "recover.py"
    password = tmp_path / "password"
    password.write_text(golden.PASSWORD + "\n")
    target = tmp_path / "target"
    command = [sys.executable, script, os.path.join(golden.HERE, name), target, "--password-file", password]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    root = os.fsencode(target)
    for path, expected in content.items():
        with open(os.path.join(root, os.fsencode(path)), "rb") as file:
            assert file.read() == expected
    if content is not CONTENT:
        return
    for path, link in LINKS.items():
        assert os.readlink(os.path.join(root, os.fsencode(path))) == os.fsencode(link)
    assert os.stat(target / "data/hard-1").st_ino == os.stat(target / "data/hard-2").st_ino
    assert stat.S_ISFIFO(os.stat(target / "data/fifo").st_mode)
    assert os.stat(target / "data/holes").st_blocks * 512 < 300_000
    assert os.stat(target / "data/old").st_mtime_ns == -1
    assert os.stat(target / "data").st_mtime_ns == NOW
    if os.geteuid() == 0:
        assert os.stat(target / "data/old").st_uid == 3_000_000
        assert stat.S_IMODE(os.stat(target / "data/old").st_mode) == 0o4755
        assert stat.S_IMODE(os.stat(target / "data").st_mode) == 0o2750
        assert os.getxattr(target / "data/old", "user.note") == b"\0\xff"


def test_the_page_explains_this_very_archive(golden) -> None:
    """The example of format.md is `tiny`, byte for byte."""
    page = (Path(__file__).parents[2] / "docs/design/format.md").read_text("utf-8")
    example = page.partition("### 4.1 An example")[2].partition("## 5.")[0]
    data = golden.read("tiny.tar.gz")
    rows = re.findall(r"^(\d+)  ((?:[0-9a-f]{4} )*[0-9a-f]{4})  ", example, re.M)
    assert int(rows[0][0]) == len(data) - 114
    assert bytes.fromhex("".join(row for _, row in rows)) == data[-114:]
    line = re.search(r"^\{.*\}$", example, re.M)
    assert line
    digest = hashlib.sha256(CONTENT["config.json"]).hexdigest()
    assert line[0].replace("SHA", digest).encode() + b"\n" in data
