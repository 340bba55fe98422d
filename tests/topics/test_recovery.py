"""
Total loss: the machine is gone, the bucket is there.

The guide's configuration backs up; the studio is deleted with its backups and all that it remembers; then a
single command brings everything back, equal in every byte, mode and time.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ..s3_servers import ADMIN, READER, UNKNOWN, WRONG_SECRET, Bucket, Identity
from ..studios import DATABASE, Ended, Studio, rows
from ..trees import Tree, describe, differences

OURS = {b"backups", b".pinnacle"}
DATABASE_FILES = {os.fsencode(DATABASE + end) for end in ("", "-wal", "-shm")}
LOG = b"logs/ultra_pinnacle.log"
LOGS = {LOG, b"logs/auto_backup.log", b"logs/backup_errors.log"}


class Lost(Studio):
    """A studio with the guide's cloud storage, and the machine on which it is recovered."""

    def __init__(self, folder: Path, bucket: Bucket, *, prefix: str = "studio", **backup: Any) -> None:
        self.bucket, self.prefix = bucket, prefix
        super().__init__(folder / "studio", **backup)
        self.keys(ADMIN)
        (self.root / "logs/application.log").write_text("started\n")
        uploads = self.root / "uploads"
        os.link(uploads / "sub/two.bin", uploads / "second name")
        os.symlink("/nowhere", uploads / "dangling")
        os.mkfifo(uploads / "queue", 0o640)
        (uploads / "tool").write_text("#!/bin/sh\n")
        (uploads / "tool").chmod(0o4755)
        (uploads / "sub").chmod(0o2751)
        os.setxattr(uploads / "tool", "user.comment", b"\x00kept\xff")
        with open(uploads / "sparse", "wb") as file:
            file.truncate(8 << 20)
            file.seek(4 << 20)
            file.write(b"in the middle")
        os.utime(uploads / "tool", ns=(-86_400_000_000_001,) * 2)

    def configure(self, **backup: Any) -> None:
        sections = {
            "backup": {
                "paths": ["logs/", "uploads/", "encyclopedia/", "config.json"],
                "incremental": {"enabled": True},
                "workers": 1,
                **backup,
            },
            "cloud_storage": {
                "enabled": True,
                "provider": "s3",
                "bucket": self.bucket.name,
                "prefix": self.prefix,
                "access_key": None,
                "secret_key": None,
                "region": "us-east-1",
                "endpoint_url": self.bucket.server.url,
            },
        }
        (self.root / "config.json").write_text(json.dumps(sections, indent=2))
        (self.root / "config.json").chmod(0o640)

    def keys(self, who: Identity) -> None:
        """Have commands use the keys of somebody."""
        self.environ["AWS_ACCESS_KEY_ID"] = who.access_key
        self.environ["AWS_SECRET_ACCESS_KEY"] = who.secret_key
        self.environ["AWS_EC2_METADATA_DISABLED"] = "true"

    @property
    def address(self) -> str:
        return f"{self.top}/{self.prefix}?endpoint={self.bucket.server.url}"

    @property
    def top(self) -> str:
        return f"s3://{self.bucket.name}"

    def tree(self, root: Path | None = None, *, logs: bool = False) -> Tree:
        """Return all but what is ours, and the databases, which are compared by content."""
        return describe(root or self.root, leave_out=OURS | DATABASE_FILES | (set() if logs else LOGS))

    def lose(self) -> None:
        """Lose the machine."""
        shutil.rmtree(self.root)
        self.root.mkdir()

    def recover(self, *args: str) -> Ended:
        return self.run("recover", *(args or (self.address,)))


@pytest.fixture
def lost(tmp_path: Path, bucket: Bucket) -> Lost:
    return Lost(tmp_path, bucket)


def same(found: Tree, expected: Tree) -> None:
    assert not differences(found, expected)


