"""Keys from keys: HKDF-Expand (RFC 5869) with SHA-512, one key for one purpose (format.md, section 6)."""

from __future__ import annotations

from typing import Final

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
COMMITMENT_BYTES: Final = 32
TAG_BYTES: Final = 16

_SEGMENTS: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Return ``length`` bytes that only who has ``key`` can tell from random ones."""
    from cryptography.hazmat.primitives.hashes import SHA512  # noqa: PLC0415 - plain backups do without
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand  # noqa: PLC0415 - plain backups do without

    return HKDFExpand(SHA512(), length, info).derive(key)


def slot_keys(password_key: bytes, prefix: bytes, repository: bytes) -> tuple[bytes, bytes]:
    """Return the key that seals the master key in a slot, and the slot's commitment (format.md, 6.2)."""
    both = expand(password_key, b"pinnacle-backup 1 slot" + prefix + repository, KEY_BYTES + COMMITMENT_BYTES)
    return both[:KEY_BYTES], both[KEY_BYTES:]


def segment_keys(
    master_key: bytes, *, repository: bytes, salt: bytes, head: bytes
) -> tuple[bytes, bytes, bytes]:
    """Return key, base nonce and commitment of one archive's segments (format.md, 6.3)."""
    archive_key = expand(master_key, b"pinnacle-backup 1 archive" + repository, KEY_BYTES)
    all_three = expand(archive_key, _SEGMENTS + salt + head, KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES)
    nonce_end = KEY_BYTES + NONCE_BYTES
    return all_three[:KEY_BYTES], all_three[KEY_BYTES:nonce_end], all_three[nonce_end:]


def footer_key(master_key: bytes, *, repository: bytes, salt: bytes) -> bytes:
    """Return the key that authenticates one archive's footer (format.md, 6.4)."""
    return expand(master_key, b"pinnacle-backup 1 footer" + repository + salt, KEY_BYTES)
