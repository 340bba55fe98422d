"""What goes over the line, and that others read what we wrote."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..fault_proxy import FaultProxy
from ..s3_servers import ADMIN, REGION, Bucket
from .test_cloud import PREFIX, Clouded

MB = 1_000_000


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[FaultProxy]:
    """Stands between the studio and the server, and counts."""
    with FaultProxy(bucket.server.port) as proxy:
        yield proxy


@pytest.fixture
def large(tmp_path: Path, bucket: Bucket, proxy: FaultProxy) -> Clouded:
    """A studio with a large file and thousands of small ones, backed up in the bucket alone."""
    studio = Clouded(tmp_path / "studio", bucket)
    studio.cloud["endpoint_url"] = proxy.url
    studio.configure(primary="cloud")
    (studio.root / "uploads/images.bin").write_bytes(random.Random(1).randbytes(60 * MB))
    folder = studio.root / "uploads/many"
    folder.mkdir()
    for number in range(5000):
        (folder / f"note-{number}.txt").write_text(f"note {number}\n" * 20)
    studio.good("create", "--name", "one")
    return studio


def test_one_small_file_costs_little_even_for_one_who_knows_nothing(
    large: Clouded, proxy: FaultProxy, tmp_path: Path
) -> None:
    (size,) = [size for key, size in large.bucket.sizes(PREFIX).items() if key.endswith("one.tar.gz")]
    assert size > 60 * MB
    shutil.rmtree(large.root / ".pinnacle")
    before = proxy.down()
    target = tmp_path / "out"
    large.good("restore", "one", "uploads/many/note-77.txt", "--target", str(target), "--yes")
    assert (target / "uploads/many/note-77.txt").read_text() == "note 77\n" * 20
    assert proxy.down() - before < 3 * MB


def test_a_check_of_all_fetches_all_once(large: Clouded, proxy: FaultProxy) -> None:
    """Although the whole and each file are checked; and nothing of it stays on this machine."""
    (size,) = [size for key, size in large.bucket.sizes(PREFIX).items() if key.endswith("one.tar.gz")]
    before = proxy.down()
    large.good("verify", "one")
    assert size < proxy.down() - before < size + 5 * MB
    assert list((large.root / ".pinnacle/scratch").iterdir()) == []


def test_a_backup_of_nothing_new_costs_little(large: Clouded, proxy: FaultProxy) -> None:
    down, up = proxy.down(), proxy.up()
    large.good("create", "--type", "incremental")
    assert proxy.down() - down < 3 * MB
    assert proxy.up() - up < MB


def test_a_backup_of_nothing_new_asks_nothing_twice(large: Clouded, proxy: FaultProxy) -> None:
    """One list tells what to build on, another one what is true as long as nobody else may write."""
    proxy.clear()
    large.good("create", "--type", "incremental")
    assert proxy.count("ListObjectsV2") == 2
    assert proxy.count("ListMultipartUploads") == 1
    puts = [seen.request.key.rpartition("/")[2] for seen in proxy.seen if seen.operation == "PutObject"]
    assert len(puts) == len(set(puts)) == 4  # lease, checksum, archive, note
    assert not [seen for seen in proxy.seen if seen.operation == "GetObject" and seen.status == 404]


def test_a_file_of_a_full_backup_takes_one_list(large: Clouded, proxy: FaultProxy, tmp_path: Path) -> None:
    proxy.clear()
    large.good("restore", "one", "uploads/many/note-7.txt", "--target", str(tmp_path / "out"), "--yes")
    assert proxy.count("ListObjectsV2") == 1


def test_copies_that_are_there_cost_a_list(tmp_path: Path, bucket: Bucket, proxy: FaultProxy) -> None:
    """However many backups there are already, a further one costs as many requests as the first."""
    studio = Clouded(tmp_path / "studio", bucket)
    studio.cloud["endpoint_url"] = proxy.url
    studio.configure()
    counts = []
    for number in range(6):
        before = proxy.count()
        studio.good("create", "--type", "incremental" if number else "full", "--name", f"backup-{number}")
        counts.append(proxy.count() - before)
    assert counts[5] <= counts[1]


def test_an_independent_client_reads_what_we_wrote(tmp_path: Path, bucket: Bucket) -> None:
    """rclone fetches every archive and compares it with the checksum that lies beside it."""
    studio = Clouded(tmp_path / "studio", bucket)
    for name in ("one", "two"):
        studio.good("create", "--name", name)
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(b"".join(bucket.get(f"{PREFIX}/{name}.tar.gz.sha256") for name in ("one", "two")))
    settings = {
        "TYPE": "s3",
        "PROVIDER": "SeaweedFS",
        "ENDPOINT": bucket.server.url,
        "REGION": REGION,
        "ACCESS_KEY_ID": ADMIN.access_key,
        "SECRET_ACCESS_KEY": ADMIN.secret_key,
    }
    environ = os.environ | {f"RCLONE_CONFIG_THERE_{key}": value for key, value in settings.items()}
    rclone = os.path.join(os.path.dirname(sys.executable), "rclone")
    command = [rclone if os.path.exists(rclone) else "rclone", "--config", os.devnull, "checksum", "sha256"]
    done = subprocess.run(
        [*command, sums, f"THERE:{bucket.name}/{PREFIX}", "--download", "--include", "*.tar.gz"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 matching files" in done.stderr
    assert "0 differences found" in done.stderr
