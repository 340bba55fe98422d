"""Addresses of buckets: what cannot be one is refused before anybody is asked, and no secret is repeated."""

from __future__ import annotations

import pytest

from pinnacle_backup.app.addresses import full_address, place_of_address
from pinnacle_backup.errors import UsageError

WHOLE = "s3://bucket/studio/a?endpoint=https://s3.example.com:9000&region=eu-1&addressing=path"


def test_an_address_names_a_place_and_a_place_its_address() -> None:
    place = place_of_address(WHOLE)
    assert (place.bucket, place.prefix, place.endpoint_url) == (
        "bucket",
        "studio/a",
        "https://s3.example.com:9000",
    )
    assert place_of_address(full_address(place)) == place


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://", "names no bucket"),
        ("s3://b/a//b", "not a plain path"),
        ("s3://b?endpoint", "cannot be read"),
        ("s3://b?secret=x", "'secret' is not one of"),
        ("s3://b?endpoint=s3.example.com", "does not begin with https:// or http://"),
        ("s3://b?addressing=funny", "is not one of auto, path, virtual"),
    ],
)
def test_what_is_none_is_refused(address: str, reason: str) -> None:
    with pytest.raises(UsageError, match="is no address of a bucket") as caught:
        place_of_address(address)
    assert reason in caught.value.message


@pytest.mark.parametrize("address", ["s3://key:canary@b", "s3://b?endpoint=http://key:canary@host"])
def test_keys_in_it_are_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(UsageError, match="keys do not belong into an address") as caught:
        place_of_address(address)
    assert "canary" not in caught.value.message + caught.value.hint