def test_the_whole_studio_comes_back_from_the_bucket(lost: Lost) -> None:
    lost.good("create")
    lost.change()
    (lost.root / "uploads/tool").chmod(0o700)
    lost.good("create", "--type", "incremental")
    expected, count = lost.tree(), rows(lost.root / DATABASE)
    log = (lost.root / os.fsdecode(LOG)).read_bytes()
    lost.lose()
    ended = lost.recover()
    assert ended.code == 0, ended
    same(lost.tree(), expected)
    assert rows(lost.root / DATABASE) == count == 320
    assert (lost.root / "config.json").stat().st_mode & 0o777 == 0o640
    kept = (lost.root / os.fsdecode(LOG)).read_bytes()
    assert kept[: kept.index(b"audit begins anew")].rpartition(b"\n")[0] in log  # the old log goes on
    assert not lost.archives()
    names = set(lost.bucket.keys())
    assert "list --repository cloud" in ended.out
    # the next commands work as if nothing had been
    listed = json.loads(lost.good("list", "--repository", "cloud", "--json"))["backups"]
    assert len(listed) == 2
    lost.good("create")
    assert len([name for name in lost.bucket.keys() - names if name.endswith(".tar.gz")]) == 1
    listed = json.loads(lost.good("list", "--repository", "cloud", "--json"))["backups"]
    assert len({found["repository"] for found in listed}) == 1, "one studio, before and after"
    assert "The trail is whole" in lost.good("audit", "--check")


def test_the_passwords_of_before_open_the_backups_of_after(lost: Lost, tmp_path: Path) -> None:
    """The one in the safe, too: nobody thinks of adding it again after a disaster."""
    for name in ("daily", "safe"):
        (tmp_path / name).write_text(f"the {name} password\n")
        (tmp_path / name).chmod(0o600)
    daily, safe = str(tmp_path / "daily"), str(tmp_path / "safe")
    lost.configure(encryption={"enabled": True, "key": {"$file": daily}})
    lost.good("create", "--name", "before")
    lost.good("key", "add", "--password-file", daily, "--new-file", safe, "--label", "safe")
    lost.good("copy")
    lost.lose()
    assert lost.recover(lost.address, "--password-file", daily).code == 0
    lost.good("create", "--name", "after")
    assert "safe" in lost.good("key", "list", "after")
    lost.good("verify", "after", "--password-file", safe)


