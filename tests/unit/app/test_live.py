"""How far a run is: for everybody to see, and never in the way of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pinnacle_backup.app.live import Followed
from pinnacle_backup.model.progress import Silent


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_the_file_says_how_far_the_run_is_and_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "progress/7.json"
    followed = Followed(Silent(), str(file), monotonic=Clock())
    followed.phase("read", total_bytes=100, total_items=3)
    followed.advance(nbytes=10, items=1, path="uploads/a.txt")
    followed.advance(nbytes=20, items=1)
    said = json.loads(file.read_text())
    assert (said["phase"], said["bytes"], said["items"], said["path"]) == ("read", 30, 2, "uploads/a.txt")
    followed.close()
    assert os.listdir(file.parent) == []


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    """A backup must not fail because of what is said of it."""
    file = tmp_path / "7.json"
    followed = Followed(Silent(), str(file), monotonic=Clock())
    followed.advance(path=os.fsdecode(b"uploads/\xff\xfe\n.bin"))
    assert json.loads(file.read_text())["path"] == "uploads/\\xff\\xfe\\n.bin"


def test_where_nothing_can_be_written_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    Followed(Silent(), str(tmp_path / "file/7.json"), monotonic=Clock()).advance(nbytes=1, path="a")
