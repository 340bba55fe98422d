"""``cloud test`` asks a real server, tells the truth about it, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.model.probes import PlaceTest
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.probes.testing import BucketTest

from ..fault_proxy import FaultProxy
from ..s3_faults import clock_skew
from ..s3_servers import ADMIN, READER, SECRETS, UNKNOWN, WRITER, WRONG_SECRET, Bucket, Identity
from ..studios import Ended, Studio

SMALL = 1 << 20


def place(home: Bucket, who: Identity = ADMIN, **more: Any) -> CloudPlace:
    values = {"bucket": home.name, "prefix": "studio", "region": "us-east-1", "addressing": "path"}
    values |= {"endpoint_url": home.server.url, "access_key": who.access_key, "secret_key": who.secret_key}
    return CloudPlace(**(values | more))


def ask(where: CloudPlace, size: int = SMALL) -> dict[str, tuple[str, str]]:
    """Return verdict and words by what was asked."""
    findings = list(BucketTest(where, size=size).findings())
    assert not any(secret in f"{each.words} {each.advice}" for each in findings for secret in SECRETS)
    return {each.about: (each.verdict, f"{each.words} {each.advice}") for each in findings}


def verdicts(found: dict[str, tuple[str, str]], *wanted: str) -> list[str]:
    return [about for about, (verdict, _) in found.items() if verdict in wanted]


def test_a_good_bucket_is_good_and_empty_afterwards(bucket: Bucket) -> None:
    found = ask(place(bucket))
    assert not verdicts(found, "warning", "failed"), found
    for about in ("address", "credentials", "bucket", "clock", "list", "write", "create only", "change only"):
        assert found[about][0] == "good", found[about]
    for about in ("checksums", "parts", "read", "speed", "delete"):
        assert found[about][0] == "good", found[about]
    assert not bucket.keys()
    assert not bucket.uploads()


def test_over_tls_the_certificate_counts(bucket: Bucket) -> None:
    over_tls = {"endpoint_url": bucket.server.tls_url}
    found = ask(place(bucket, **over_tls), 0)
    assert found["address"][0] == "failed"
    assert "ca_file" in found["address"][1]
    assert list(found) == ["address"], "nothing is asked over a line that cannot be trusted"
    found = ask(place(bucket, ca_file=str(bucket.server.ca_file), **over_tls), 0)
    assert "TLSv1" in found["address"][1]
    assert not verdicts(found, "failed"), found


def test_a_key_that_only_reads(bucket: Bucket) -> None:
    found = ask(place(bucket, READER))
    assert found["write"][0] == "failed"
    assert "good for `recover`" in found["write"][1]
    assert found["list"][0] == "good"


def test_a_key_that_only_writes_is_fit_for_backups_and_leaves_what_it_may_not_delete(bucket: Bucket) -> None:
    found = ask(place(bucket, WRITER))
    assert not verdicts(found, "failed", "warning"), found
    assert "append-only" in found["delete"][1]
    assert "only writes is enough" in found["read"][1]
    assert all(key.startswith("studio/.test-") for key in sorted(bucket.keys()))
    assert not bucket.uploads()


@pytest.mark.parametrize(
    ("who", "word"), [(UNKNOWN, "access key"), (WRONG_SECRET, "secret key")], ids=["key", "secret"]
)
def test_wrong_keys_end_the_test(bucket: Bucket, who: Identity, word: str) -> None:
    found = ask(place(bucket, who))
    assert verdicts(found, "failed") == ["bucket"]
    assert word in found["bucket"][1]
    assert "write" not in found


def test_no_keys_at_all(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = ask(place(bucket, access_key="", secret_key=""))
    assert found["credentials"][0] == "failed"
    assert "AWS_ACCESS_KEY_ID" in found["credentials"][1]


def test_the_source_of_the_keys_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        f"[backup]\naws_access_key_id = {ADMIN.access_key}\naws_secret_access_key = {ADMIN.secret_key}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = ask(place(bucket, access_key="", secret_key="", profile="backup"), 0)
    assert "credentials" in found["credentials"][1]
    assert "AKIA...LE" in found["credentials"][1]
    assert not verdicts(found, "failed"), found


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    found = ask(place(bucket, bucket="there-is-no-such-bucket"))
    assert verdicts(found, "failed") == ["bucket"]
    assert "there is no bucket" in found["bucket"][1]


def test_nobody_at_the_address(bucket: Bucket) -> None:
    found = ask(place(bucket, endpoint_url="http://127.0.0.1:9"))
    assert found["address"][0] == "failed"
    assert "does not answer" in found["address"][1]
    found = ask(place(bucket, endpoint_url="http://no-such-host.invalid"))
    assert "no such host" in found["address"][1]
    found = ask(place(bucket, endpoint_url="http://127.0.0.1:99999"))
    assert found["address"][0] == "failed"
    assert "127.0.0.1:99999 is no address" in found["address"][1]
    found = ask(place(bucket, endpoint_url=bucket.server.url.replace("http", "https")))
    assert "speaks no TLS" in found["address"][1]


def test_a_wrong_clock_is_told_with_how_wrong_it_is(bucket: Bucket) -> None:
    with FaultProxy(bucket.server.port) as proxy:
        proxy.add(clock_skew(), "HeadBucket", "ListObjectsV2", times=None)
        found = ask(place(bucket, endpoint_url=proxy.url))
    assert found["clock"][0] == "warning"
    assert found["clock"][1].startswith(("this machine's is 7 h", "this machine's is 6 h 59"))
    assert "behind" in found["clock"][1]
    assert verdicts(found, "failed") == ["bucket"]


def test_locks_are_told_and_what_is_asked_for_must_be_there(bucket: Bucket, locked_bucket: Bucket) -> None:
    found = ask(place(bucket, object_lock_days=30), 0)
    assert found["object lock"][0] == "failed"
    found = ask(place(locked_bucket, object_lock_days=30, object_lock_mode="compliance"), 0)
    assert found["object lock"][0] == "good"
    assert "30 days (compliance)" in found["object lock"][1]
    assert found["versions"][0] == "good"
    assert not verdicts(found, "failed", "warning"), found
    assert not locked_bucket.keys(), "the test itself asks for no protection"


def test_a_rule_for_unfinished_uploads_is_seen(bucket: Bucket) -> None:
    rule = {
        "ID": "unfinished",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    try:
        bucket.client.put_bucket_lifecycle_configuration(
            Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]}
        )
        stored = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    except Exception:
        pytest.skip("this server keeps no such rules")
    if not any("AbortIncompleteMultipartUpload" in each for each in stored):
        pytest.skip("this server keeps no such rules")
    assert ask(place(bucket), 0)["unfinished"][0] == "good"


@pytest.fixture
def studio(tmp_path: Path, bucket: Bucket) -> Callable[..., Ended]:
    """Run ``cloud test`` in a studio that has the bucket in its cloud_storage, not enabled yet."""
    made = Studio(tmp_path / "studio")
    cloud = {
        "enabled": False,
        "bucket": bucket.name,
        "endpoint_url": bucket.server.url,
        "access_key": ADMIN.access_key,
        "secret_key": ADMIN.secret_key,
    }
    second = {"name": "second", "provider": "s3", "bucket": "not-there", "endpoint_url": bucket.server.url}
    second |= {"access_key": ADMIN.access_key, "secret_key": ADMIN.secret_key}
    (made.root / "config.json").write_text(
        json.dumps({"backup": {"destinations": [second]}, "cloud_storage": cloud})
    )
    return lambda *args: made.run("cloud", "test", *args, "--size", "1")


def test_the_command(studio: Callable[..., Ended], bucket: Bucket) -> None:
    ended = studio("cloud")
    assert ended.code == 0, ended
    assert "Fit for backups" in ended.out
    assert ADMIN.secret_key not in ended.out + ended.err
    ended = studio()
    assert ended.code == 2, "of those that are in use, one is not there"
    assert "Not fit for backups: 1 thing to put right" in ended.out
    ended = studio(f"s3://{bucket.name}?endpoint={bucket.server.url}", "--json")
    assert ended.code == 0, ended
    (test,) = json.loads(ended.out)["tests"]
    assert test["requests"] > 20
    assert {finding["verdict"] for finding in test["findings"]} == {"good", "note"}
    assert studio("nowhere").code == 3
    assert not bucket.keys()


def test_exit_codes() -> None:
    def code(*verdicts: str) -> int:
        findings = [{"about": "x", "verdict": verdict, "words": "x"} for verdict in verdicts]
        return PlaceTest(name="", address="", findings=tuple(map(_finding, findings))).exit_code

    assert [code("good", "note"), code("note", "warning"), code("warning", "failed")] == [0, 1, 2]


def _finding(values: dict[str, str]) -> Any:
    from pinnacle_backup.model.probes import Finding

    return Finding(**values)
