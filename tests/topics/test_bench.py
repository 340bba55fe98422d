"""The benchmark's own parts: the same data each time, a comparison that sees everything, honest figures."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def bench_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts of the benchmark import each other by name; where nothing is measured no disk need settle."""
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    monkeypatch.setattr(os, "sync", lambda: None)


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


def records_of(figures: dict[str, list[float]], figure: str = "wall", step: str = "full") -> list[dict]:
    """A record for each round of each tool."""
    return [
        {"case": "small", "round": number, "step": step, "tool": tool, figure: value}
        for tool, found in figures.items()
        for number, value in enumerate(found, 1)
    ]


NAMES = {"plain": "Ours", "encrypted": "Ours, encrypted", "restic": "restic", "borg": "Borg", "tar": "tar"}
WALLS = {"plain": [1.0, 2.0, 4.0], "encrypted": [2.0, 4.0, 8.0], "restic": [3.0, 6.0, 13.0]}


def test_the_table_marks_what_is_reached_and_what_is_not() -> None:
    """Ratios are those of one round, with their range; goals are marked by the median."""
    import report
    import rows

    wanted = (rows.Row("First full", "full", "wall", 2.0), rows.Row("Verify", "verify", "wall", 1.5))

    assert report.ratios(wanted, records_of(WALLS), NAMES).splitlines() == [
        "|  | Ours | Ours, encrypted | goal |",
        "| --- | ---: | ---: | ---: |",
        "| First full | 3.00 (3.00 to 3.25) restic ✓ | 1.50 (1.50 to 1.62) restic ✗ | ≥ 2.00 |",
    ]
    assert report.figures(wanted, records_of(WALLS), NAMES).splitlines() == [
        "|  | Ours | Ours, encrypted | restic |",
        "| --- | ---: | ---: | ---: |",
        "| First full | 2.00 s | 4.00 s | 6.00 s |",
    ]


def test_the_goal_is_measured_at_the_best_peer() -> None:
    """Another tool that encrypts and is better than restic counts; tar, which does neither, does not."""
    import report
    import rows

    walls = {**WALLS, "borg": [2.0, 4.0, 8.0], "tar": [0.1, 0.1, 0.1]}
    table = report.ratios([rows.Row("First full", "full", "wall", 2.0)], records_of(walls), NAMES)

    assert "| 2.00 (2.00 to 2.00) Borg ✓ |" in table
    assert "tar" not in table


def test_ours_is_held_against_the_limit_of_the_machine() -> None:
    """A row can name what its ratio is to; what another row has shown has no second line among the figures."""
    import report
    import rows

    full = rows.Row("Full", "full", "wall")
    row = rows.Row("To the limit", "full", "wall", 0.7, peer="limit")
    records = records_of({"plain": [2.0], "limit": [1.6], "restic": [1.0]})
    names = {**NAMES, "limit": "limit"}

    assert "| To the limit | 0.80 ✓ | ≥ 0.70 |" in report.ratios([row], records, names)
    table = report.figures([full, row], records, names)
    assert "| Full |" in table
    assert "To the limit" not in table


def test_every_title_has_room_beside_the_chart() -> None:
    import chart
    import rows

    widest = max(len(row.title) for each in rows.ROWS.values() for row in each if row.charted)
    assert widest * 7.5 < chart.LEFT


def test_every_set_has_rows() -> None:
    """What is measured is shown."""
    import rows
    import sets

    assert set(sets.SETS) == set(rows.ROWS)


def result(**changes: object) -> dict:
    """The figures of a set, as a run leaves them."""
    whole = {
        "title": "Small files",
        "command": "python bench/run.py",
        "facts": {"Date": "2026-11-23", "restic": "1.0"},
        "names": NAMES,
        "left out": ["duplicity"],
        "records": records_of(WALLS),
    }
    return {**whole, **changes}


def test_what_people_wrote_around_the_figures_stays(tmp_path: Path) -> None:
    """A set that is measured again gets its place back; what is around it, and other sets, stay."""
    import page

    path = tmp_path / "benchmarks.md"
    page.update(str(path), {"small": result(), "large": result(title="Large files")})
    path.write_text(
        path.read_text().replace("<!-- bench:large -->", "What limits it.\n\n<!-- bench:large -->")
    )
    page.update(str(path), {"small": result(title="Fewer files")})
    text = path.read_text()

    assert "## Small files" not in text
    assert text.index("## Fewer files") < text.index("What limits it.") < text.index("## Large files")
    assert set(page.load(str(path))) == {"small", "large"}


