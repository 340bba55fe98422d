"""Each thing that goes wrong is told in one clear line, with no secret in it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.errors import ObjectNotFound, StoreError, StoreFull
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

from ....fault_proxy import FaultProxy
from ....s3_faults import clock_skew, refuse
from ....s3_servers import SECRETS, UNKNOWN, WRONG_SECRET, Bucket, Identity
from .conftest import place_in


def told(place: CloudPlace, kind: type[StoreError] = StoreError) -> StoreError:
    with pytest.raises(kind) as caught:
        list(open_store(place).list())
    error = caught.value
    for text in (error.message, error.hint):
        assert "\n" not in text
        assert not any(secret in text for secret in SECRETS)
    return error


@pytest.mark.parametrize(
    ("who", "said"), [(UNKNOWN, "does not know the access key"), (WRONG_SECRET, "the secret key is wrong")]
)
def test_wrong_keys(bucket: Bucket, who: Identity, said: str) -> None:
    error = told(place_in(bucket, who=who))

    assert said in error.message
    assert f"s3://{bucket.name}/p" in error.message


def test_missing_bucket(bucket: Bucket, place: CloudPlace) -> None:
    error = told(msgspec.structs.replace(place, bucket="no-such-bucket"))

    assert "there is no bucket no-such-bucket" in error.message
    assert not isinstance(error, ObjectNotFound), "which a new folder is, that is made when it is needed"


def test_name_that_no_bucket_can_have(place: CloudPlace) -> None:
    error = told(msgspec.structs.replace(place, bucket="Not a bucket!"))

    assert "that is no name of a bucket" in error.message


def test_list_that_is_not_found_is_no_empty_one(through: CloudPlace, proxy: FaultProxy) -> None:
    """Such as the answer of any web server, where the address is a wrong one."""
    proxy.add(refuse(404, "404"), "ListObjectsV2", times=None)
    error = told(through)

    assert "the server answered 404: " in error.message
    assert not isinstance(error, ObjectNotFound)


def test_server_without_tls(place: CloudPlace, bucket: Bucket) -> None:
    error = told(msgspec.structs.replace(place, endpoint_url=bucket.server.url.replace("http", "https")))

    assert "the server speaks no TLS" in error.message
    assert "http://" in error.hint


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "may not do this"),
        (403, "ExpiredToken", "credentials have expired"),
        (400, "ExpiredToken", "credentials have expired"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (403, "RequestTimeTooSkewed", "clock"),
        (501, "NotImplemented", "cannot do this"),
        (400, "Surprise", "the server answered 400 Surprise: said the proxy: Surprise"),
    ],
)
def test_refusals(through: CloudPlace, proxy: FaultProxy, status: int, code: str, said: str) -> None:
    rule = proxy.add(refuse(status, code), "ListObjectsV2", times=None)

    assert said in told(through).message
    assert rule.met <= 2


def test_right_that_is_missing_is_named(through: CloudPlace, proxy: FaultProxy) -> None:
    proxy.add(refuse(403, "AccessDenied"), "ListObjectsV2", times=None)

    assert "s3:ListBucket" in told(through).hint


def test_clock(through: CloudPlace, proxy: FaultProxy) -> None:
    proxy.add(clock_skew(), "ListObjectsV2", times=None)

    assert "clock" in told(through).message


def test_quota(through: CloudPlace, proxy: FaultProxy) -> None:
    proxy.add(refuse(403, "QuotaExceeded"), "PutObject", times=None)
    with pytest.raises(StoreFull, match="no space or quota"):
        open_store(through).put("a", b"x")


def test_text_of_a_server_cannot_fake_lines(through: CloudPlace, proxy: FaultProxy) -> None:
    proxy.add(refuse(400, "Odd", "fine\n\x1b[31mdone" + "x" * 1000), "ListObjectsV2", times=None)
    error = told(through)

    assert error.message.isprintable()
    assert len(error.message) < 500


def test_nobody_listens(place: CloudPlace) -> None:
    error = told(msgspec.structs.replace(place, endpoint_url="http://127.0.0.1:1"))

    assert "was not reached (http://127.0.0.1:1)" in error.message


def test_no_credentials(place: CloudPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    assert "no credentials" in told(msgspec.structs.replace(place, access_key="", secret_key="")).message
    assert "no such profile" in told(msgspec.structs.replace(place, profile="nobody")).message


def test_standard_sources_of_credentials(
    bucket: Bucket, place: CloudPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket.put("p/a", b"x")
    bare = msgspec.structs.replace(place, access_key="", secret_key="", connections=2)
    file = tmp_path / "credentials"
    file.write_text(
        f"[other]\naws_access_key_id = {place.access_key}\naws_secret_access_key = {place.secret_key}\n"
    )
    chosen = msgspec.structs.replace(bare, profile="other", credentials_file=str(file))
    assert [stored.name for stored in open_store(chosen).list()] == ["a"]

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", place.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", place.secret_key)
    assert [stored.name for stored in open_store(bare).list()] == ["a"]
