"""
Damage to what is stored is always noticed and named, and costs no file that it does not concern.

Every byte is flipped, every length is cut; whoever lists and verifies is told, by no other error than the one
for damage. A wrong password is never called damage, nor damage a wrong password.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.progress import Silent

from ..places import Place
from ..studios import Ended, Studio, Template, warm_up
from ..trees import Tree, describe, differences

OURS = {b"backups", b".pinnacle", b"logs", b"app.db", b"app.db-wal", b"app.db-shm"}


class Archive:
    """The archive of a very small backup, to be damaged."""

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name = place, name
        self.file = Path(place.root) / "backups" / name
        self.data = self.file.read_bytes()
        assert len(self.data) <= 12_000
        self.restored = 0

    def is_noticed(self, data: bytes) -> str:
        """Return who notices that the archive is not what it was; nothing if nobody does."""
        self.file.write_bytes(data)
        listing = self.place.repository.listing()
        if any(problem.path == self.name and problem.reason for problem in listing.problems):
            return "list"
        info = listing.find(self.name)
        try:
            report = verify(
                info,
                opener=self.place.opener(),
                workers=1,
                scratch=os.path.join(self.place.root, ".pinnacle"),
                progress=Silent(),
            )
        except DamagedError as error:
            return "verify" if self.name in error.message else ""
        assert all(problem.path and problem.reason for problem in report.problems)
        return "verify" if report.problems else ""

    def flips(self, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the archive with one bit of each of these bytes flipped."""
        for place in places:
            flipped = bytearray(self.data)
            flipped[place] ^= 1 << place % 8
            yield place, bytes(flipped)


@pytest.fixture(params=["plain", "encrypted", "incremental"])
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Archive:
    """Return an archive without a checksum file, so that it has to tell by itself."""
    place = Place(tmp_path, encrypted=request.param == "encrypted")
    data = Path(place.data)
    (data / "folder").mkdir()
    (data / "folder/one.txt").write_text("one\n" * 50)
    (data / "two.bin").write_bytes(os.urandom(1500))
    (data / "link").symlink_to("two.bin")
    made = place.backup().backup
    if request.param == "incremental":
        (data / "folder/one.txt").write_text("changed\n")
        made = place.backup("incremental").backup
    for sidecar in Path(place.root).glob("backups/*.sha256"):
        sidecar.unlink()
    return Archive(place, made.name)


def _unnoticed(archive: Archive, step: int) -> list[int]:
    return [
        where
        for where, data in archive.flips(range(0, len(archive.data), step))
        if not archive.is_noticed(data)
    ]


def _unnoticed_cuts(archive: Archive, step: int) -> list[int]:
    lengths = range(0, len(archive.data), step)
    return [length for length in lengths if not archive.is_noticed(archive.data[:length])]


def test_a_sound_archive_is_called_sound(archive: Archive) -> None:
    assert not archive.is_noticed(archive.data)


def test_some_flipped_bytes(archive: Archive) -> None:
    assert _unnoticed(archive, 31) == []


def test_some_lengths(archive: Archive) -> None:
    assert _unnoticed_cuts(archive, 61) == []


@pytest.mark.long
def test_every_flipped_byte(archive: Archive) -> None:
    assert _unnoticed(archive, 1) == []


@pytest.mark.long
def test_every_length(archive: Archive) -> None:
    assert _unnoticed_cuts(archive, 1) == []


def test_longer_archives(archive: Archive) -> None:
    for more in (b"\0", bytes(512), archive.data):
        assert archive.is_noticed(archive.data + more)


