"""The passwords of one run."""

from __future__ import annotations

import pickle

import pytest

from pinnacle_backup.crypto import keyring
from pinnacle_backup.crypto.head import read_head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.errors import FormatError, PasswordError


@pytest.fixture(scope="module")
def head(encrypt, memory):
    return read_head(memory(encrypt()))


def test_any_of_the_passwords_opens(head, password, master_key):
    ring = KeyRing(["another", password])

    assert ring.unlock(head) == (0, master_key)
    assert ring.master_key(head) == master_key


def test_each_password_is_derived_once_for_each_slot(encrypt, memory, head, password):
    """Archives of one repository share slots: a hundred of them cost one derivation."""
    ring = KeyRing(["another", password])
    ring.master_key(head)
    keys = dict(ring._keys)
    ring.master_key(read_head(memory(encrypt(b"another archive"))))

    assert len(keys) == 2
    assert ring._keys == keys
    assert all(ring._keys[wanted] is key for wanted, key in keys.items())


def test_a_ring_of_more_passwords_derives_nothing_again(head, password, master_key, monkeypatch):
    first = KeyRing([password])
    first.master_key(head)
    second = first.of([password, "another"])
    monkeypatch.setattr(keyring, "derive", lambda *_: pytest.fail("derived again"))

    assert second.master_key(head) == master_key


def test_without_a_password_the_error_says_how_to_give_one(head):
    with pytest.raises(PasswordError, match="no password was given") as caught:
        KeyRing([]).master_key(head)

    assert "2026-11-22T14:03:22" in str(caught.value)
    for way in ("--decrypt", "--password-file", "PINNACLE_PASSWORD"):
        assert way in caught.value.hint


@pytest.mark.parametrize("passwords", [["wrong-1"], ["wrong-1", "wrong-2"]], ids=len)
def test_wrong_passwords_are_called_wrong_and_not_shown(head, passwords):
    with pytest.raises(PasswordError, match="wrong password") as caught:
        KeyRing(passwords).master_key(head)

    assert "wrong-" not in str(caught.value) + caught.value.hint
    assert not isinstance(caught.value, FormatError)


def test_an_empty_password_is_refused(head):
    with pytest.raises(PasswordError, match="empty"):
        KeyRing([""]).master_key(head)


def test_a_worker_process_gets_the_ring_with_its_keys(head, password, master_key):
    ring = KeyRing([password])
    ring.master_key(head)
    copy = pickle.loads(pickle.dumps(ring))

    assert copy._keys == ring._keys
    assert copy.master_key(head) == master_key


def test_no_secret_is_shown(head, password, master_key):
    ring = KeyRing([password])
    ring.master_key(head)

    for shown in (repr(ring), str(ring), f"{ring}", repr([ring])):
        assert password not in shown
        assert master_key.hex() not in shown
        assert all(repr(key) not in shown for key in ring._keys.values())
