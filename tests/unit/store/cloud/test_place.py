"""What a place tells of itself."""

from __future__ import annotations

import pickle

import pytest

from pinnacle_backup.errors import UsageError
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

PLACE = CloudPlace(bucket="b", prefix="a/b", access_key="AKIA", secret_key="very-secret")


@pytest.mark.parametrize(
    ("provider", "prefix", "address"),
    [("s3", "", "s3://b"), ("s3", "x/y", "s3://b/x/y"), ("gcs", "x", "gs://b/x"), ("azure", "", "az://b")],
)
def test_address(provider: str, prefix: str, address: str) -> None:
    assert CloudPlace(provider=provider, bucket="b", prefix=prefix).address == address


def test_key_of_an_object() -> None:
    assert PLACE.key("x") == "a/b/x"
    assert CloudPlace(bucket="b").key("x") == "x"


def test_no_key_is_shown() -> None:
    for shown in (repr(PLACE), str(PLACE), f"{PLACE!r}", repr(open_store(PLACE))):
        assert "very-secret" not in shown
        assert "AKIA" not in shown


def test_store_of_a_place_travels() -> None:
    assert pickle.loads(pickle.dumps(open_store(PLACE))).address == "s3://b/a/b"


def test_unknown_provider() -> None:
    with pytest.raises(UsageError, match="tape"):
        open_store(CloudPlace(provider="tape", bucket="b"))
