"""Metadata: exact for root; without rights as much as is allowed, and told."""

from __future__ import annotations

import errno
import os
import stat
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.files.metadata import apply, read_xattrs
from pinnacle_backup.model.entry import Entry

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)
ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"
INSTANT = 1_700_000_000_123_456_789


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY_IN_PARTICULAR = 0xFFFFFFFF
SHARED = acl(
    (0x01, 7, NOBODY_IN_PARTICULAR),
    (0x02, 4, 1000),
    (0x04, 5, NOBODY_IN_PARTICULAR),
    (0x10, 5, NOBODY_IN_PARTICULAR),
    (0x20, 0, NOBODY_IN_PARTICULAR),
)


@pytest.fixture
def file(place: Path) -> Path:
    (place / "f").write_bytes(b"content")
    return place / "f"


def entry(**fields) -> Entry:
    return Entry(**{"path": "f", "type": "file", "mode": 0o644, "mtime_ns": INSTANT, **fields})


def applied(path: Path, wanted: Entry, *, privileged: bool = True) -> list[str]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return apply(descriptor, "", wanted, privileged=privileged)
    finally:
        os.close(descriptor)


def applied_by_name(path: Path, wanted: Entry) -> list[str]:
    folder = os.open(path.parent, os.O_PATH)
    try:
        return apply(folder, path.name, wanted, privileged=True)
    finally:
        os.close(folder)


def xattrs(path: Path) -> dict[str, bytes]:
    folder = os.open(path.parent, os.O_PATH)
    try:
        return read_xattrs(folder, path.name)
    finally:
        os.close(folder)


def supports(path: Path, name: str, value: bytes) -> bool:
    try:
        os.setxattr(path, name, value)
        os.removexattr(path, name)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM):
            return False
        raise
    return True


@needs_root
class TestAsRoot:
    @pytest.mark.parametrize("mode", [0o000, 0o644, 0o4755, 0o2755, 0o6711, 0o1777, 0o7777])
    @pytest.mark.parametrize("by", [applied, applied_by_name])
    def test_owner_and_mode_are_exact(self, file: Path, mode: int, by):
        """Also setuid, which a change of owner drops."""
        notes = by(file, entry(mode=mode, uid=1000, gid=3_000_000_000))
        status = file.stat()

        assert notes == []
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (mode, 1000, 3_000_000_000)

    @given(st.integers((2 - (1 << 31)) * 10**9, (1 << 32) * 10**9))
    @settings(max_examples=60, deadline=None)
    def test_times_are_exact_to_the_nanosecond(self, tmp_path_factory, instant: int):
        path = tmp_path_factory.mktemp("times") / "f"
        path.touch()

        assert applied(path, entry(mtime_ns=instant)) == []
        assert path.stat().st_mtime_ns == instant

    def test_a_clamped_time_is_told(self, file: Path):
        notes = applied(file, entry(mtime_ns=-(1 << 62)))

        assert file.stat().st_mtime_ns != -(1 << 62)
        assert len(notes) == 1
        assert "time of modification" in notes[0]

    def test_attributes_become_the_entrys(self, file: Path):
        """Values differ, are missing, and are too many before."""
        wanted = {
            "user.kept": b"1",
            "user.new": b"",
            "trusted.changed": b"\0\xff",
            "user.\udcff": b"odd name",
        }
        os.setxattr(file, "user.kept", b"1")
        os.setxattr(file, "trusted.changed", b"before")
        os.setxattr(file, "user.extra", b"goes")

        assert applied(file, entry(xattrs=wanted)) == []
        assert xattrs(file) == wanted

    def test_capabilities_survive_the_change_of_owner(self, file: Path):
        wanted = {"security.capability": CAPABILITY}

        assert applied(file, entry(uid=1000, gid=1000, mode=0o755, xattrs=wanted)) == []
        assert xattrs(file) == wanted

    def test_capabilities_that_the_entry_does_not_have_go(self, file: Path):
        os.setxattr(file, "security.capability", CAPABILITY)
        applied(file, entry())

        assert xattrs(file) == {}

    @pytest.mark.parametrize("before", [0o600, 0o777])
    def test_acl_and_mode_are_both_exact(self, file: Path, before: int):
        if not supports(file, ACCESS, SHARED):
            pytest.skip("no ACLs here")
        file.chmod(before)

        assert applied(file, entry(mode=0o750, xattrs={ACCESS: SHARED})) == []
        assert xattrs(file) == {ACCESS: SHARED}
        assert stat.S_IMODE(file.stat().st_mode) == 0o750

    def test_an_inherited_acl_goes_when_the_entry_has_none(self, place: Path):
        folder = place / "shared"
        folder.mkdir()
        if not supports(folder, DEFAULT, SHARED):
            pytest.skip("no ACLs here")
        os.setxattr(folder, DEFAULT, SHARED)
        (folder / "f").touch()
        assert ACCESS in xattrs(folder / "f")

        assert applied(folder / "f", entry(mode=0o664)) == []
        assert xattrs(folder / "f") == {}
        assert stat.S_IMODE((folder / "f").stat().st_mode) == 0o664

    def test_a_folders_default_acl_is_restored(self, place: Path):
        folder = place / "d"
        folder.mkdir()
        if not supports(folder, DEFAULT, SHARED):
            pytest.skip("no ACLs here")

        assert applied_by_name(folder, entry(type="directory", mode=0o2775, xattrs={DEFAULT: SHARED})) == []
        assert xattrs(folder) == {DEFAULT: SHARED}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o2775

    def test_a_symlink_has_its_own_metadata(self, file: Path):
        """What it points to stays as it is."""
        link = file.parent / "link"
        link.symlink_to("f")
        before = file.stat()
        wanted = entry(type="symlink", mode=0o777, uid=7, gid=8, xattrs={"trusted.x": b"1"})

        assert applied_by_name(link, wanted) == []
        status = link.lstat()
        assert (status.st_uid, status.st_gid, status.st_mtime_ns) == (7, 8, INSTANT)
        assert xattrs(link) == {"trusted.x": b"1"}
        assert (file.stat(), xattrs(file)) == (before, {})

    def test_a_dangling_symlink_too(self, place: Path):
        (place / "link").symlink_to("nowhere")

        assert applied_by_name(place / "link", entry(type="symlink", uid=7)) == []
        assert (place / "link").lstat().st_uid == 7

    def test_a_fifo_is_not_opened(self, place: Path):
        os.mkfifo(place / "p")

        assert applied_by_name(place / "p", entry(type="fifo", mode=0o620, uid=9)) == []
        status = (place / "p").stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_mtime_ns) == (0o620, 9, INSTANT)

    @pytest.mark.parametrize("uid", [-1, (1 << 32) - 1, 1 << 32, -5])
    def test_no_owner_is_not_root(self, file: Path, uid: int):
        """To chown, -1 means to keep the owner: a hostile entry would become root's setuid program."""
        notes = applied(file, entry(uid=uid, mode=0o6755))

        assert stat.S_IMODE(file.stat().st_mode) == 0o755
        assert len(notes) == 2

    def test_only_permission_bits_count(self, file: Path):
        applied(file, entry(mode=0o100644))

        assert stat.S_IMODE(file.stat().st_mode) == 0o644


