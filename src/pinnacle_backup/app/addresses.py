"""
Addresses of buckets, as people write them.

``s3://BUCKET/PREFIX?endpoint=URL&region=NAME`` names everything that is needed to find a bucket, but no
secret: keys come from the standard credentials of the provider.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_args
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

from pinnacle_backup.config.cloud import Addressing
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable

if TYPE_CHECKING:
    from pinnacle_backup.store.cloud.place import CloudPlace

_SCHEMES: Final = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "azure": "azure"}
_OPTIONS: Final = {
    "endpoint": "endpoint_url",
    "region": "region",
    "profile": "profile",
    "addressing": "addressing",
    "ca_file": "ca_file",
}
_ADDRESSING: Final = get_args(Addressing)
_URL: Final = re.compile(r"https?://[^\x00-\x20\x7f]+")
_CLEAN: Final = re.compile(r"[^\x00-\x20\x7f]+")


def is_address(text: str) -> bool:
    """Tell whether a text is meant as the address of a bucket."""
    return text.partition("://")[0] in _SCHEMES and "://" in text


def place_of_address(text: str) -> CloudPlace:
    """
    Return the bucket at an address.

    Raises:
        UsageError: It names none.
    """
    from pinnacle_backup.store.cloud.place import CloudPlace  # noqa: PLC0415 - few commands need it

    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise _unusable(text, "it cannot be read") from None
    endpoint = options.get("endpoint", "")
    if "@" in parts.netloc + endpoint:
        raise UsageError(
            "keys do not belong into an address: others see them",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use ~/.aws/credentials",
        )
    if not parts.netloc or not _CLEAN.fullmatch(text):
        raise _unusable(text, "it names no bucket")
    if unknown := options.keys() - _OPTIONS.keys():
        raise _unusable(text, f"{printable(min(unknown))[:40]!r} is not one of {', '.join(_OPTIONS)}")
    if endpoint and not _URL.fullmatch(endpoint):
        raise _unusable(text, "its endpoint does not begin with https:// or http://")
    if options.get("addressing", "auto") not in _ADDRESSING:
        raise _unusable(text, f"its addressing is not one of {', '.join(_ADDRESSING)}")
    prefix = unquote(parts.path).strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise _unusable(text, "its prefix is not a plain path")
    place = CloudPlace(provider=_SCHEMES[parts.scheme], bucket=parts.netloc, prefix=prefix)
    return msgspec.structs.replace(place, **{_OPTIONS[key]: value for key, value in options.items()})


def full_address(place: CloudPlace, *, here: bool = False) -> str:
    """
    Return an address that finds a bucket from anywhere.

    Args:
        place: The bucket.
        here: Add what means something on this machine only: a profile, a file of certificates.
    """
    names = _OPTIONS if here else ("endpoint", "region", "addressing")
    options = {key: getattr(place, _OPTIONS[key]) for key in names}
    if place.addressing == "auto":
        options.pop("addressing")
    given = {key: value for key, value in options.items() if value}
    return f"{place.address}?{urlencode(given, safe=':/')}" if given else place.address


def _unusable(text: str, reason: str) -> UsageError:
    return UsageError(
        f"{printable(text)[:200]!r} is no address of a bucket: {reason}",
        hint="such as s3://BUCKET/PREFIX or s3://BUCKET/PREFIX?endpoint=https://s3.example.com",
    )