def test_the_page_names_what_was_left_out_and_shows_the_chart(tmp_path: Path) -> None:
    """Nobody takes a missing tool for one that lost."""
    import page

    path = tmp_path / "benchmarks.md"
    page.update(str(path), {"small": result()})

    assert "Not installed, so left out: duplicity." in path.read_text()
    assert "](images/benchmarks-small.svg)" in path.read_text()
    assert (tmp_path / "images/benchmarks-small.svg").exists()


def test_the_chart_is_sound_and_has_a_mark_for_each_tool() -> None:
    """It is well-formed, shows ratios with their spread, and has colours for light and for dark pages."""
    import chart
    import rows

    row = rows.Row("First <full>", "full", "wall", charted=True)
    drawn = chart.chart("Small & large", [row], records_of(WALLS), NAMES)
    found = [note.text for note in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}title")]

    assert "restic: 1.50, 1.50 to 1.62" in found
    assert "Ours: 0.50, 0.50 to 0.50" in found
    assert "prefers-color-scheme:dark" in drawn


def test_no_chart_of_one_tool_alone() -> None:
    """Without anything to compare there is no ratio."""
    import chart
    import rows

    row = rows.Row("First full", "full", "wall", charted=True)

    assert chart.chart("Alone", [row], records_of({"plain": [1.0]}), NAMES) == ""


def test_a_week_is_the_same_every_time_and_changes_what_it_says(tmp_path: Path) -> None:
    """Uploads come, logs grow and rotate, rows change, files are renamed and deleted: alike in two runs."""
    import compare
    import studio

    pristine, before = tmp_path / "pristine", 0
    pristine.mkdir()
    studio.make(str(pristine), 2 * MIB)
    for name in ("a", "b"):
        folder = tmp_path / name
        studio.again(str(pristine), str(folder))
        before = (folder / "logs/access.log").stat().st_size
        studio.hour(str(folder), 2 * MIB, 1, 0, 2)
        grown = (folder / "logs/access.log").stat().st_size
        studio.night(str(folder), 1)
        for path in [*folder.rglob("*"), folder]:
            os.utime(path, (0, 0))
    names = {path.name for path in (tmp_path / "a").rglob("*")}

    assert grown > before
    assert (tmp_path / "a/logs/access.log.1").stat().st_size == grown
    assert any(name.startswith("1-0-") for name in names)
    assert any(name.startswith("renamed-1-") for name in names)
    assert (tmp_path / "a/studio.db").read_bytes() != (pristine / "studio.db").read_bytes()
    assert list(compare.differences(str(tmp_path / "a"), str(tmp_path / "b"))) == []


class Copying:
    """A tool that copies; what it forgets can be chosen."""

    name, needs = "cp", ("cp",)
    nanoseconds = folders = True

    def __init__(self, root: Path, place: Path, forgets: str = "true") -> None:
        self._root, self._place, self._forgets = root, place, forgets

    def setup(self) -> None:
        self._place.mkdir(parents=True, exist_ok=True)

    def _shell(self, words: str):
        import measure

        return measure.Command(["sh", "-e", "-c", words], str(self._root))

    def full(self, label: str = "full"):
        return self._shell(f"rm -rf {self._place}/{label}; cp -a data {self._place}/{label}")

    incremental = full

    def restore(self, target: str, part: str = "", label: str = "full"):
        place = Path(target, "data", part).parent
        place.mkdir(parents=True, exist_ok=True)
        to = f"{target}/data" + (f"/{part}" if part else "")
        return self._shell(f"cp -a {self._place}/{label}/{part} {to}; cd {target}; {self._forgets}")

    def verify(self):
        return self._shell("true")

    thin = keep_newest = listing = help = verify

    def size(self) -> int:
        return 7


def test_every_step_of_a_set_is_recorded(tmp_path: Path) -> None:
    """A tool that gives back what it got has a record of each step, warm and cold, and none of memory."""
    import cases
    import turns

    tree(tmp_path / "data")
    records: list[dict] = []
    tool = Copying(tmp_path, tmp_path / "copies")
    case = turns.Turns("small", str(tmp_path), {"cp": tool}, records.append)
    parts = {"one file": "folder/file", "folder": "folder"}
    cases.files(case, cases.Rounds(warm=1, cold=0, memory=False), parts)

    steps = ["full", "size", "incremental", "restore", "one file", "folder", "verify"]
    assert [record["step"] for record in records] == steps
    assert {"wall", "cpu", "read", "disk"} <= set(records[0])