def test_no_restore_of_a_damaged_archive_gives_other_bytes(archive: Archive, tmp_path: Path) -> None:
    """I3: what is restored is right, and all that is not there was named, or the restore failed as a whole."""
    data = Path(archive.place.data)
    right = {
        path.name: path.read_bytes() for path in data.rglob("*") if path.is_file() and not path.is_symlink()
    }
    target = tmp_path / "target"
    for where, damaged in archive.flips(range(5, len(archive.data), len(archive.data) // 40)):
        shutil.rmtree(target, ignore_errors=True)
        archive.file.write_bytes(damaged)
        listing = archive.place.repository.listing()
        named: set[str] | None = None
        if not listing.problems:
            try:
                report = archive.place.restore(listing.find(archive.name), target)
                named = {os.path.basename(problem.path) for problem in report.problems}
            except DamagedError:
                named = None
        found = {
            path.name: path.read_bytes()
            for path in target.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        assert found.items() <= right.items(), where
        if named is not None:
            assert right.keys() - found.keys() <= named, where


# From here on with the real commands.


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    return Studio(tmp_path / "studio")


def _damage(studio: Studio, name: str, where: float, width: int = 1) -> None:
    """Flip some bits at a part of an archive's length."""
    with open(studio.backups / name, "r+b") as file:
        place = int(os.fstat(file.fileno()).st_size * where)
        file.seek(place)
        byte = file.read(width)
        file.seek(place)
        file.write(bytes(value ^ 0x10 for value in byte))


def _tree(folder: Path) -> Tree:
    return describe(folder, leave_out=OURS)


def assert_damaged(ended: Ended, *said: str) -> None:
    assert ended.code == 13, ended
    for words in said:
        assert words in ended.out + ended.err, ended


def test_all_other_files_are_restored(studio: Studio, tmp_path: Path) -> None:
    studio.good("create", "--name", "full")
    _damage(studio, "full.tar.gz", 0.4)
    assert_damaged(studio.run("verify", "full"), "uploads/large.bin", "full.tar.gz")
    target = tmp_path / "target"
    ended = studio.run("restore", "full", "--target", str(target))
    assert ended.code not in (0, 1), ended
    assert "uploads/large.bin" in ended.err + ended.out
    expected = _tree(studio.root)
    del expected[b"uploads/large.bin"]
    found = _tree(target)
    assert found == expected, differences(found, expected)
    assert not [path for path in target.rglob("*") if path.name.startswith(".pinnacle")]


def test_a_restore_in_place_leaves_what_it_cannot_replace(studio: Studio) -> None:
    studio.good("create", "--name", "full")
    studio.change()
    mine = (studio.root / "uploads/large.bin").read_bytes()
    _damage(studio, "full.tar.gz", 0.4)
    ended = studio.run("restore", "full")
    assert ended.code not in (0, 1), ended
    assert (studio.root / "uploads/large.bin").read_bytes() == mine
    assert (studio.root / "encyclopedia/page.md").read_text() == "# A page\n"


def test_a_wrong_password_is_not_damage_nor_damage_a_wrong_password(studio: Studio) -> None:
    studio.good("create", "--name", "secret", "--encrypt", "right")
    template = Template(studio)
    for command in (("verify", "secret"), ("restore", "secret", "--target", str(studio.root / "out"))):
        ended = studio.run(*command, "--decrypt", "wrong")
        assert ended.code == 12, ended
        assert "wrong password" in ended.err
    assert not (studio.root / "out").exists()
    for where in (0.0005, 0.3, 0.9999):
        template.reset()
        _damage(studio, "secret.tar.gz.enc", where)
        assert_damaged(studio.run("verify", "secret", "--decrypt", "right"), "secret.tar.gz.enc")


def test_archives_are_found_again_without_any_state(studio: Studio, tmp_path: Path) -> None:
    studio.good("create", "--name", "full")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "later")
    before = studio.good("list", "--json")
    shutil.rmtree(studio.root / ".pinnacle")
    assert studio.good("list", "--json") == before
    shutil.rmtree(studio.root / ".pinnacle")
    studio.good("restore", "later", "--target", str(tmp_path / "target"))
    found, expected = _tree(tmp_path / "target"), _tree(studio.root)
    assert found == expected, differences(found, expected)
    studio.good("verify", "--all")


def test_a_damaged_catalog_says_nothing_wrong(studio: Studio) -> None:
    studio.good("create", "--name", "full")
    before = studio.good("list", "--json")
    catalog = studio.root / ".pinnacle/catalog.db"
    sound = catalog.read_bytes()
    for where in range(50, len(sound), 997):
        catalog.write_bytes(sound[:where] + bytes(100) + sound[where + 100 :])
        assert studio.good("list", "--json") == before
    catalog.write_bytes(os.urandom(9999))
    assert studio.good("list", "--json") == before


def test_a_missing_base_is_named(studio: Studio, tmp_path: Path) -> None:
    studio.good("create", "--name", "base")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "later")
    base = studio.listed()["base.tar.gz"]["id"][:8]
    (studio.backups / "base.tar.gz").rename(tmp_path / "base.tar.gz")
    assert "later" in studio.good("list")
    assert_damaged(studio.run("verify", "later"), base, "missing")
    assert_damaged(studio.run("restore", "later", "--target", str(tmp_path / "target")), base)
    assert not (tmp_path / "target").exists()
    studio.good("create", "--name", "another")  # life goes on
    (tmp_path / "base.tar.gz").rename(studio.backups / "base.tar.gz")
    studio.good("verify", "later")


def test_a_damaged_base_is_named_by_its_incremental(studio: Studio, tmp_path: Path) -> None:
    studio.good("create", "--name", "base")
    (studio.root / "encyclopedia/page.md").write_text("changed\n")
    studio.good("create", "--type", "incremental", "--name", "later")
    _damage(studio, "base.tar.gz", 0.4)
    assert_damaged(studio.run("verify", "later"), "base.tar.gz", "uploads/large.bin")
    ended = studio.run("restore", "later", "--target", str(tmp_path / "target"))
    assert ended.code not in (0, 1), ended
    assert "uploads/large.bin" in ended.err + ended.out
    assert (tmp_path / "target/encyclopedia/page.md").read_text() == "changed\n"


@pytest.mark.parametrize("sidecar", ["0" * 64 + "  full.tar.gz\n", "nonsense", "", "\0" * 96])
def test_a_checksum_file_that_says_something_else(studio: Studio, sidecar: str) -> None:
    studio.good("create", "--name", "full")
    (studio.backups / "full.tar.gz.sha256").write_text(sidecar)
    assert_damaged(studio.run("verify", "full"), "full.tar.gz.sha256")


def test_a_missing_checksum_file_is_no_damage(studio: Studio) -> None:
    studio.good("create", "--name", "full")
    (studio.backups / "full.tar.gz.sha256").unlink()
    studio.good("verify", "full")


def test_archives_that_have_changed_places(studio: Studio) -> None:
    """Names say nothing: an archive says itself what it is, its checksum file tells that it was moved."""
    studio.good("create", "--name", "one")
    studio.change()
    studio.good("create", "--name", "two")
    one, two, between = (studio.backups / f"{name}.tar.gz" for name in ("one", "two", "between"))
    one.rename(between)
    two.rename(one)
    between.rename(two)
    assert studio.listed().keys() == {"one.tar.gz", "two.tar.gz"}
    assert_damaged(studio.run("verify", "one"), "one.tar.gz")
    assert_damaged(studio.run("verify", "two"), "two.tar.gz")


@pytest.mark.parametrize("kind", [FULL, INCREMENTAL])
def test_a_backup_takes_nothing_over_from_an_archive_that_is_lost(tmp_path: Path, kind: str) -> None:
    """The sources have it still: so the next backup is whole, whatever those before it lack."""
    place = Place(tmp_path, deduplicate=True)
    data = Path(place.data)
    made = []
    for number in range(3):
        (data / f"{number}.bin").write_bytes(os.urandom(1_500_000))
        made.append(place.backup().backup)
    Path(place.root, "backups", made[1].name).unlink()
    report = place.backup(kind)
    place.verify(report.backup)
    assert not place.repository.listing().missing(report.backup)
    assert report.notes == (
        f"{made[2].name} needs an archive that is not here, so this backup leaves it alone",
    )
    target = tmp_path / "target"
    assert not place.restore(report.backup, target).problems
    assert differences(describe(target / "data"), describe(data)) == {}


def test_of_several_copies_each_is_read_for_itself(studio: Studio, tmp_path: Path) -> None:
    """A copy under another name may be the damaged one, or the sound one."""
    studio.good("create", "--name", "made")
    for name in ("earlier", "later"):
        shutil.copy(studio.backups / "made.tar.gz", studio.backups / f"{name}.tar.gz")
    _damage(studio, "earlier.tar.gz", 0.4)
    _damage(studio, "later.tar.gz", 0.5)
    for name in ("earlier", "later"):
        assert_damaged(studio.run("verify", name), f"{name}.tar.gz")
    assert "later" not in studio.good("verify", "made")
    verified = {name for name, found in studio.listed().items() if found["verified"]}
    assert verified == {"made.tar.gz"}
    studio.good("restore", "made", "--target", str(tmp_path / "target"))
    studio.good("drill", "made")


@pytest.mark.parametrize("where", [0.4, "manifest"])
@pytest.mark.parametrize("deduplicate", [False, True])
def test_after_damage_was_found_the_next_backup_is_whole(
    studio: Studio, tmp_path: Path, where: float | str, *, deduplicate: bool
) -> None:
    """It takes nothing from the damaged archive, whose content the sources have still; and says so."""
    studio.configure(deduplicate=deduplicate)
    studio.environ = {"PINNACLE_PASSWORD": "right"}
    studio.good("create", "--name", "first", "--encrypt", "right")
    (studio.root / "uploads/more.bin").write_bytes(os.urandom(1_300_000))
    studio.good("create", "--name", "second", "--encrypt", "right")
    (studio.root / "encyclopedia/page.md").write_text("changed\n")
    if deduplicate:
        studio.good("create", "--name", "third")
    size = (studio.backups / "second.tar.gz.enc").stat().st_size
    _damage(studio, "second.tar.gz.enc", (size - 1500) / size if where == "manifest" else 0.4)
    assert studio.run("verify", "latest").code == 13
    said = studio.good("create", "--name", "incremental", "--type", "incremental")
    assert "found damaged" in said
    studio.good("create", "--name", "full", "--encrypt", "right")
    for name in ("incremental", "full"):
        assert studio.listed()[f"{name}.tar.gz.enc"]["encrypted"]
        studio.good("verify", name)
        studio.good("restore", name, "--target", str(tmp_path / name))
        assert (tmp_path / name / "uploads/more.bin").read_bytes() == (
            studio.root / "uploads/more.bin"
        ).read_bytes()
