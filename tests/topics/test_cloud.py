"""Backups here and in a bucket: each goes there, neither is spoiled by the other, each stands in for the other."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..fault_proxy import FaultProxy
from ..mail_servers import free_port
from ..s3_faults import refuse
from ..s3_servers import ADMIN, SECRETS, WRITER, Bucket
from ..studios import Studio
from ..trees import describe, differences

PREFIX = "studio/backups"


class Clouded(Studio):
    """A studio whose backups also go to a bucket."""

    def __init__(self, root: Path, bucket: Bucket, **backup: Any) -> None:
        self.bucket = bucket
        self.cloud: dict[str, Any] = {
            "enabled": True,
            "provider": "s3",
            "bucket": bucket.name,
            "prefix": PREFIX,
            "access_key": ADMIN.access_key,
            "secret_key": ADMIN.secret_key,
            "region": "us-east-1",
            "endpoint_url": bucket.server.url,
        }
        super().__init__(root, **backup)

    def configure(self, **backup: Any) -> None:
        sections = {"backup": {"workers": 1} | backup, "cloud_storage": self.cloud}
        (self.root / "config.json").write_text(json.dumps(sections))
        (self.root / "config.json").chmod(0o600)

    def unplug(self) -> None:
        """Have the server out of reach."""
        self.cloud["endpoint_url"] = f"http://127.0.0.1:{free_port()}"
        self.configure()

    def plug_in(self) -> None:
        """Have the server back."""
        self.cloud["endpoint_url"] = self.bucket.server.url
        self.configure()

    def there(self) -> set[str]:
        """Return the names of the archives in the bucket."""
        return {key.removeprefix(f"{PREFIX}/") for key in self.bucket.keys(PREFIX) if key.endswith(".tar.gz")}

    def here(self) -> set[str]:
        """Return the names of the archives in the folder."""
        return {path.name for path in self.backups.glob("*.tar.gz")}

    def runs(self, verb: str) -> list[dict[str, Any]]:
        """Return the runs of a verb, newest first."""
        found: list[dict[str, Any]] = json.loads(self.good("runs", "--json"))["runs"]
        return [run for run in found if run["verb"] == verb]


@pytest.fixture
def studio(tmp_path: Path, bucket: Bucket) -> Clouded:
    return Clouded(tmp_path / "studio", bucket)


def test_each_backup_goes_to_the_folder_and_to_the_bucket(studio: Clouded) -> None:
    first = studio.good("create", "--name", "first")
    assert "Copied it to cloud" in first
    studio.change()
    studio.good("create", "--type", "incremental")
    assert studio.here() == studio.there()
    assert len(studio.there()) == 2
    for name in studio.there():
        assert studio.bucket.get(f"{PREFIX}/{name}") == (studio.backups / name).read_bytes()
        assert (
            studio.bucket.get(f"{PREFIX}/{name}.sha256") == (studio.backups / f"{name}.sha256").read_bytes()
        )
    listed = json.loads(studio.good("list", "--json"))
    assert listed["also_in"] == {name: ["cloud"] for name in studio.here()}
    assert studio.bucket.uploads() == []


def test_a_cloud_out_of_reach_spoils_no_backup_and_is_caught_up(studio: Clouded) -> None:
    studio.unplug()
    ended = studio.run("create", "--name", "first")
    assert ended.code == 1
    assert "not copied to cloud" in ended.err
    assert "`copy` brings it there" in ended.err
    assert studio.here() == {"first.tar.gz"}
    assert [run["outcome"] for run in studio.runs("create")] == ["good"]
    assert [run["outcome"] for run in studio.runs("copy")] == ["failed"]
    assert "last copy failed" in studio.run("status").out
    studio.plug_in()
    studio.good("schedule", "--run-now", "catch-up")
    assert studio.there() == {"first.tar.gz"}
    assert "last copy failed" not in studio.run("status").out
    before = len(studio.runs("copy"))
    studio.good("schedule", "--run-now", "catch-up")  # nothing is missing: nobody is asked
    assert len(studio.runs("copy")) == before


def test_every_question_is_answered_from_the_bucket_alone(studio: Clouded) -> None:
    studio.good("create", "--name", "one")
    studio.change()
    studio.good("create", "--name", "two")
    shutil.rmtree(studio.backups)
    shutil.rmtree(studio.root / ".pinnacle")
    cloud = ("--repository", "cloud")
    names = [info["name"] for info in json.loads(studio.good(*cloud, "list", "--json"))["backups"]]
    assert names == ["two.tar.gz", "one.tar.gz"]
    assert "uploads/large.bin" in studio.good(*cloud, "ls", "one", "-r")
    assert "one" in studio.good(*cloud, "find", "uploads/sub/one.txt")
    assert "encyclopedia/page.md" in studio.good(*cloud, "diff", "one", "two")
    studio.good(*cloud, "verify", "two")
    studio.good(*cloud, "drill", "two")
    assert "one.tar.gz" in studio.good(*cloud, "show", "one")
    studio.good(*cloud, "pin", "one")
    assert f"{PREFIX}/one.tar.gz.pin" in studio.bucket.keys(PREFIX)


def test_a_restore_takes_the_bucket_where_the_folder_is_lost(studio: Clouded, tmp_path: Path) -> None:
    studio.good("create")
    before = describe(studio.root / "uploads")
    shutil.rmtree(studio.backups)
    studio.good("restore", "latest", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}


def test_a_base_that_is_lost_here_is_read_there(studio: Clouded, tmp_path: Path) -> None:
    studio.good("create", "--name", "base")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "later")
    before = describe(studio.root / "uploads")
    (studio.backups / "base.tar.gz").unlink()
    studio.good("restore", "later", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}
    assert studio.run("verify", "later").code == 13  # what is here is not whole, whatever is elsewhere


def test_backups_can_be_made_in_the_bucket_alone(studio: Clouded, tmp_path: Path) -> None:
    studio.configure(primary="cloud")
    studio.good("create", "--name", "base")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "later")
    assert studio.there() == {"base.tar.gz", "later.tar.gz"}
    assert not studio.backups.exists()
    before = describe(studio.root / "uploads")
    studio.good("verify", "later")
    studio.good("restore", "later", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}
    assert not [key for key in studio.bucket.keys(PREFIX) if "lease" in key]


def test_an_archive_of_the_bucket_opens_with_plain_tar(studio: Clouded, tmp_path: Path) -> None:
    studio.good("create", "--name", "one")
    file = tmp_path / "downloaded_backup.tar.gz"
    file.write_bytes(studio.bucket.get(f"{PREFIX}/one.tar.gz"))
    out = tmp_path / "plain"
    out.mkdir()
    subprocess.run(["tar", "-xzf", file, "-C", out], check=True, capture_output=True)
    assert (out / "uploads/sub/one.txt").read_text() == "one\n" * 400
    shutil.rmtree(studio.backups)
    studio.good("restore", str(file), "--target", str(tmp_path / "out"), "--yes")
    assert differences(describe(studio.root / "uploads"), describe(tmp_path / "out/uploads")) == {}


def test_cleanup_there_goes_by_the_retention_of_the_place(studio: Clouded) -> None:
    studio.cloud["retention_days"] = 0
    studio.configure()
    for name in ("one", "two"):
        studio.good("create", "--name", name)
    studio.good("schedule", "--run-now", "weekly-cleanup")
    assert studio.here() == {"one.tar.gz", "two.tar.gz"}
    assert studio.there() == {"two.tar.gz"}
    assert "one.tar.gz" not in str(studio.bucket.keys(PREFIX))


def test_what_retention_deletes_there_is_not_brought_back(studio: Clouded) -> None:
    """A place that keeps less than this machine does not get everything anew with each backup."""
    studio.cloud["retention_days"] = 0
    studio.configure()
    for name in ("one", "two"):
        studio.good("create", "--name", name)
    studio.good("--repository", "cloud", "cleanup")
    listed = json.loads(studio.good("list", "--json"))
    assert listed["also_in"] == {"two.tar.gz": ["cloud"]}, "without asking the bucket"
    assert "left out  one.tar.gz" in studio.good("copy", "--dry-run")
    assert "missing" not in studio.run("status").out
    runs = len(studio.runs("copy"))
    studio.good("schedule", "--run-now", "catch-up")
    assert len(studio.runs("copy")) == runs, "nothing is missing there"
    studio.good("create", "--name", "three")
    assert studio.there() == {"two.tar.gz", "three.tar.gz"}


def test_two_studios_in_one_place_do_no_harm_to_each_other(studio: Clouded, tmp_path: Path) -> None:
    """As with the guide's configuration on two machines: same bucket, no prefix, and backups of one name."""
    other = Clouded(tmp_path / "other", studio.bucket)
    other.good("create", "--name", "nightly")
    studio.cloud["retention_days"] = 0
    studio.configure()
    ended = studio.run("create", "--name", "nightly")
    assert ended.code == 1
    assert "cloud: nightly.tar.gz: a backup of another studio has its name there" in ended.err
    assert "brings it there" not in ended.err, "trying again does not help"
    assert json.loads(studio.good("list", "--json"))["also_in"] == {}
    assert "1 backup missing" in studio.run("status").out
    assert studio.run("create", "--name", "mine").code == 1, "the other one is still missing there"
    assert "of another studio" in studio.good("--repository", "cloud", "cleanup")
    assert studio.there() == {"nightly.tar.gz", "mine.tar.gz"}
    other.good("--repository", "cloud", "verify", "nightly")


