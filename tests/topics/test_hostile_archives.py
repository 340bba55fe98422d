"""
Archives that lie: nothing outside the target ever changes, and what is wrong is told in one line.

They are written by our own writer, so that every hash in them is right; only what they say is not.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import LARGEST, codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import run
from pinnacle_backup.model.backup import FULL, BackupHeader, BackupSummary, BackupTotals, ManifestPart
from pinnacle_backup.model.entry import DIRECTORY, FIFO, FILE, SYMLINK, Entry, Extent
from pinnacle_backup.model.paths import EXTERNAL

from ..trees import describe, differences

CONTENT = b"evil content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GZIP = codec_of("gzip")
MEMBER = GZIP.compress(
    tar.header(Entry(path="x", type=FILE), len(CONTENT)) + CONTENT + tar.padding(len(CONTENT)), 1
)
HERE = Extent(0, 0, len(MEMBER), tar.BLOCK, len(CONTENT))
RENAME_EXCHANGE = 2


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Writer(ArchiveWriter):
    """Writes manifest lines as they are given."""

    def add_line(self, line: bytes, first: bytes) -> None:
        if not self._lines:
            self._first = first
        self._lines += line + b"\n"


class Case:
    """
    A studio, a target, and things around them that nobody may touch.

    Attributes:
        around: Holds all of it.
        target: Where archives are restored to.
        sentinel: A folder beside the target, with a file in it.
    """

    def __init__(self, around: Path) -> None:
        self.around = around
        self.studio = around / "studio"
        self.target = around / "target"
        self.sentinel = around / "sentinel"
        self.archive = around / "hostile.tar.gz"
        for folder in (self.studio, self.target, self.sentinel):
            folder.mkdir()
        (self.studio / "config.json").write_text('{"backup": {"workers": 1}}')
        (self.sentinel / "file").write_text("precious")
        (self.sentinel / "file").chmod(0o640)
        self.before = self._describe()

    def write(self, *entries: Entry | bytes, data: bytes = MEMBER, **summary: Any) -> None:
        """Write an archive with these entries, or lines, in this order."""
        lines = [entry if isinstance(entry, bytes) else line_of(entry) for entry in entries]
        sink = io.BytesIO()
        writer = Writer(sink, GZIP, level=1, scratch=str(self.around))
        writer.append(data)
        for entry, line in zip(entries, lines, strict=True):
            first = b"x" if isinstance(entry, bytes) else os.fsencode(entry.path)
            writer.add_line(line, first)
        writer.finish(lambda index: summary_of(len(entries), **{"index": index, **summary}))
        writer.close()
        self.archive.write_bytes(sink.getvalue())

    def run(self, *args: str) -> Ended:
        """Run a command; neither its words nor anything outside the target shows a sign of trouble."""
        out, err = io.StringIO(), io.StringIO()
        environ = {"PINNACLE_ROOT": str(self.studio)}
        code = run(args, Context(environ=environ, stdin=io.StringIO(), stdout=out, stderr=err))
        ended = Ended(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in ended.err
        assert "unexpected error" not in ended.err
        self.assert_untouched()
        return ended

    def restore(self) -> Ended:
        return self.run("restore", str(self.archive), "--target", str(self.target))

    def assert_refused(self) -> None:
        """Restoring changes nothing at all; restoring and verifying say why in one line."""
        ended = self.restore()
        assert ended.code == 13, ended
        assert ended.err.startswith("pinnacle-backup: ")
        assert ended.err.count("\n") <= 2
        assert os.listdir(self.target) == []
        assert self.run("verify", str(self.archive)).code == 13

    def assert_untouched(self) -> None:
        assert not differences(self._describe(), self.before)

    def _describe(self) -> dict[bytes, Any]:
        ours = {
            b"studio/.pinnacle",
            b"studio/backups",
            b"studio/logs",
            b"target",
            b"hostile.tar.gz",
            b"studio",
        }
        return describe(self.around, leave_out=ours)


def line_of(entry: Entry) -> bytes:
    return msgspec.json.encode(entry)


def summary_of(entries: int, **more: Any) -> BackupSummary:
    header = BackupHeader(repository="1" * 32, id="2" * 32, type=FULL, created="2026-11-20T02:00:00.000000Z")
    values = {
        "backup": header,
        "totals": BackupTotals(entries=entries),
        "tool": "hostile",
        "host": "hostile",
        "sources": (),
        "archives": (header.id,),
        "index": (),
        **more,
    }
    return BackupSummary(**values)


def file(path: str, **more: Any) -> Entry:
    values = {"mode": 0o644, "size": len(CONTENT), "sha256": SHA256, "extents": (HERE,), **more}
    return Entry(path=path, type=FILE, **values)


def folder(path: str, **more: Any) -> Entry:
    return Entry(path=path, type=DIRECTORY, **{"mode": 0o755, **more})


def link(path: str, target: str) -> Entry:
    return Entry(path=path, type=SYMLINK, target=target)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.assert_untouched()


def test_an_honest_archive_made_this_way_is_restored(case: Case) -> None:
    case.write(folder("d"), file("d/x"), link("l", "d"))
    assert case.restore().code == 0
    assert (case.target / "d/x").read_bytes() == CONTENT


UNSAFE = [
    "../sentinel/file",
    "d/../../sentinel/file",
    "d/..",
    "..",
    ".",
    "",
    "/",
    "//sentinel",
    "d//x",
    "d/",
    "d/./x",
    "x\0y",
    "d/\0",
    ".pinnacle/catalog.db",
    ".pinnacle/manifest.jsonl",
    f"{EXTERNAL}/../../sentinel/file",
    ".pinnacle/chunks/00000001",
]


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("make", [file, folder, lambda path: link(path, "x")])
def test_paths_that_lead_elsewhere(case: Case, path: str, make: Any) -> None:
    case.write(make(path))
    case.assert_refused()


def test_absolute_paths(case: Case) -> None:
    case.write(file(str(case.sentinel / "file")))
    case.assert_refused()


@pytest.mark.parametrize("path", UNSAFE[:4])
def test_paths_that_lead_elsewhere_in_base64(case: Case, path: str) -> None:
    line = json.loads(line_of(file("x")))
    del line["path"]
    line["path_base64"] = base64.b64encode(path.encode()).decode()
    case.write(json.dumps(line).encode())
    case.assert_refused()


def test_sources_outside_lie_below_the_target(case: Case) -> None:
    path = EXTERNAL + str(case.sentinel / "file")
    case.write(file(path))
    assert case.restore().code == 0
    assert (case.target / path).read_bytes() == CONTENT


def test_sources_outside_that_are_not_configured_are_not_written_in_place(case: Case) -> None:
    case.write(file(EXTERNAL + str(case.sentinel / "file")), file("x"))
    assert case.run("restore", str(case.archive), "--yes").code in (0, 2)
    assert (case.studio / "x").read_bytes() == CONTENT


@pytest.mark.parametrize("above", ["target", "studio"])
def test_an_archive_does_not_reach_for_the_other_backups(case: Case, above: str) -> None:
    """Neither in place nor into a folder that the studio lies in."""
    (case.studio / "x").write_text("honest")
    (case.studio / "config.json").write_text('{"backup": {"workers": 1, "paths": ["x"], "databases": []}}')
    assert case.run("create", "--name", "honest").code == 0
    backups, state = case.studio / "backups", case.studio / ".pinnacle"
    before = describe(backups)
    prefix = "" if above == "studio" else "studio/"
    wrong: list[Entry] = [
        file(f"{prefix}.pinnacle"),
        file(f"{prefix}backups", mtime_ns=5),
        file(f"{prefix}backups/honest.tar.gz"),
    ]
    for entries in (
        *([entry] for entry in wrong),
        [link(f"{prefix}backups", "/")],
        [folder(f"{prefix}backups", mode=0)],
    ):
        case.write(*entries)
        if above == "studio":
            case.run("restore", str(case.archive), "--yes")
        else:
            case.run("restore", str(case.archive), "--yes", "--target", str(case.around))
        assert state.is_dir()
        found = describe(backups)
        assert not differences({path: found.get(path, ()) for path in before}, before)
        assert backups.stat().st_mode & 0o777
    assert case.run("verify", "honest").code == 0


def manifest_lines() -> dict[str, bytes]:
    """Return lines that are wrong, by what is wrong with them."""
    good = json.loads(line_of(file("x")))

    def but(**changes: Any) -> bytes:
        return json.dumps({**good, **changes}).encode()

    extent = list(good["extents"][0])
    return {
        "no JSON": b"\x1f\x8b\x08",
        "empty": b"",
        "not UTF-8": but(path="x").replace(b'"x"', b'"\xff"'),
        "an array": b"[]",
        "NaN": but().replace(b'"size": 12', b'"size": NaN'),
        "no type": json.dumps({"path": "x"}).encode(),
        "unknown type": but(type="device"),
        "two names": but(path_base64="eA=="),
        "mode too large": but(mode=0o10000),
        "mode negative": but(mode=-1),
        "uid negative": but(uid=-1),
        "uid of nobody": but(uid=2**32 - 1),
        "gid huge": but(gid=2**70),
        "size negative": but(size=-12),
        "size larger": but(size=13),
        "size huge": but(size=2**70),
        "size a float": but(size=12.5),
        "a hole beyond the end": but(holes=[[12, 10]]),
        "holes that overlap": but(size=32, holes=[[0, 10], [5, 10]]),
        "a hole of no length": but(holes=[[0, 0]]),
        "a hole of 2^64": but(size=2**64, holes=[[12, 2**64 - 12]]),
        "a hole of 2^63": but(size=2**63, holes=[[12, 2**63 - 12]]),
        "an extent of negative length": but(extents=[[*extent[:4], -12]]),
        "extents that go back and forth": but(extents=[[*extent[:4], 24], [*extent[:4], -12]]),
        "an extent before its member": but(extents=[[*extent[:3], -1, 12]]),
        "a NUL in a link": json.dumps({"path": "x", "type": "symlink", "target": "a\0b"}).encode(),
        "a folder with content": but(type="directory"),
        "a link with content": but(type="symlink", target="y"),
        "nested a million deep": but()[:-1] + b', "more": ' + b"[" * 10**6 + b"]" * 10**6 + b"}",
        "an object nested a million deep": but()[:-1]
        + b', "more": '
        + b'{"a":' * 10**6
        + b"1"
        + b"}" * 10**6
        + b"}",
    }


@pytest.mark.parametrize("wrong", manifest_lines())
def test_manifest_lines_that_no_writer_writes(case: Case, wrong: str) -> None:
    case.write(manifest_lines()[wrong])
    case.assert_refused()


@pytest.mark.parametrize(
    "entries",
    [
        (file("b"), file("a")),
        (file("a"), file("a")),
        (folder("a"), link("a", "/")),
        (folder("d"), file("d/x"), folder("d")),
        (file("a-"), file("a/x"), file("a")),
    ],
)
def test_lines_out_of_order_or_twice(case: Case, entries: tuple[Entry, ...]) -> None:
    case.write(*entries)
    case.assert_refused()


@pytest.mark.parametrize(
    "changes",
    [
        {"extents": (Extent(0, 0, len(MEMBER), 10**6, len(CONTENT)),)},
        {"extents": (Extent(0, 10**9, len(MEMBER), 512, len(CONTENT)),)},
        {"extents": (Extent(0, 2**63, len(MEMBER), 512, len(CONTENT)),)},
        {"extents": (Extent(0, 0, 2**62, 512, len(CONTENT)),)},
        {"extents": (Extent(0, 0, 0, 512, len(CONTENT)),)},
        {"extents": (Extent(0, 1, len(MEMBER) - 1, 512, len(CONTENT)),)},
        {"extents": (Extent(0, 0, len(MEMBER) + 1, 512, len(CONTENT)),)},
        {"extents": (Extent(7, 0, len(MEMBER), 512, len(CONTENT)),)},
        {"extents": (Extent(0, 0, len(MEMBER), 512, 2**62),), "size": 2**62},
        {"extents": (), "size": 0},
        {"sha256": "0" * 64},
        {"sha256": ""},
        {"sha256": "not hex"},
        {"size": 2**62 + 12, "holes": ((12, 2**62),)},
    ],
)
def test_content_that_is_not_there_fails_for_its_file_alone(case: Case, changes: dict[str, Any]) -> None:
    case.write(file("before"), file("x", **changes), file("z after"))
    ended = case.restore()
    assert ended.code == 2, ended
    assert "x: " in ended.err
    assert sorted(os.listdir(case.target)) == ["before", "z after"]
    if "holes" not in changes:  # a hole has no content that could be wrong
        assert case.run("verify", str(case.archive)).code == 13


def test_members_that_decompress_without_end(case: Case) -> None:
    for size in (LARGEST + 1, LARGEST + 2**30):
        packed = GZIP.compress(bytes(min(size, LARGEST + 1)), 1)
        for claim in (len(CONTENT), LARGEST, LARGEST + 1, 2**32 - 1):
            data = packed[:-4] + claim.to_bytes(4, "little")
            extent = Extent(0, 0, len(data), 512, len(CONTENT))
            case.write(file("x", extents=(extent,)), data=data)
            assert case.restore().code == 2
            assert os.listdir(case.target) == []


def test_a_manifest_of_nothing_but_spaces(case: Case) -> None:
    case.write(b" " * (32 << 20))
    case.assert_refused()


@pytest.mark.parametrize(
    "summary",
    [
        {"backup": msgspec.structs.replace(summary_of(0).backup, format=2)},
        {"backup": msgspec.structs.replace(summary_of(0).backup, id="../../x")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, repository="")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, created="yesterday")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, created="2026-11-20T02:00:00")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, created="0001-01-01T00:00:00+14:00")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, created="9999-12-31T23:59:59Z")},
        {"totals": BackupTotals(entries=10**400)},
        {"totals": BackupTotals(size=-1)},
        {"backup": msgspec.structs.replace(summary_of(0).backup, type="other")},
        {"backup": msgspec.structs.replace(summary_of(0).backup, base="3" * 32)},
        {"backup": msgspec.structs.replace(summary_of(0).backup, type="incremental", base="3" * 32)},
    ],
)
def test_summaries_that_make_no_sense(case: Case, summary: dict[str, Any]) -> None:
    """Nor does one such archive among the studio's own keep a command from its work."""
    case.write(file("x"), **summary)
    case.assert_refused()
    (case.studio / "backups").mkdir()
    shutil.copy(case.archive, case.studio / "backups")
    for command in (["list"], ["status"], ["metrics"], ["cleanup", "--dry-run"]):
        ended = case.run(*command)
        assert ended.code in {0, 1}, (command, ended)


