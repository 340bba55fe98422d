"""Reading: what is opened, what has holes, what changed meanwhile."""

from __future__ import annotations

import os
import socket
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.reading import changed, data_segments, open_file, read_all

from ...descriptors import open_below

BLOCK = 1 << 16


@pytest.fixture
def folders(tmp_path: Path):
    with DirectoryCache.open(str(tmp_path)) as cache:
        yield cache


def opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY)


class TestOpenFile:
    def test_gives_descriptor_and_stat(self, tmp_path: Path, folders: DirectoryCache):
        (tmp_path / "a").mkdir()
        (tmp_path / "a/f").write_bytes(b"content")
        descriptor, status = open_file(folders, "a/f")

        assert read_all(descriptor, status.st_size) == b"content"
        assert os.path.samestat(status, (tmp_path / "a/f").stat())
        os.close(descriptor)

    @pytest.mark.parametrize(
        "kind", ["link", "fifo", "socket", "directory", "missing", "below a file", "below a link"]
    )
    def test_what_is_no_ordinary_file_is_gone(self, tmp_path: Path, folders: DirectoryCache, kind: str):
        """Neither waits for the other end of a FIFO, nor follows what took the file's name."""
        (tmp_path / "plain").write_bytes(b"")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/inner").write_bytes(b"")
        path = "x"
        if kind == "link":
            (tmp_path / "x").symlink_to("plain")
        elif kind == "fifo":
            os.mkfifo(tmp_path / "x")
        elif kind == "socket":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(tmp_path / "x"))
            listener.close()
        elif kind == "directory":
            (tmp_path / "x").mkdir()
        elif kind == "below a file":
            path = "plain/x"
        elif kind == "below a link":
            (tmp_path / "y").symlink_to("folder")
            path = "y/inner"

        with pytest.raises(FileNotFoundError):
            open_file(folders, path)

        folders.forget()
        assert open_below(tmp_path) == [str(tmp_path)]

    def test_others_files_are_read_without_the_owners_privilege(self, place: Path, unprivileged):
        (place / "f").write_bytes(b"x")
        (place / "f").chmod(0o644)
        with unprivileged(), DirectoryCache.open(str(place)) as cache:
            os.close(open_file(cache, "f")[0])

    def test_an_unreadable_file_is_an_error(self, place: Path, unprivileged):
        (place / "f").write_bytes(b"x")
        (place / "f").chmod(0)
        with unprivileged(), DirectoryCache.open(str(place)) as cache, pytest.raises(PermissionError):
            open_file(cache, "f")

    def test_reading_leaves_the_access_time(self, tmp_path: Path, folders: DirectoryCache):
        (tmp_path / "f").write_bytes(b"x")
        os.utime(tmp_path / "f", ns=(5, 10**18))
        descriptor, _ = open_file(folders, "f")
        read_all(descriptor, 1)
        os.close(descriptor)

        assert (tmp_path / "f").stat().st_atime_ns == 5


class TestReadAll:
    @pytest.mark.parametrize(
        ("length", "offset", "expected"),
        [
            (10, 0, b"0123456789"),
            (4, 3, b"3456"),
            (20, 0, b"0123456789"),
            (5, 8, b"89"),
            (5, 10, b""),
            (0, 0, b""),
        ],
    )
    def test_gives_what_is_there_and_no_more(self, tmp_path: Path, length: int, offset: int, expected: bytes):
        (tmp_path / "f").write_bytes(b"0123456789")
        descriptor = opened(tmp_path / "f")

        assert read_all(descriptor, length, offset) == expected
        os.close(descriptor)


class TestDataSegments:
    def segments(self, path: Path) -> tuple[tuple[int, int], ...]:
        descriptor = opened(path)
        try:
            return data_segments(descriptor, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def test_an_ordinary_file_is_one_run(self, tmp_path: Path):
        (tmp_path / "f").write_bytes(b"x" * 5000)

        assert self.segments(tmp_path / "f") == ((0, 5000),)

    def test_an_empty_file_has_none(self, tmp_path: Path):
        (tmp_path / "f").touch()

        assert self.segments(tmp_path / "f") == ()

    def test_a_tebibyte_of_nothing_has_none(self, tmp_path: Path):
        (tmp_path / "f").touch()
        os.truncate(tmp_path / "f", 1 << 40)

        assert self.segments(tmp_path / "f") == ()

    @given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 4095))
    @settings(max_examples=40, deadline=None)
    def test_segments_and_zeros_make_up_the_file(self, tmp_path_factory, blocks: list[bool], tail: int):
        path = tmp_path_factory.mktemp("sparse") / "f"
        content = b"".join(os.urandom(BLOCK) if block else bytes(BLOCK) for block in blocks) + bytes(tail)
        with open(path, "wb") as file:
            for index, block in enumerate(blocks):
                if block:
                    file.seek(index * BLOCK)
                    file.write(content[index * BLOCK : (index + 1) * BLOCK])
            file.truncate(len(content))
        segments = self.segments(path)
        rebuilt = bytearray(len(content))
        for offset, length in segments:
            rebuilt[offset : offset + length] = content[offset : offset + length]

        assert rebuilt == content
        assert all(length > 0 for _, length in segments)
        assert all(a + n < b for (a, n), (b, _) in pairwise(segments))
        assert not segments or segments[-1][0] + segments[-1][1] <= len(content)


class TestChanged:
    def stats(self, path: Path, change) -> str:
        descriptor = opened(path)
        before = os.fstat(descriptor)
        change()
        after = os.fstat(descriptor)
        os.close(descriptor)
        return changed(before, after)

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        (tmp_path / "f").write_bytes(b"12345")
        os.utime(tmp_path / "f", ns=(1, 10**17))
        return tmp_path / "f"

    def test_nothing_happened(self, file: Path):
        assert self.stats(file, file.read_bytes) == ""

    def test_a_log_grew(self, file: Path):
        def append() -> None:
            with file.open("ab") as out:
                out.write(b"more")

        assert self.stats(file, append) == "grew"

    def test_a_shorter_file_was_rewritten(self, file: Path):
        assert self.stats(file, lambda: os.truncate(file, 2)) == "rewritten"

    def test_same_length_was_rewritten(self, file: Path):
        assert self.stats(file, lambda: file.write_bytes(b"54321")) == "rewritten"

    def test_a_time_that_is_set_back_deceives_nobody(self, file: Path):
        def write_secretly() -> None:
            file.write_bytes(b"54321")
            os.utime(file, ns=(1, 10**17))

        assert self.stats(file, write_secretly) == "rewritten"

    def test_another_inode_was_rewritten_even_if_longer(self, tmp_path: Path, file: Path):
        (tmp_path / "other").write_bytes(b"longer than that")

        assert changed(file.stat(), (tmp_path / "other").stat()) == "rewritten"


def test_stat_says_regular(tmp_path: Path, folders: DirectoryCache):
    (tmp_path / "f").touch()
    descriptor, status = open_file(folders, "f")
    os.close(descriptor)

    assert stat.S_ISREG(status.st_mode)