def test_what_is_locked_there_stays_until_its_time_and_cleanup_says_so(
    tmp_path: Path, locked_bucket: Bucket
) -> None:
    studio = Clouded(tmp_path / "locked", locked_bucket)
    studio.cloud |= {"retention_days": 0, "object_lock_days": 3}
    studio.configure()
    for name in ("one", "two"):
        studio.good("create", "--name", name)
    plan = studio.good("--repository", "cloud", "cleanup", "--dry-run")
    assert "protected until" in plan
    assert "Nothing to delete" in plan
    assert "protected  until 20" in studio.good("--repository", "cloud", "show", "one")
    assert "protected" not in studio.good("show", "one")
    studio.good("schedule", "--run-now", "weekly-cleanup")
    assert studio.there() == {"one.tar.gz", "two.tar.gz"}


def test_a_second_place_at_another_prefix_gets_everything_too(studio: Clouded) -> None:
    far = {key: value for key, value in studio.cloud.items() if key != "enabled"}
    studio.configure(destinations=[far | {"name": "far", "prefix": "elsewhere"}])
    studio.good("create", "--name", "one")
    assert {"studio/backups/one.tar.gz", "elsewhere/one.tar.gz"} <= studio.bucket.keys()
    assert json.loads(studio.good("list", "--json"))["also_in"] == {"one.tar.gz": ["cloud", "far"]}


