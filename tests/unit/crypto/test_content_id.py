"""Names for content."""

from __future__ import annotations

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.crypto.content_id import content_id, content_id_key

REPOSITORY = bytes(range(16))
MASTER_KEY = bytes(range(32))


def test_the_key_is_derived_as_the_format_says():
    context = "pinnacle-backup 1 content ids"

    assert content_id_key(REPOSITORY, None) == blake3(REPOSITORY, derive_key_context=context).digest()
    assert (
        content_id_key(REPOSITORY, MASTER_KEY)
        == blake3(REPOSITORY + MASTER_KEY, derive_key_context=context).digest()
    )


def test_the_ids_are_fixed_for_ever():
    """Another id for the same content would end deduplication against all earlier backups."""
    plain, secret = content_id_key(REPOSITORY, None), content_id_key(REPOSITORY, MASTER_KEY)

    assert plain.hex() == "f8e05683d675106d0a5b253c8370d330dd5569b8e0a7c1e3a6960ea9fc885c6a"
    assert content_id(plain, b"content").hex() == "67b0c7bd3f9f943385280ac657f98d13"
    assert content_id(secret, b"content").hex() == "8353d6c5135aa58f12d2b14c76b8a38d"


@given(content=st.binary(max_size=5_000))
def test_an_id_is_the_first_half_of_the_keyed_hash(content):
    key = content_id_key(REPOSITORY, MASTER_KEY)

    assert content_id(key, content) == blake3(content, key=key).digest()[:16]
    assert content_id(key, memoryview(bytearray(content))) == content_id(key, content)


def test_another_repository_or_master_key_gives_other_ids():
    keys = [
        content_id_key(REPOSITORY, None),
        content_id_key(REPOSITORY[::-1], None),
        content_id_key(REPOSITORY, MASTER_KEY),
        content_id_key(REPOSITORY, MASTER_KEY[::-1]),
    ]

    assert len({content_id(key, b"content") for key in keys}) == 4