class TestTypes:
    @pytest.mark.parametrize("wanted", ["directory", "symlink", "fifo", "absent"])
    def test_another_type_under_the_name_is_refused(self, file: Path, wanted: str):
        before = file.stat()
        with pytest.raises(FileNotFoundError):
            applied_by_name(file, entry(type=wanted, mode=0o777))

        assert file.stat() == before

    def test_a_link_in_place_of_the_file_is_refused(self, file: Path):
        (file.parent / "link").symlink_to("f")
        before = file.stat()
        with pytest.raises(FileNotFoundError):
            applied_by_name(file.parent / "link", entry(mode=0o777))

        assert file.stat() == before

    def test_a_device_is_refused(self):
        before = os.stat("/dev/null")
        with pytest.raises(FileNotFoundError):
            applied_by_name(Path("/dev/null"), entry(mode=0o600))

        assert os.stat("/dev/null") == before


@needs_root
class TestWithoutRights:
    @pytest.fixture
    def own(self, place: Path, unprivileged):
        with unprivileged():
            (place / "own").write_bytes(b"content")
            yield place / "own"

    def test_a_foreign_owner_is_told_and_never_gets_setuid(self, own: Path):
        notes = applied(own, entry(uid=0, gid=0, mode=0o6755), privileged=False)

        assert stat.S_IMODE(own.stat().st_mode) == 0o755
        assert own.stat().st_mtime_ns == INSTANT
        assert [note.split(":")[0] for note in notes] == [
            "owner 0",
            "setuid and setgid are not set for another owner",
        ]

    def test_ones_own_setuid_stays(self, own: Path):
        me = os.geteuid()

        assert applied(own, entry(uid=me, gid=me, mode=0o4755), privileged=False) == []
        assert stat.S_IMODE(own.stat().st_mode) == 0o4755

    def test_a_foreign_group_takes_only_setgid(self, own: Path):
        notes = applied(own, entry(uid=os.geteuid(), gid=0, mode=0o6755), privileged=False)

        assert stat.S_IMODE(own.stat().st_mode) == 0o4755
        assert len(notes) == 2

    def test_attributes_of_a_read_only_file_are_set(self, own: Path):
        me = os.geteuid()
        wanted = entry(uid=me, gid=me, mode=0o444, xattrs={"user.x": b"1"})

        assert applied(own, wanted, privileged=False) == []
        assert xattrs(own) == {"user.x": b"1"}

    def test_what_only_root_may_set_is_told(self, own: Path):
        me = os.geteuid()
        wanted = entry(uid=me, gid=me, xattrs={"trusted.x": b"1", "user.y": b"2"})

        assert len(applied(own, wanted, privileged=False)) == 1
        assert xattrs(own) == {"user.y": b"2"}


class TestReadXattrs:
    def test_of_an_open_file_and_by_name(self, file: Path):
        os.setxattr(file, "user.a", b"\0\1")
        descriptor = os.open(file, os.O_RDONLY)

        assert read_xattrs(descriptor) == xattrs(file) == {"user.a": b"\0\1"}
        os.close(descriptor)

    def test_none_where_there_are_none(self):
        descriptor = os.open("/proc/self/status", os.O_RDONLY)

        assert read_xattrs(descriptor) == {}
        os.close(descriptor)

    def test_a_link_is_not_followed(self, file: Path):
        os.setxattr(file, "user.a", b"1")
        (file.parent / "link").symlink_to("f")

        assert xattrs(file.parent / "link") == {}

    def test_odd_names_are_paths_like_others(self, place: Path):
        for name in ("..x", "-n", "\n", "\udcff"):
            (place / name).touch()
            os.setxattr(place / name, "user.a", b"1")

            assert xattrs(place / name) == {"user.a": b"1"}