def test_no_secret_is_shown_or_written_down(studio: Clouded) -> None:
    studio.cloud["secret_key"] = "not-the-secret-5f3a9c"
    studio.configure()
    ended = studio.run("create", "--name", "one")
    assert ended.code == 1
    told = ended.out + ended.err + studio.run("status").out + studio.run("runs", "show", "2").out
    told += studio.run("config", "show").out
    written = "".join(path.read_text() for path in (studio.root / "logs").glob("*.log"))
    for secret in (*SECRETS, "not-the-secret-5f3a9c"):
        assert secret not in told + written
    assert "not-the-secret" not in (studio.root / ".pinnacle/state.db").read_bytes().decode("latin-1")


def test_a_bucket_that_goes_in_the_middle_is_replaced_by_the_next_place(
    studio: Clouded, tmp_path: Path
) -> None:
    """The folder is lost, and the first bucket breaks off: what neither has alone the second one gives."""
    (studio.root / "uploads/images.bin").write_bytes(random.Random(3).randbytes(30 << 20))
    far = {key: value for key, value in studio.cloud.items() if key != "enabled"}
    with FaultProxy(studio.bucket.server.port) as proxy:
        studio.cloud["endpoint_url"] = proxy.url
        studio.configure(destinations=[far | {"name": "far", "prefix": "elsewhere"}])
        studio.good("create", "--name", "one")
        before = describe(studio.root / "uploads")
        shutil.rmtree(studio.backups)
        gone = proxy.add(refuse(403, "AccessDenied"), "GetObject", first=6, times=None)
        ended = studio.run("restore", "one", "--target", str(tmp_path / "out"), "--yes")
    assert ended.code == 0, ended
    assert gone.met, "it did break off"
    assert differences(before, describe(tmp_path / "out/uploads")) == {}