def test_an_encrypted_studio_takes_its_password_and_nothing_else(lost: Lost, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a long password\n")
    given = ("--password-file", str(tmp_path / "password"))
    lost.good("create", "--encrypt", "a long password")
    expected = lost.tree()
    lost.lose()
    assert lost.recover().code == 12
    assert lost.recover(lost.address, "--decrypt", "another").code == 12
    assert not os.listdir(lost.root), "what was refused left nothing behind"
    ended = lost.recover(lost.address, *given)
    assert ended.code == 0, ended
    assert "encrypted" in ended.out
    same(lost.tree(), expected)


def test_what_the_configuration_refers_to_may_be_lost_as_well(lost: Lost, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a long password")
    lost.configure(encryption={"enabled": True, "key": {"$file": str(secret)}})
    lost.good("create")
    expected = lost.tree()
    lost.lose()
    secret.rename(tmp_path / "on the sheet")
    ended = lost.recover(lost.address, "--password-file", str(tmp_path / "on the sheet"))
    assert ended.code == 1
    assert str(secret) in ended.err
    same(lost.tree(), expected)
    secret.write_text("a long password")
    lost.good("create")
    assert len(json.loads(lost.good("list", "--repository", "cloud", "--json"))["backups"]) == 2


def test_a_rehearsal_shows_what_is_there_and_leaves_nothing(lost: Lost) -> None:
    lost.good("create")
    lost.lose()
    lost.root.rmdir()
    lost.root = lost.root.parent
    new = lost.root / "new"
    ended = lost.recover(lost.address, "--to", str(new), "--dry-run")
    assert ended.code == 0, ended
    assert "1 backup," in ended.out
    assert "Nothing was changed." in ended.out
    assert not new.exists()


def test_a_studio_that_is_there_is_not_overwritten_unless_that_is_agreed(lost: Lost) -> None:
    lost.good("create")
    (lost.root / "uploads/sub/one.txt").write_text("newer than the backup")
    newer = lost.tree()
    ended = lost.recover()
    assert ended.code == 3
    assert "a studio is in" in ended.err
    same(lost.tree(), newer)
    assert lost.recover(lost.address, "--yes").code == 0
    assert (lost.root / "uploads/sub/one.txt").read_text() == "one\n" * 400
    lost.good("undo", "--yes")
    assert (lost.root / "uploads/sub/one.txt").read_text() == "newer than the backup"


def test_the_state_of_an_earlier_moment(lost: Lost) -> None:
    lost.good("create", "--name", "first")
    moment = next(iter(lost.listed().values()))["created"]
    expected = lost.tree()
    lost.change()
    lost.good("create", "--name", "second")
    lost.lose()
    ended = lost.recover(lost.address, "--at", moment)
    assert ended.code == 0, ended
    same(lost.tree(), expected)
    lost.lose()
    assert lost.recover(lost.address, "--at", "2020-01-01 00:00").code == 10


def test_the_place_is_found_below_the_address_if_there_is_one(lost: Lost, tmp_path: Path) -> None:
    lost.good("create")
    lost.bucket.put("other/thing.txt", b"x")
    lost.lose()
    at_top = f"{lost.top}?endpoint={lost.bucket.server.url}"
    ended = lost.recover(at_top)
    assert ended.code == 0, ended
    assert f"{lost.top}/studio" in ended.out
    for key in lost.bucket.keys("studio/"):
        lost.bucket.put(key.replace("studio/", "second/"), lost.bucket.get(key))
    ended = lost.recover(at_top, "--to", str(tmp_path / "x"))
    assert ended.code == 3
    assert "studio" in ended.err
    assert "second" in ended.err
    ended = lost.recover(f"{lost.top}/other?endpoint={lost.bucket.server.url}", "--to", str(tmp_path / "x"))
    assert ended.code == 10
    assert not (tmp_path / "x").exists()


def test_archives_are_fetched_when_that_is_asked_for(lost: Lost) -> None:
    lost.good("create")
    lost.change()
    lost.good("create", "--type", "incremental")
    archives = lost.archives()
    lost.lose()
    ended = lost.recover(lost.address, "--fetch")
    assert ended.code == 0, ended
    assert "2 backups copied" in ended.out
    assert lost.archives() == archives
    lost.good("verify", "--all")


def test_a_key_that_only_reads_is_enough(lost: Lost) -> None:
    lost.good("create")
    expected, keys = lost.tree(), lost.bucket.keys()
    lost.lose()
    lost.keys(READER)
    ended = lost.recover()
    assert ended.code == 0, ended
    same(lost.tree(), expected)
    assert lost.bucket.keys() == keys


@pytest.mark.parametrize("who", [UNKNOWN, WRONG_SECRET], ids=["key", "secret"])
def test_wrong_keys_are_said_and_leave_nothing(lost: Lost, who: Identity) -> None:
    lost.good("create")
    lost.lose()
    lost.keys(who)
    ended = lost.recover()
    assert ended.code == 2
    assert "key" in ended.err
    assert who.secret_key not in ended.err
    assert not os.listdir(lost.root)


def test_no_keys_at_all_says_where_to_put_them(lost: Lost) -> None:
    lost.lose()
    lost.environ |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(lost.root)}
    ended = lost.recover()
    assert ended.code == 2
    assert "AWS_ACCESS_KEY_ID" in ended.err


def test_a_missing_bucket_is_no_empty_one(lost: Lost) -> None:
    ended = lost.recover(f"s3://no-such-bucket-{os.getpid()}?endpoint={lost.bucket.server.url}")
    assert ended.code == 2
    assert "there is no bucket" in ended.err


def test_a_studio_without_its_configuration_in_the_backup_gets_one_that_knows_the_bucket(lost: Lost) -> None:
    lost.configure(paths=["uploads/"])
    lost.good("create")
    lost.lose()
    ended = lost.recover()
    assert ended.code == 0, ended
    stored = json.loads((lost.root / "config.json").read_text())
    assert stored["cloud_storage"]["bucket"] == lost.bucket.name
    assert (lost.root / "config.json").stat().st_mode & 0o777 == 0o600
    assert len(json.loads(lost.good("list", "--repository", "cloud", "--json"))["backups"]) == 1


def test_from_a_folder(tmp_path: Path, bucket: Bucket) -> None:
    usb = tmp_path / "usb/studio"
    usb.mkdir(parents=True)
    lost = Lost(tmp_path, bucket)
    lost.good("create")
    lost.good("copy", "--to", str(usb))
    expected = lost.tree()
    lost.lose()
    ended = lost.recover(str(tmp_path / "usb"))
    assert ended.code == 0, ended
    same(lost.tree(), expected)
    assert f"--repository {usb}" in ended.out
    with closing(sqlite3.connect(lost.root / DATABASE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_sources_outside_the_studio_come_back_to_their_places(lost: Lost, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "file").write_text("outside")
    lost.configure(paths=["uploads/", "config.json", str(outside)])
    lost.good("create")
    lost.lose()
    ended = lost.recover()
    assert ended.code == 3
    assert "elsewhere" in ended.err
    shutil.rmtree(outside)
    assert lost.recover().code == 0
    assert (outside / "file").read_text() == "outside"