def test_an_incremental_of_itself(case: Case) -> None:
    backup = msgspec.structs.replace(summary_of(0).backup, type="incremental", base="2" * 32)
    case.write(file("x"), backup=backup)
    assert case.restore().code in (0, 13)


@pytest.mark.parametrize(
    "part",
    [
        (b"x", -1, 10, 10, ""),
        (b"x", 0, -1, 10, ""),
        (b"x", 2**63, 10, 10, ""),
        (b"x", 0, 2**63, 10, ""),
        (b"x", 0, len(MEMBER), 10, ""),
        (b"x", 0, len(MEMBER), 10, hashlib.sha256(MEMBER).hexdigest()),
    ],
)
def test_an_index_that_points_elsewhere(case: Case, part: tuple[Any, ...]) -> None:
    case.write(file("x"), index=(ManifestPart(*part),))
    case.assert_refused()


def test_a_link_and_then_a_file_through_it(case: Case) -> None:
    case.write(link("d", str(case.sentinel)), file("d/file"), file("d/new"))
    case.restore()


def test_a_link_and_then_a_file_through_it_from_a_second_archive(case: Case) -> None:
    case.write(link("d", str(case.sentinel)), link("e", "../sentinel/file"))
    assert case.restore().code == 0
    case.write(file("d/file"), file("e"))
    assert case.restore().code == 2
    assert (case.target / "e").read_bytes() == CONTENT
    assert not (case.target / "e").is_symlink()


