"""The benchmark's own parts: the same data each time, a comparison that sees everything, honest figures."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def bench_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts of the benchmark import each other by name."""
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])


def tree(root: Path) -> Path:
    """A folder with one of each kind of entry."""
    (root / "folder").mkdir(parents=True)
    (root / "folder/file").write_bytes(b"content")
    (root / "link").symlink_to("folder/file")
    for path in (root / "folder/file", root / "folder", root):
        os.utime(path, ns=(10**18 + 5, 10**18 + 5))
    return root


def test_equal_trees_do_not_differ(tmp_path: Path) -> None:
    """Two trees that were made alike compare as equal."""
    import compare

    assert list(compare.differences(str(tree(tmp_path / "a")), str(tree(tmp_path / "b")))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "folder/file").write_bytes(b"CONTENT"),
        lambda root: (root / "folder/file").chmod(0o600),
        lambda root: os.utime(root / "folder/file", ns=(10**18, 10**18)),
        lambda root: (root / "folder/file").unlink(),
        lambda root: (root / "more").touch(),
        lambda root: (root / "folder").chmod(0o700),
        lambda root: ((root / "link").unlink(), (root / "link").symlink_to("elsewhere")),
    ],
)
def test_any_change_is_a_difference(change, tmp_path: Path) -> None:
    """Content, mode, time, absence, addition and link target all count."""
    import compare

    original, changed = tree(tmp_path / "a"), tree(tmp_path / "b")
    change(changed)

    assert list(compare.differences(str(original), str(changed)))


def test_large_data_is_the_same_every_time(tmp_path: Path) -> None:
    """Two runs measure the same bytes."""
    import compare
    import data

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        data.make_large(str(tmp_path / name), 3 * MIB)
        for path in [*(tmp_path / name).iterdir(), tmp_path / name]:
            os.utime(path, (0, 0))

    assert list(compare.differences(str(tmp_path / "a"), str(tmp_path / "b"))) == []


def test_updated_rows_are_the_share_that_was_asked_for(tmp_path: Path) -> None:
    """One per cent of the rows has another body, and the database stays sound."""
    import data

    path = tmp_path / "studio.db"
    data.make_database(str(path), MIB)
    with closing(sqlite3.connect(path)) as database:
        before = database.execute("SELECT body FROM articles ORDER BY id").fetchall()
    data.update_rows(str(path), 0.01)
    with closing(sqlite3.connect(path)) as database:
        after = database.execute("SELECT body FROM articles ORDER BY id").fetchall()

        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    changed = sum(old != new for old, new in zip(before, after, strict=True))
    assert changed == round(len(before) * 0.01)


def test_small_files_are_as_many_as_asked_for(tmp_path: Path) -> None:
    """Real files, exactly as many as wanted, and made only once for the same recipe."""
    import data

    folder = tmp_path / "data"
    made = []
    for _ in range(2):
        data.prepare(str(folder), {"files": 300}, lambda path: made.append(data.make_small(path, 300)))

    assert len(made) == 1
    assert sum(path.is_file() for path in folder.rglob("*")) == 300


def test_memory_and_time_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    """What a child of the command takes counts as the command's."""
    import measure

    child = "b = bytearray(64 << 20); s = sum(range(10**7)); import time; time.sleep(0.3)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    taken = measure.run(measure.Command([sys.executable, "-c", parent], str(tmp_path)), memory=True)

    assert 64 * MIB < taken.memory < 128 * MIB
    assert taken.cpu > 0.05
    assert taken.wall > 0.3


def test_a_failed_command_gives_no_figures(tmp_path: Path) -> None:
    """A tool that fails quickly is not a fast tool."""
    import measure

    command = measure.Command([sys.executable, "-c", "import sys; sys.exit('disk full')"], str(tmp_path))

    with pytest.raises(measure.CommandFailedError, match="disk full"):
        measure.run(command)


def test_the_table_marks_what_is_reached_and_what_is_not() -> None:
    """Ratios are those of one round, with their range; goals are marked by the median."""
    import report

    walls = {"plain": [1.0, 2.0, 4.0], "encrypted": [2.0, 4.0, 8.0], "restic": [3.0, 6.0, 13.0]}
    records = [
        {"case": "small", "round": number, "step": "full", "tool": tool, "wall": wall}
        for tool, found in walls.items()
        for number, wall in enumerate(found, 1)
    ]
    rows = (report.Row("First full", "full", "wall", 2.0), report.Row("Verify", "verify", "wall", 1.5))
    names = {"plain": "Ours", "encrypted": "Ours, encrypted", "restic": "restic", "tar": "tar"}

    assert report.table(rows, records, names).splitlines() == [
        "|  | Ours | Ours, encrypted | restic | Ours to restic | Ours, encrypted to restic | goal |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| First full | 2.00 s | 4.00 s | 6.00 s | 3.00 (3.00 to 3.25) ✓ | 1.50 (1.50 to 1.62) ✗ | ≥ 2.00 to restic |",
    ]