def test_a_key_that_may_only_write_is_enough_for_backups(studio: Clouded) -> None:
    """Who steals the studio's keys can neither read nor delete what is in the bucket."""
    studio.cloud |= {"access_key": WRITER.access_key, "secret_key": WRITER.secret_key}
    studio.configure()
    studio.good("create", "--name", "one")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "two")
    assert studio.there() == {"one.tar.gz", "two.tar.gz"}
    assert "2 backups" in studio.run("status").out
    studio.cloud |= {"access_key": ADMIN.access_key, "secret_key": ADMIN.secret_key}
    studio.configure()
    studio.good("--repository", "cloud", "verify", "two")


def test_a_key_that_may_not_read_finds_nothing_damaged(studio: Clouded, tmp_path: Path) -> None:
    """What it is refused says nothing of the backups; it is told what to allow."""
    studio.cloud |= {"access_key": WRITER.access_key, "secret_key": WRITER.secret_key}
    studio.configure()
    studio.good("create", "--name", "one")
    for words in (
        ("verify", "one"),
        ("drill",),
        ("restore", "one", "--target", str(tmp_path / "out"), "--yes"),
    ):
        ended = studio.run("--repository", "cloud", *words)
        assert (ended.code, ended.out) == (2, ""), words
        assert "one.tar.gz: the key may not do this" in ended.err
        assert "give it the right to s3:GetObject" in ended.err
    status = studio.run("--repository", "cloud", "status").out
    assert "is damaged" not in status
    assert "the last drill failed" in status


def test_what_is_damaged_here_is_restored_from_there(studio: Clouded, tmp_path: Path) -> None:
    studio.good("create", "--name", "one")
    before = describe(studio.root / "uploads")
    with open(studio.backups / "one.tar.gz", "r+b") as file:
        file.truncate(file.seek(0, 2) // 2)  # what is here breaks off in the middle
    studio.good("restore", "one", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}
    assert studio.run("verify", "one").code == 13  # a check is of what is here


def test_a_bucket_that_is_not_there_is_no_empty_one(studio: Clouded) -> None:
    studio.cloud["bucket"] = "there-is-no-such-bucket"
    studio.configure()
    for command in (("list",), ("verify", "latest"), ("cleanup",)):
        ended = studio.run("--repository", "cloud", *command)
        assert ended.code == 2, ended
        assert "there is no bucket there-is-no-such-bucket" in ended.err


def test_a_key_that_is_missing_stops_only_the_cloud(studio: Clouded) -> None:
    studio.cloud["secret_key"] = {"$file": "/nowhere/secret"}
    studio.configure()
    ended = studio.run("create", "--name", "one")
    assert ended.code == 1
    assert "not copied to cloud" in ended.err
    assert "/nowhere/secret" in ended.err
    assert studio.here() == {"one.tar.gz"}
    studio.good("restore", "one", "--dry-run")
    assert studio.run("--repository", "cloud", "list").code not in (0, 1)
