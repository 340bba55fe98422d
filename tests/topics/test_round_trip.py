"""The promise itself: what is restored is what was backed up, whatever it was, byte for byte and in all metadata."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupInfo

from ..places import Place
from ..trees import Tree, describe, differences

ROOT = os.geteuid() == 0
LIMIT = 1 << 20
PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)  # explaining takes minutes


@dataclass(frozen=True)
class Node:
    """One thing to make: what it is, where among the folders made so far, and its metadata."""

    kind: str
    folder: int
    name: bytes
    seed: int
    size: int = 0
    target: bytes = b"x"
    mode: int = 0o644
    owner: tuple[int, int] = (0, 0)
    mtime: int = 0
    xattrs: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """One change: which path, counted in order, and what is done to it."""

    what: str
    index: int
    node: Node


@dataclass(frozen=True)
class Manner:
    """How backups are made."""

    encrypted: bool = False
    deduplicate: bool = False
    compression: str = "gzip"
    workers: int = 1
    ahead: bool = True
    """Whether the backup's time is so late that what it saw counts as untouched."""


_names = (
    st.one_of(
        st.binary(min_size=1, max_size=12),
        st.binary(min_size=240, max_size=255),
        st.sampled_from([b"a", b"A", b"a-", b"a.b", b"-n", b" ", b"\n", b"CON", "ä".encode(), "ä".encode()]),
    )
    .map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))
    .filter(lambda name: name not in (b".", b".."))
)
_sizes = st.one_of(
    st.integers(0, 5000),
    st.sampled_from([0, 1, 511, 512, 513, LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 300_000]),
)
_times = st.one_of(
    st.integers(-(2**31) * 10**9, 15_032_385_535 * 10**9),
    st.sampled_from([-1, 0, 1, 2**31 * 10**9, 2**33 * 10**9 + 1]),
)
_ids = st.sampled_from([0, 1, 1000, 2**21 - 1, 2**21, 2**32 - 2]) if ROOT else st.just(os.geteuid())
_modes = st.integers(0, 0o7777) if ROOT else st.integers(0, 0o777).map(lambda mode: mode | 0o700)
_xattrs = st.dictionaries(
    st.sampled_from(["user.a", "user.b c", "user.\udcff"]), st.binary(max_size=300), max_size=2
)
_nodes = st.builds(
    Node,
    kind=st.sampled_from(
        ["file", "file", "file", "folder", "folder", "sparse", "link", "symlink", "fifo", "sqlite"]
    ),
    folder=st.integers(0, 5),
    name=_names,
    seed=st.integers(0, 3),
    size=_sizes,
    target=st.binary(min_size=1, max_size=300).map(lambda target: target.replace(b"\0", b"/")),
    mode=_modes,
    owner=st.tuples(_ids, _ids),
    mtime=_times,
    xattrs=_xattrs,
)
_trees = st.lists(_nodes, max_size=14)
_edits = st.lists(
    st.builds(
        Edit,
        what=st.sampled_from(["delete", "metadata", "append", "rewrite", "move", "replace", "add", "link"]),
        index=st.integers(0, 30),
        node=_nodes,
    ),
    max_size=8,
)
_manners = st.builds(
    Manner,
    encrypted=st.booleans(),
    deduplicate=st.booleans(),
    compression=st.sampled_from(["gzip", "zstd"]),
    ahead=st.booleans(),
)


