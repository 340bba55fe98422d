"""The studio's key: made once, kept for its owner, and signatures that only it can make."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.crypto.signing import SigningKey, fingerprint, in_groups, is_signed, own_key, read_key
from pinnacle_backup.errors import StateError

KEY = SigningKey.new()


def test_the_key_is_made_at_the_first_use_and_stays(tmp_path: Path) -> None:
    """For its owner alone, with nothing left beside it."""
    path = tmp_path / "state" / "signing.key"
    assert read_key(str(path)) is None
    made = own_key(str(path))
    assert own_key(str(path)).public == made.public
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == ["signing.key"]


def test_of_processes_that_make_it_at_the_same_time_all_have_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pinnacle_backup.crypto.signing import own_key\n"
        "sys.stdin.read(); print(own_key(sys.argv[1]).public.hex())"
    )
    source = Path(__file__).resolve().parents[3] / "src"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "signing.key")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(source)},
        )
        for _ in range(4)
    ]
    keys = {process.communicate("")[0] for process in started}
    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["signing.key"]


@given(message=st.binary(max_size=200), place=st.integers(0), bit=st.integers(0, 7))
def test_any_change_of_message_or_signature_is_noticed(message: bytes, place: int, bit: int) -> None:
    signature = KEY.sign(message)
    assert is_signed(message, signature, KEY.public)
    for changed in (_flip(message, place, bit), message + b"x"):
        assert changed == message or not is_signed(changed, signature, KEY.public)
    assert not is_signed(message, _flip(signature, place, bit), KEY.public)


def test_another_key_is_noticed() -> None:
    other = SigningKey.new()
    assert not is_signed(b"x", other.sign(b"x"), KEY.public)
    assert fingerprint(other.public) != fingerprint(KEY.public)


@pytest.mark.parametrize(
    "public",
    [b"", b"x" * 44, KEY.public[:-1], b64decode("MCowBQYDK2VuAyEA" + "A" * 43 + "=")],
    ids=["empty", "noise", "cut", "x25519"],  # the key is another one in each process
)
def test_what_is_no_public_key_verifies_nothing(public: bytes) -> None:
    """Also a key of another kind, X25519."""
    assert not is_signed(b"x", KEY.sign(b"x"), public)


def test_the_vector_of_rfc_8032() -> None:
    """Section 7.1, test 2: what we check is Ed25519, as everybody's is."""
    raw = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert is_signed(b"\x72", signature, bytes.fromhex("302a300506032b6570032100") + raw)


@pytest.mark.parametrize("content", [b"", b"not a key", KEY.pem()[:-40]], ids=["empty", "noise", "cut"])
def test_a_file_that_holds_no_key_is_said_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(content)
    with pytest.raises(StateError, match="does not hold a key"):
        own_key(str(path))
    assert path.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(KEY.pem())
    os.symlink("elsewhere", tmp_path / "signing.key")
    with pytest.raises(StateError):
        own_key(str(tmp_path / "signing.key"))


def test_a_fingerprint_is_shown_in_groups() -> None:
    assert "".join(in_groups(fingerprint(KEY.public))) == fingerprint(KEY.public)
    assert "PRIVATE" not in repr(KEY)


def _flip(data: bytes, place: int, bit: int) -> bytes:
    if not data:
        return data
    place %= len(data)
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