def test_a_chain_of_links(case: Case) -> None:
    """The shape of CVE-2025-4517: a path that is too long to be looked at as a whole."""
    long = "d" * 200
    steps = [folder("/".join([long] * depth)) for depth in range(1, 30)]
    out = "/".join([long] * 18) + "/.." * 19
    case.write(*steps, file("/".join([long] * 29) + "/x"), link("e", f"{out}/sentinel"))
    assert case.restore().code == 0
    assert (case.target / "e/file").read_text() == "precious"
    case.write(file("e/file"))
    assert case.restore().code == 2


@pytest.mark.parametrize("target", ["sentinel", "file", "dangling"])
def test_links_that_stand_in_the_target_already(case: Case, target: str) -> None:
    to = {"sentinel": case.sentinel, "file": case.sentinel / "file", "dangling": case.around / "new"}[target]
    for name in ("folder", "file", "link", "fifo"):
        (case.target / name).symlink_to(to)
    case.write(
        Entry(path="fifo", type=FIFO, mode=0o6777, uid=1, gid=1, mtime_ns=5),
        file("file", mode=0o6777, uid=1, gid=1, mtime_ns=5),
        folder("folder", mode=0o1777, uid=1, gid=1, mtime_ns=5),
        file("folder/file"),
        link("link", "x"),
    )
    assert case.restore().code in (0, 1)
    assert (case.target / "folder/file").read_bytes() == CONTENT
    assert not (case.target / "folder").is_symlink()
    assert not (case.target / "file").is_symlink()


