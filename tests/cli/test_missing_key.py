"""The password's file is missing: what does not take the password goes on."""

from __future__ import annotations

from pathlib import Path

from ..studios import Studio


def test_only_what_needs_the_password_needs_its_file(tmp_path: Path) -> None:
    """Backups in the clear are listed, shown, verified and restored; nothing is written in the clear instead."""
    studio = Studio(tmp_path / "studio")
    (tmp_path / "password").write_text("seven calm otters")
    studio.good("create", "--name", "clear")
    studio.good("create", "--name", "locked", "--password-file", str(tmp_path / "password"))
    studio.configure(encryption={"enabled": True, "key": {"$file": "gone"}})

    for words in (
        ("list",),
        ("show", "clear"),
        ("show", "locked"),
        ("ls", "clear"),
        ("verify", "clear"),
        ("restore", "clear", "--yes", "--target", str(tmp_path / "there")),
        ("restore", "locked", "--dry-run", "--password-file", str(tmp_path / "password")),
        ("status",),
        ("schedule",),
    ):
        ended = studio.run(*words)
        assert ended.code == 0, (words, ended)
        if words != ("status",):
            assert "warning: config.json: backup.encryption.key: " in ended.err
    assert (tmp_path / "there/uploads/large.bin").exists()
    found = studio.run("find", "uploads/large.bin")
    assert (found.code, "in clear.tar.gz" in found.out) == (1, True)
    assert "locked.tar.gz.enc" in found.err
    for words in (("verify", "locked"), ("restore", "locked", "--yes"), ("create",)):
        ended = studio.run(*words)
        assert ended.code == 3, (words, ended)
        assert "/gone: cannot be read: No such file or directory" in ended.err.splitlines()[-1]
    assert sorted(studio.archives()) == ["clear.tar.gz", "locked.tar.gz.enc"]
