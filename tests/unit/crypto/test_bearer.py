"""Secrets for whoever bears them."""

from __future__ import annotations

import hashlib
import os
import re

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.crypto.bearer import code_digest, digest, is_same, new_code, new_secret


def test_a_secret_is_43_characters_that_stand_anywhere() -> None:
    secret = new_secret(os.urandom)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    assert new_secret(os.urandom) != secret
    assert new_secret(bytes) == "A" * 43


def test_a_code_is_in_groups_of_four() -> None:
    assert re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}", new_code(os.urandom, 6))
    assert re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", new_code(os.urandom, 4))


def test_every_random_bit_of_a_code_is_in_it() -> None:
    """80 bits in four groups: none of the bytes is cut off unseen."""
    seen = {new_code(lambda n, bit=bit: (1 << (n * 8 - 1 - bit)).to_bytes(n), 4) for bit in range(80)}
    assert len(seen) == 80


def test_a_code_may_be_typed_as_it_comes() -> None:
    code = new_code(os.urandom, 4)
    assert code_digest(f" {code.upper().replace('-', ' ')}\n") == code_digest(code)


def test_only_sha_256_is_kept() -> None:
    assert digest("secret") == hashlib.sha256(b"secret").hexdigest()


def test_what_is_longer_than_any_secret_is_not_even_hashed() -> None:
    assert digest("x" * 257) == code_digest("x" * 257) == ""
    assert not is_same("", "")


@given(st.text(), st.text())
def test_digests_are_compared_by_value(one: str, other: str) -> None:
    assert is_same(digest(one), digest(other)) is (one == other)
