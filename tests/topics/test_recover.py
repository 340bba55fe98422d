"""`recover.py` in an emergency: it says what is wrong, saves what can be saved, and writes nowhere else."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.archive.trailer import Trailer
from pinnacle_backup.store.local import LocalStore

from ..backups import Backups, populate
from ..trees import describe, differences

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "recover.py"
GZIP = codec_of("gzip")


def recover(
    archive: Path, target: Path, *options: object, isolated=("-I",), env=None
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *isolated, SCRIPT, archive, target, *options]
    return subprocess.run(
        list(map(str, words)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=env or {},
        start_new_session=True,
    )


def forge(path: Path, lines: list[dict], content: bytes = b"evil") -> Path:
    """Write an archive whose hashes are all right, and whose manifest no writer of ours would write."""
    data = GZIP.store(content)
    part = GZIP.store(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    index = [["", len(data), len(part), 0, hashlib.sha256(part).hexdigest()]]
    identity = "ab" * 16
    summary = {"backup": {"id": identity}, "archives": [identity], "index": index}
    line = GZIP.store(json.dumps(summary).encode())
    stream = data + part + line
    trailer = Trailer(
        len(data + part), len(line), 0, hashlib.sha256(line).digest(), hashlib.sha256(stream).digest()
    )
    path.write_bytes(stream + trailer.encode(GZIP))
    return path


def evil_file(path: str, **more: object) -> dict:
    extents = [[0, 0, len(GZIP.store(b"evil")), 0, 4]]
    digest = hashlib.sha256(b"evil").hexdigest()
    return {
        "path": path,
        "type": "file",
        "mode": 0o644,
        "size": 4,
        "sha256": digest,
        "extents": extents,
        **more,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Backups:
    backups = Backups(tmp_path_factory.mktemp("made"))
    populate(backups.root)
    return backups


@pytest.fixture(scope="module")
def full(made) -> Path:
    return made.create("full")


def test_it_needs_python_3_9_and_nothing_of_ours() -> None:
    """What is not in the standard library is imported where it is needed, and never this package."""
    tree = ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 9))
    top = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    assert top <= sys.stdlib_module_names
    inside = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in inside} == {"collections", "typing", "cryptography"}


def test_what_is_damaged_is_named_and_the_rest_recovered(full, made, tmp_path) -> None:
    reader = ArchiveReader(LocalStore(str(made.place)).open(full.name), full.name)
    damaged = reader.find("uploads/large.bin").extents[2]
    reader.close()
    data = bytearray(full.read_bytes())
    data[damaged.member + damaged.stored // 2] ^= 1
    copy = tmp_path / full.name
    copy.write_bytes(data)
    done = recover(copy, tmp_path / "target")
    assert done.returncode == 1
    named = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert named == ["'uploads/large.bin'", "'uploads/second name of large.bin'"]
    lost = {b"uploads/large.bin", b"uploads/second name of large.bin"}
    found = describe(tmp_path / "target")
    assert not lost & found.keys()
    assert differences(describe(made.root, leave_out=lost), found) == {}


def test_a_damaged_part_of_the_manifest_is_named(full, made, tmp_path) -> None:
    reader = ArchiveReader(LocalStore(str(made.place)).open(full.name), full.name)
    (part,) = reader.summary.index
    reader.close()
    data = bytearray(full.read_bytes())
    data[part.member + 20] ^= 1
    copy = tmp_path / full.name
    copy.write_bytes(data)
    done = recover(copy, tmp_path / "target")
    assert done.returncode == 1
    assert done.stderr.startswith("'app.db': lost, with paths that follow it")


@pytest.mark.parametrize("cut", [0, 1, 113, 114, 5000, -1])
def test_an_archive_that_was_cut_is_said_to_be(cut, full, tmp_path) -> None:
    copy = tmp_path / full.name
    copy.write_bytes(full.read_bytes()[:cut])
    done = recover(copy, tmp_path / "target")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert full.name in done.stderr
    assert not (tmp_path / "target").exists()


def test_a_missing_base_is_named_and_what_is_there_recovered(tmp_path) -> None:
    backups = Backups(tmp_path / "made")
    populate(backups.root)
    base = backups.create("full")
    (backups.root / "config.json").write_text("changed\n")
    incremental = backups.create("incremental")
    base.unlink()
    done = recover(incremental, tmp_path / "target")
    assert done.returncode == 1
    assert "no archive in" in done.stderr
    assert (tmp_path / "target/config.json").read_text() == "changed\n"


def test_other_archives_are_found_whatever_they_are_called(tmp_path) -> None:
    backups = Backups(tmp_path / "made")
    populate(backups.root)
    base = backups.create("full")
    (backups.root / "config.json").write_text("changed\n")
    incremental = backups.create("incremental")
    elsewhere = tmp_path / "copied"
    elsewhere.mkdir()
    os.rename(base, elsewhere / "base (1).bin")
    os.rename(incremental, elsewhere / "newest")
    (elsewhere / "photo.jpg").write_bytes(b"\xff\xd8 something else")
    (elsewhere / "folder").mkdir()
    done = recover(elsewhere / "newest", tmp_path / "target")
    assert (done.returncode, done.stderr) == (0, "")
    assert differences(describe(backups.root), describe(tmp_path / "target")) == {}


def test_a_target_that_holds_anything_is_refused(full, tmp_path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/mine").write_text("mine")
    done = recover(full, tmp_path / "target")
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert os.listdir(tmp_path / "target") == ["mine"]


def test_passwords(tmp_path) -> None:
    """Several may be given, for a base with another one; a wrong one is called that; none is asked for."""
    backups = Backups(tmp_path / "made")
    (backups.root / "config.json").write_text("first\n")
    (backups.root / "kept").write_text("kept\n")
    backups.create("full", password="one")
    (backups.root / "config.json").write_text("second\n")
    archive = backups.create("incremental", password="two", also="one")
    for word in ("one", "two", "three"):
        (tmp_path / word).write_text(word)
    both = recover(
        archive, tmp_path / "both", "--password-file", tmp_path / "one", "--password-file", tmp_path / "two"
    )
    assert (both.returncode, both.stderr) == (0, "")
    assert differences(describe(backups.root), describe(tmp_path / "both")) == {}
    half = recover(archive, tmp_path / "half", "--password-file", tmp_path / "two")
    assert half.returncode == 1
    assert (tmp_path / "half/config.json").read_text() == "second\n"
    wrong = recover(archive, tmp_path / "wrong", "--password-file", tmp_path / "three")
    assert wrong.returncode == 1
    assert "wrong password" in wrong.stderr
    assert "three" not in wrong.stderr.replace(str(tmp_path), "")
    asked = recover(archive, tmp_path / "asked")
    assert asked.returncode == 1
    assert "Password" in asked.stderr
    assert "nobody can be asked: use --password-file" in asked.stderr
    known = recover(archive, tmp_path / "known", env={"PINNACLE_PASSWORD": "two"})
    assert known.returncode == 1
    assert (tmp_path / "known/config.json").read_text() == "second\n"


@pytest.mark.parametrize("options", [{"compression": "zstd"}, {"password": "x"}], ids=["zstd", "encrypted"])
def test_a_missing_package_is_named(options, made, tmp_path) -> None:
    """Without the site's packages, as on a rescue system."""
    if sys.version_info >= (3, 14) and "compression" in options:
        pytest.skip("this Python has zstd in its standard library")
    archive = made.create("full", **options)
    done = recover(archive, tmp_path / "target", isolated=("-I", "-S"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "pip install" in done.stderr


ESCAPES = {
    "parent": [evil_file("../evil")],
    "parent in the middle": [evil_file("a/../../evil")],
    "absolute": [evil_file("/{outside}/evil")],
    "empty": [evil_file("")],
    "NUL": [evil_file("a\0b")],
    "parent in base64": [{**evil_file(""), "path_base64": "Li4vZXZpbA=="}],
    "through a link": [{"path": "a", "type": "symlink", "target": "{outside}"}, evil_file("a/evil")],
    "through a link, late": [evil_file("a/evil"), {"path": "a", "type": "symlink", "target": "{outside}"}],
    "a link through a link": [
        {"path": "a", "type": "symlink", "target": "{outside}"},
        {"path": "a/evil", "type": "symlink", "target": "x"},
    ],
    "a folder through a link": [
        {"path": "a", "type": "symlink", "target": "{outside}"},
        {"path": "a/evil", "type": "directory", "mode": 0o777},
    ],
    "a FIFO through a link": [
        {"path": "a", "type": "symlink", "target": "{outside}"},
        {"path": "a/evil", "type": "fifo"},
    ],
    "onto a link": [{"path": "a", "type": "symlink", "target": "{outside}/victim"}, evil_file("a")],
    "metadata of a link's target": [
        {"path": "a", "type": "symlink", "target": "{outside}/victim", "mode": 0o7777}
    ],
    "a link, then a folder": [
        {"path": "a", "type": "symlink", "target": "{outside}"},
        {"path": "a", "type": "directory", "mode": 0o777},
    ],
    "a device": [{"path": "evil", "type": "device"}],
    "holes that lie": [evil_file("evil", size=8, holes=[[-8, 4], [2, -1]])],
    "extents that lie": [
        evil_file("evil", extents=[[0, -1, 40, 0, 4]]),
        evil_file("evil2", extents=[[7, 0, 9, 0, 4]]),
    ],
    "no content at all": [{"path": "evil", "type": "file"}],
    "lines of another kind": [{"type": "file"}, {"path": "evil"}, {"path": 7, "type": "file"}],
}


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_is_written_outside_the_target(name, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    os.utime(outside / "victim", (1, 1))
    os.utime(outside, (1, 1))
    before = describe(outside), os.stat(outside)
    text = json.dumps(ESCAPES[name]).replace("{outside}", str(outside))
    archive = forge(tmp_path / "evil.tar.gz", [*json.loads(text), evil_file("good")])
    (tmp_path / "place").mkdir()
    done = recover(archive, tmp_path / "place/target")
    assert describe(outside) == before[0]
    assert os.stat(outside).st_mtime_ns == before[1].st_mtime_ns
    assert stat.S_IMODE(os.stat(outside).st_mode) == stat.S_IMODE(before[1].st_mode)
    assert sorted(os.listdir(tmp_path)) == ["evil.tar.gz", "outside", "place"]
    assert os.listdir(tmp_path / "place") == ["target"]
    assert "Traceback" not in done.stderr
    harmless = ("onto a link", "metadata of a link's target", "a link, then a folder")
    assert done.returncode == (name not in harmless)
    if name != "lines of another kind":
        assert (tmp_path / "place/target/good").read_bytes() == b"evil"


def test_a_bomb_is_refused(tmp_path) -> None:
    """A member holds 64 MiB at most; an archive may say what it likes."""
    archive = forge(tmp_path / "bomb.tar.gz", [evil_file("good")])
    bomb = GZIP.compress(bytes(70 << 20), 1)
    stored = GZIP.store(b"evil")
    line = {
        "path": "bomb",
        "type": "file",
        "size": 70 << 20,
        "sha256": "",
        "extents": [[0, len(stored), len(bomb), 0, 70 << 20]],
    }
    archive = forge(tmp_path / "bomb.tar.gz", [line, evil_file("good")])
    data = archive.read_bytes()
    archive.write_bytes(data[: len(stored)] + bomb + data[len(stored) :])
    done = recover(archive, tmp_path / "target")
    assert done.returncode == 1