@pytest.mark.parametrize(
    ("part", "forgets"),
    [
        ("", "echo more >data/folder/file"),
        ("folder/file", "touch data/more"),
        ("folder", "rm data/folder/file"),
    ],
)
def test_a_tool_that_restores_something_else_stops_the_run(part: str, forgets: str, tmp_path: Path) -> None:
    """A wrong result has no time, whether all, a file or a folder was asked for."""
    import turns

    tree(tmp_path / "data")
    tool = Copying(tmp_path, tmp_path / "copies", forgets)
    case = turns.Turns("small", str(tmp_path), {"cp": tool}, lambda record: None)
    case.setup()
    case.each("full", lambda each: each.full())

    with pytest.raises(turns.DifferentError):
        case.restores("restore", part)


def test_each_round_another_tool_begins(tmp_path: Path) -> None:
    """What the first one finds on the disk would else be its advantage, or its burden, all the time."""
    import turns

    records: list[dict] = []
    (tmp_path / "data").mkdir()
    tools = {name: Copying(tmp_path, tmp_path / name) for name in "ABC"}
    case = turns.Turns("small", str(tmp_path), tools, records.append)
    case.setup()
    for case.round in (1, 2, 3):
        case.each("full", lambda each: each.full())

    assert "".join(record["tool"] for record in records) == "ABCBCACAB"


def test_steps_that_belong_together_are_recorded_as_one(tmp_path: Path) -> None:
    """The backups of a week are one figure: their sum."""
    import turns

    records: list[dict] = []
    (tmp_path / "data").mkdir()
    case = turns.Turns("week", str(tmp_path), {"cp": Copying(tmp_path, tmp_path)}, records.append)
    case.round = 1
    for _ in range(2):
        case.add("backups", lambda tool: tool._shell("sleep 0.1; head -c 100000 /dev/zero"))
    case.totals()

    (record,) = records
    assert record["step"] == "backups"
    assert record["wall"] > 0.2
    assert record["read"] >= 200_000


def test_modes_and_times_of_folders_may_be_left_out_of_the_comparison(tmp_path: Path) -> None:
    """A bucket has no folders; the files in them still count."""
    import compare

    one, other = tree(tmp_path / "a"), tree(tmp_path / "b")
    os.utime(other / "folder", (1, 1))

    assert list(compare.differences(str(one), str(other), folders=False)) == []
    (other / "folder/file").write_bytes(b"CONTENT")
    assert list(compare.differences(str(one), str(other), folders=False))


def test_a_tool_that_is_not_installed_is_left_out(tmp_path: Path) -> None:
    """It is named with the program that is missing."""
    import tool
    import tools

    found = tools.all_tools(str(tmp_path), str(tmp_path))
    found["restic"].needs = ("no-such-program",)

    assert tool.left_out({name: found[name] for name in ("plain", "restic")}) == {"restic": "no-such-program"}


def test_a_trial_is_small_and_what_was_said_counts() -> None:
    """Sizes of the command line come before those of a trial."""
    import options

    trial = options.parse(["--trial", "--small-files", "7"], ["small"], "")
    whole = options.parse([], ["small"], "")

    assert (trial.small_files, trial.rounds, trial.no_memory) == (7, 1, True)
    assert (whole.small_files, whole.rounds, whole.no_memory) == (100_000, 3, False)
    assert trial.large_mb < whole.large_mb
    assert trial.output != whole.output == str(BENCH.parent / "docs/benchmarks.md")


def test_the_limit_reads_every_byte_once(tmp_path: Path) -> None:
    """Files of any size: empty, small, and of more than one part."""
    for name, size in (("empty", 0), ("small", 10), ("large", 5 * MIB)):
        (tmp_path / name).write_bytes(bytes(size))
    script = [sys.executable, str(BENCH / "limit.py"), str(tmp_path)]
    before, after = map(int, subprocess.run(script, capture_output=True, check=True).stdout.split())

    assert before == 5 * MIB + 10
    assert 0 < after < before


def test_dropping_caches_says_how_much_and_leaves_the_files(tmp_path: Path) -> None:
    """Links and folders among them do no harm."""
    import caches

    tree(tmp_path / "data")

    caches._drop_contents((str(tmp_path),))
    assert (tmp_path / "data/folder/file").read_bytes() == b"content"
