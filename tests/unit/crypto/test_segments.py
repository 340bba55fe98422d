"""Numbered segments."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pinnacle_backup.crypto.segments import SegmentCipher
from pinnacle_backup.errors import DamagedError, FormatError

KEY = bytes(range(32))
BASE = bytes(range(200, 212))


@pytest.mark.parametrize("number", [0, 1, 255, 2**32, 2**38 - 1])
def test_the_number_goes_into_the_nonce(number):
    stored = bytearray(21)
    SegmentCipher(KEY, BASE).encrypt(number, b"plain", memoryview(stored))
    nonce = bytes(a ^ b for a, b in zip(BASE, number.to_bytes(12, "big"), strict=True))

    assert AESGCM(KEY).decrypt(nonce, bytes(stored), None) == b"plain"


def test_a_segment_is_authentic_only_under_its_number():
    stored = bytearray(21)
    plain = bytearray(5)
    cipher = SegmentCipher(KEY, BASE)
    cipher.encrypt(7, b"plain", memoryview(stored))

    with pytest.raises(DamagedError, match="segment 8, plain offset 131,072"):
        cipher.decrypt(8, stored, memoryview(plain))
    cipher.decrypt(7, stored, memoryview(plain))
    assert plain == b"plain"


def test_the_number_never_overflows():
    """Beyond 2^38 segments the bounds of the specification no longer hold."""
    with pytest.raises(FormatError, match="4 PiB"):
        SegmentCipher(KEY, BASE).encrypt(2**38, b"", memoryview(bytearray(16)))
