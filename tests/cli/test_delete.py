"""``delete`` and ``export`` into a pipe."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from ..studios import Studio


def test_delete_refuses_what_cleanup_would_never_delete(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "first")
    studio.good("create", "--type", "incremental", "--name", "second")
    assert "newest full backup that is whole" in studio.run("delete", "first", "--yes").err
    studio.good("create", "--name", "third")
    assert "needed by second" in studio.run("delete", "first", "--yes").err
    studio.good("pin", "second")
    assert "is pinned" in studio.run("delete", "second", "--yes").err
    studio.good("unpin", "second")
    assert studio.run("delete", "second").code == 3  # nobody can be asked
    assert "second.tar.gz deleted" in studio.good("delete", "second", "--yes")
    studio.good("delete", "first", "--yes")
    assert list(studio.archives()) == ["third.tar.gz"]
    assert studio.leftovers() == []
    assert "delete" in studio.good("audit")
    assert studio.run("delete", "first", "--yes").code == 10


def test_export_goes_into_a_pipe(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "first")
    done = subprocess.run(
        studio.command("export", "first", "-o", "-"), env=studio.env(), capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert "uploads/large.bin" in tar.getnames()
    assert studio.run("export", "first", "-o", "-", "--json").code == 3