def content(seed: int, size: int) -> bytes:
    """Return bytes that hardly compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def make(top: bytes, node: Node) -> None:
    """Make one thing below a folder; nothing where its name is taken."""
    folders = [
        top,
        *sorted(
            path for path, status in _everything(top) if os.path.isdir(path) and not os.path.islink(path)
        ),
    ]
    path = os.path.join(folders[node.folder % len(folders)], node.name)
    if os.path.lexists(path):
        return
    if node.kind == "link":
        files = sorted(
            path for path, _ in _everything(top) if os.path.isfile(path) and not os.path.islink(path)
        )
        if files:
            os.link(files[node.seed % len(files)], path)
        return
    _make_content(path, node)
    dress(path, node)


def _make_content(path: bytes, node: Node) -> None:
    if node.kind == "folder":
        os.mkdir(path)
    elif node.kind == "symlink":
        os.symlink(node.target, path)
    elif node.kind == "fifo":
        os.mkfifo(path)
    else:
        with open(path, "wb") as file:
            if node.kind == "sparse":
                _write_sparse(file.fileno(), node)
            elif node.kind == "sqlite":
                file.write(b"SQLite format 3\0" + content(node.seed, node.size))
            else:
                file.write(content(node.seed, node.size))


def _write_sparse(descriptor: int, node: Node) -> None:
    chance = random.Random(node.seed)
    for _ in range(node.seed):
        os.pwrite(descriptor, content(node.seed, 5000), chance.randrange(64) * 65536)
    size = os.fstat(descriptor).st_size
    os.ftruncate(descriptor, max(size, node.size) + chance.choice([0, 1, 100_000]))


def dress(path: bytes, node: Node) -> None:
    """Give a path the metadata."""
    os.chown(path, *node.owner, follow_symlinks=False)
    if not os.path.islink(path):
        if os.path.isfile(path) or os.path.isdir(path):
            for key, value in node.xattrs.items():
                os.setxattr(path, key, value)
        os.chmod(path, node.mode)
    os.utime(path, ns=(node.mtime, node.mtime), follow_symlinks=False)


def change(top: bytes, edit: Edit) -> None:
    """Change a folder as an application would."""
    paths = sorted(path for path, _ in _everything(top))
    if edit.what == "add" or not paths:
        make(top, edit.node)
        return
    path = paths[edit.index % len(paths)]
    is_file = os.path.isfile(path) and not os.path.islink(path)
    if edit.what in ("delete", "replace"):
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    if edit.what == "replace":
        _make_content(path, edit.node if edit.node.kind != "link" else Node("file", 0, b"", 1, 10))
    elif edit.what == "metadata":
        dress(path, edit.node)
    elif edit.what == "move":
        to = os.path.join(top, edit.node.name)
        if not os.path.lexists(to) and not (to + b"/").startswith(path + b"/"):
            os.rename(path, to)
    elif edit.what in ("append", "rewrite") and is_file:
        with open(path, "ab" if edit.what == "append" else "r+b") as file:
            file.write(content(edit.node.seed, edit.node.size % 3000))
    elif edit.what == "link":
        make(top, Node("link", edit.node.folder, edit.node.name, edit.index))


def _everything(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    for entry in os.scandir(top):
        yield entry.path, entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            yield from _everything(entry.path)


@contextmanager
def place(manner: Manner) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as root:
        job = {
            "deduplicate": manner.deduplicate,
            "compression": manner.compression,
            "workers": manner.workers,
            "shrink_guard_percent": 0,
        }
        yield Place(root, encrypted=manner.encrypted, ahead=manner.ahead, **job)


def assert_same(found: Tree, expected: Tree) -> None:
    assert not differences(found, expected)


def restore(studio: Place, info: BackupInfo, target: str, *, delete_extra: bool = False) -> None:
    report = studio.restore(info, target, delete_extra=delete_extra)
    assert not report.problems
    assert not report.notes


def round_trip(nodes: list[Node], edits: list[Edit], manner: Manner) -> None:
    with place(manner) as studio, tempfile.TemporaryDirectory() as targets:
        data = os.fsencode(studio.data)
        for node in nodes:
            make(data, node)
        first = studio.tree()
        full = studio.backup(FULL)
        assert not full.warnings
        for edit in edits:
            change(data, edit)
        second = studio.tree()
        incremental = studio.backup(INCREMENTAL)
        assert not incremental.warnings
        again = studio.backup(FULL)

        one, two = os.path.join(targets, "one"), os.path.join(targets, "two")
        restore(studio, full.backup, one)
        assert_same(describe(one), first)
        restore(studio, incremental.backup, one)
        assert_same(describe(one), second)
        restore(studio, incremental.backup, two)
        assert_same(describe(two), second)
        restore(studio, full.backup, two, delete_extra=True)
        assert_same(describe(two), first)
        restore(studio, again.backup, two, delete_extra=True)
        assert_same(describe(two), second)
        assert_same(studio.tree(), second)


@settings(max_examples=30, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(_trees, _edits, _manners)
def test_restore_gives_back_what_was_backed_up(nodes: list[Node], edits: list[Edit], manner: Manner) -> None:
    round_trip(nodes, edits, manner)


@settings(max_examples=4, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(_trees, _edits, _manners)
def test_so_do_several_workers(nodes: list[Node], edits: list[Edit], manner: Manner) -> None:
    round_trip(
        nodes, edits, Manner(manner.encrypted, manner.deduplicate, manner.compression, 2, manner.ahead)
    )