def test_hard_links_to_what_is_not_a_file(case: Case) -> None:
    """The shape of CVE-2026-11940, and what else names of one inode can be told to be."""
    (case.target / "a").symlink_to(case.sentinel / "file")
    case.write(
        Entry(path="a", type=SYMLINK, target=str(case.sentinel / "file"), group="g"),
        file("b", group="g", mode=0o777, mtime_ns=5),
        file("c", group="g"),
        folder("d", group="g"),
        file("e", group="g", sha256="", extents=(), size=0),
    )
    case.restore()


@pytest.mark.parametrize("kind", ["foreign", "cut", "empty", "zeros", "gzip", "tail", "twice"])
def test_files_that_are_no_archives_of_ours(case: Case, kind: str) -> None:
    case.write(file("x"))
    good = case.archive.read_bytes()
    if kind == "foreign":
        with tarfile.open(case.archive, "w:gz") as foreign:
            for name in ("../sentinel/file", str(case.sentinel / "file"), "x"):
                member = tarfile.TarInfo(name)
                member.size = len(CONTENT)
                foreign.addfile(member, io.BytesIO(CONTENT))
    else:
        contents = {
            "cut": good[:-1],
            "empty": b"",
            "zeros": bytes(100_000),
            "gzip": gzip.compress(CONTENT),
            "tail": good + b"\0",
            "twice": good + good,
        }
        case.archive.write_bytes(contents[kind])
    if kind == "twice":  # all that a restore reads is right all the same
        assert case.restore().code == 0
        assert (case.target / "x").read_bytes() == CONTENT
        assert case.run("verify", str(case.archive)).code == 13
        return
    case.assert_refused()
    (case.studio / "backups").mkdir(exist_ok=True)
    case.archive.rename(case.studio / "backups/foreign.tar.gz")
    listed = case.run("list")
    assert listed.code == 1
    assert "foreign.tar.gz" in listed.err
    assert case.run("restore", "foreign", "--yes").code == 13
    assert case.run("create").code in (0, 2)
    assert case.run("cleanup").code == 0
    assert (case.studio / "backups/foreign.tar.gz").exists()


def exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    at = -100
    if libc.renameat2(at, os.fsencode(one), at, os.fsencode(other), RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def test_a_folder_that_is_swapped_for_a_link_all_the_time(case: Case) -> None:
    names = [f"d/e/{number:04}" for number in range(300)]
    case.write(
        folder("d", mode=0o711), folder("d/e", mode=0o711), *(file(name, mode=0o6777) for name in names)
    )
    case.restore()
    (case.target / "evil").symlink_to(case.sentinel)
    try:
        exchange(case.target / "d", case.target / "evil")
    except (OSError, AttributeError):
        pytest.skip("renameat2 cannot exchange here")
    stop = threading.Event()

    def swap() -> None:
        one, other = case.target / "d", case.target / "evil"
        number = 0
        while not stop.is_set():
            with contextlib.suppress(FileNotFoundError):
                exchange(one, other)
            if not (
                one.is_symlink() or other.is_symlink()
            ):  # the link was replaced by a folder, as it should be
                number += 1
                with contextlib.suppress(FileNotFoundError):
                    other.rename(case.target / f"was {number}")
                other.symlink_to(case.sentinel)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(5):
            for name in names[::3]:
                (case.target / name).unlink(missing_ok=True)
            ended = case.restore()
            assert ended.code in (0, 1, 2)
    finally:
        stop.set()
        swapper.join()
    case.assert_untouched()


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1777, 0o7777])
def test_special_bits_never_stand_on_what_is_half_made(case: Case, mode: int) -> None:
    """A file that fails its hash leaves nothing behind that could be run as another user."""
    case.write(file("x", mode=mode, uid=0, sha256="0" * 64))
    assert case.restore().code == 2
    assert os.listdir(case.target) == []


def test_a_name_that_is_too_long_for_the_target_fails_alone(case: Case) -> None:
    """It need not be hostile: some file systems take no more than 143 bytes."""
    case.write(file("x" * 300), file("y"))
    ended = case.restore()
    assert ended.code == 2
    assert "File name too long" in ended.err
    assert os.listdir(case.target) == ["y"]
