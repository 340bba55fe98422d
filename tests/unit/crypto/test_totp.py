"""Codes of authenticator apps, by the vectors of RFC 6238 and RFC 4226."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pinnacle_backup.crypto.totp import code_of, key_text, matching_step, step_of, uri

SECRET = b"12345678901234567890"

RFC_6238_SHA_1 = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
RFC_4226 = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
]


@pytest.mark.parametrize(("seconds", "code"), RFC_6238_SHA_1)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_of(SECRET, step_of(moment), digits=8) == code
    assert matching_step(SECRET, code[2:], moment) == seconds // 30


def test_the_vectors_of_rfc_4226() -> None:
    assert [code_of(SECRET, counter) for counter in range(10)] == RFC_4226


@pytest.mark.parametrize(
    ("late", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_differ_by_one_step(late: int, accepted: bool) -> None:
    moment = datetime(2026, 11, 22, 14, 3, 22, tzinfo=UTC)
    code = code_of(SECRET, step_of(moment + timedelta(seconds=late)))
    assert (matching_step(SECRET, code, moment) is not None) is accepted


@pytest.mark.parametrize(
    "typed", ["", "0", "abcdef", "2870820", "٢٨٧٠٨٢", "\udcff", "287-082", "x" * 100_000]
)
def test_whatever_else_is_typed_is_wrong(typed: str) -> None:
    assert matching_step(SECRET, typed, datetime.fromtimestamp(59, UTC)) is None


def test_spaces_do_not_matter() -> None:
    assert matching_step(SECRET, " 287 082 ", datetime.fromtimestamp(59, UTC)) == 1


def test_apps_can_read_the_address() -> None:
    parts = urlsplit(uri(SECRET, issuer="A Studio", account="anna@example.org"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/A%20Studio:anna%40example.org")
    assert {name: values[0] for name, values in parse_qs(parts.query).items()} == {
        "secret": key_text(SECRET),
        "issuer": "A Studio",
        "algorithm": "SHA1",
        "digits": "6",
        "period": "30",
    }
    assert key_text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
