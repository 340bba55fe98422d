"""
Every backup is a file that any machine can open: other programs read our archives, and so does `recover.py`.

The programs are the real ones; a test is skipped only where its program is not installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ..backups import Backups, change, populate, populate_holes, populate_oddities
from ..trees import Tree, describe, differences

PROJECT = Path(__file__).resolve().parents[2]
RECOVER = PROJECT / "scripts" / "recover.py"
OURS = (b".pinnacle",)
Extract = Callable[[Path, Path], None]


def run(*command: object, fine: bool = True, **options) -> subprocess.CompletedProcess[str]:
    """Run a program in plain surroundings; it has to be installed."""
    program = str(command[0])
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    words = [os.fspath(word) if isinstance(word, Path) else str(word) for word in command]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, **options)
    assert not fine or done.returncode == 0, (command, done.stdout, done.stderr)
    return done


def gnu_tar(archive: Path, target: Path) -> None:
    run("tar", "--xattrs", "--xattrs-include=*", "-xzpf", archive, "-C", target)


def bsdtar(archive: Path, target: Path) -> None:
    run("bsdtar", "-xzpf", archive, "-C", target)


def busybox(archive: Path, target: Path) -> None:
    run("busybox", "tar", "-xzpf", archive, "-C", target)


def seven_zip(program: str) -> Extract:
    def extract(archive: Path, target: Path) -> None:
        inner = target.with_name("inner")
        run(program, "x", "-y", f"-o{inner}", archive)
        (stream,) = inner.iterdir()
        run(program, "x", "-y", f"-o{target}", stream)

    return extract


def python(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="fully_trusted")


PROGRAMS: dict[str, Extract] = {
    "GNU tar": gnu_tar,
    "bsdtar": bsdtar,
    "busybox": busybox,
    **{program: seven_zip(program) for program in ("7z", "7zz", "7za")},
    "Python": python,
}
KNOW_HOLES = ("GNU tar", "bsdtar", "Python")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> tuple[Path, Path]:
    """A self-contained full, and the folder that it is of."""
    backups = Backups(tmp_path_factory.mktemp("plain"))
    populate(backups.root)
    return backups.create("full"), backups.root


@pytest.fixture(scope="module")
def holes(tmp_path_factory) -> tuple[Path, Path]:
    """The same with files that have holes."""
    backups = Backups(tmp_path_factory.mktemp("holes"))
    populate(backups.root)
    populate_holes(backups.root)
    return backups.create("full"), backups.root


def contents(root: Path) -> dict[bytes, tuple]:
    """Return names, kinds, contents, targets and which names are one file; of metadata what all programs keep."""
    found = {}
    for path, facts in describe(root, leave_out=OURS).items():
        kind, content = facts[0], facts[6:9] if facts[0] == stat.S_IFREG else facts[6:]
        found[path] = (kind, *content)
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_extract_a_full_as_it_was(program, plain, tmp_path) -> None:
    archive, root = plain
    target = tmp_path / "target"
    target.mkdir()
    PROGRAMS[program](archive, target)
    assert differences(contents(root), contents(target)) == {}


@pytest.mark.parametrize("program", KNOW_HOLES)
def test_programs_that_know_holes_make_them(program, holes, tmp_path) -> None:
    archive, root = holes
    target = tmp_path / "target"
    target.mkdir()
    PROGRAMS[program](archive, target)
    assert differences(contents(root), contents(target)) == {}
    for path in root.glob("uploads/* hole"):
        assert os.stat(target / path.relative_to(root)).st_blocks <= os.stat(path).st_blocks + 8


@pytest.mark.parametrize("program", ["GNU tar", "bsdtar", "busybox", "Python"])
def test_tar_brings_back_modes_owners_and_whole_seconds(program, plain, tmp_path) -> None:
    def metadata(tree: Tree) -> Tree:
        return {
            path: (facts[0], facts[1], facts[2], facts[3], facts[4] // 10**9)
            for path, facts in tree.items()
            if facts[0] == stat.S_IFREG
        }

    archive, root = plain
    target = tmp_path / "target"
    target.mkdir()
    PROGRAMS[program](archive, target)
    found = describe(target, leave_out=OURS)
    assert differences(metadata(describe(root)), metadata(found)) == {}


@pytest.mark.parametrize("program", ["GNU tar", "bsdtar"])
def test_tar_brings_back_attributes_and_odd_names(program, tmp_path) -> None:
    backups = Backups(tmp_path / "made")
    populate(backups.root)
    populate_oddities(backups.root)
    archive = backups.create("full")
    target = tmp_path / "target"
    target.mkdir()
    PROGRAMS[program](archive, target)
    expected, found = (describe(root, leave_out=OURS) for root in (backups.root, target))

    def kept(tree: Tree) -> Tree:
        return {
            path: (*facts[:4], facts[4] // 10**9, *facts[5:])
            for path, facts in tree.items()
            if facts[0] != stat.S_IFDIR
        }

    assert differences(kept(expected), kept(found)) == {}


def test_the_sidecar_is_one_of_sha256sum(plain) -> None:
    archive, _ = plain
    assert (
        run("sha256sum", "-c", f"{archive.name}.sha256", cwd=archive.parent).stdout == f"{archive.name}: OK\n"
    )


def test_gzip_finds_the_archive_sound(plain) -> None:
    run("gzip", "-t", plain[0])


def test_zstd_and_tar_read_the_other_compression(tmp_path) -> None:
    backups = Backups(tmp_path / "made")
    populate(backups.root)
    archive = backups.create("full", compression="zstd")
    target = tmp_path / "target"
    target.mkdir()
    run("zstd", "-t", archive)
    run("bsdtar", "-xpf", archive, "-C", target)
    assert differences(contents(backups.root), contents(target)) == {}


def test_the_commands_of_the_page_read_an_archive_by_hand(plain, tmp_path) -> None:
    """What format.md says under "How to read one by hand" works as it stands there."""
    for program in ("jq", "xxd", "od"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    archive, root = plain
    page = (PROJECT / "docs/design/format.md").read_text("utf-8")
    _, _, section = page.partition("## 7. How to read one by hand")
    blocks = re.findall(r"^```bash\n(.*?)^```", section, re.M | re.S)
    assert blocks
    script = "set -eu\n" + "".join(blocks)
    script = script.replace("backup_20261122_140322.tar.gz", str(archive)).replace(
        "uploads/logo.png", "uploads/large.bin"
    )
    run("bash", "-c", script, cwd=tmp_path)
    assert (tmp_path / "found").read_bytes() == (root / "uploads/large.bin").read_bytes()
    summary = json.loads((tmp_path / "summary.json").read_text())
    lines = (tmp_path / "manifest.jsonl").read_text().splitlines()
    assert len(lines) == summary["totals"]["entries"]


def recover(archive: Path, target: Path, *options: object, isolated: tuple[str, ...] = ("-I",)) -> Tree:
    """Have `recover.py` make the folder; return what is in it."""
    done = run(sys.executable, *isolated, RECOVER, archive, target, *options, fine=False)
    assert (done.returncode, done.stderr) == (0, "")
    return describe(target)


@pytest.fixture(scope="module")
def series(tmp_path_factory) -> list[tuple[Path, Tree]]:
    """Archives, and what the studio was when each was made: full, incrementals, a full that refers to all."""
    backups = Backups(tmp_path_factory.mktemp("series"))
    populate(backups.root)
    populate_holes(backups.root)
    populate_oddities(backups.root)
    made = [(backups.create("full"), describe(backups.root))]
    change(backups.root)
    made.append((backups.create("incremental"), describe(backups.root)))
    (backups.root / "uploads/copy.bin").write_bytes((backups.root / "uploads/large.bin").read_bytes())
    made.append((backups.create("full", deduplicate=True), describe(backups.root)))
    (backups.root / "uploads/new/file").write_text("once more\n")
    made.append((backups.create("incremental"), describe(backups.root)))
    return made


@pytest.mark.parametrize(
    "number", range(4), ids=["full", "incremental", "full that refers", "incremental of it"]
)
def test_recover_brings_back_everything_with_the_standard_library_alone(number, series, tmp_path) -> None:
    archive, expected = series[number]
    found = recover(archive, tmp_path / "target", isolated=("-I", "-S"))
    assert differences(expected, found) == {}


def test_a_full_that_refers_to_others_is_small(series) -> None:
    """The test before it proves something only if content really lies in other archives."""
    sizes = [archive.stat().st_size for archive, _ in series]
    assert sizes[2] < sizes[0] / 20


def test_recover_brings_back_encrypted_ones_of_either_compression(tmp_path) -> None:
    backups = Backups(tmp_path / "made")
    populate(backups.root)
    populate_oddities(backups.root)
    typed, stored = "cafe\u0301 au lait", "caf\u00e9 au lait"  # one password, however a keyboard composes it
    full, before = backups.create("full", password=typed), describe(backups.root)
    change(backups.root)
    incremental = backups.create("incremental", password=typed, compression="zstd")
    after = describe(backups.root)
    password = tmp_path / "password"
    password.write_text(stored + "\n")
    for archive, expected in ((full, before), (incremental, after)):
        found = recover(archive, tmp_path / archive.name, "--password-file", password)
        assert differences(expected, found) == {}
