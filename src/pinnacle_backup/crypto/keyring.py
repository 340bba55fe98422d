"""The passwords of one run, and the keys that they open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pinnacle_backup.crypto.head import Head
from pinnacle_backup.crypto.password import Argon2Parameters, derive
from pinnacle_backup.crypto.slots import find
from pinnacle_backup.errors import PasswordError

_HINT = "give it with --decrypt, --password-file or PINNACLE_PASSWORD"

_Keys = dict[tuple[str, bytes, Argon2Parameters], bytes]


class KeyRing:
    """
    Opens archives with any of the passwords.

    Deriving a key takes a good part of a second, on purpose. What was derived stays, so that all
    archives with the same key slot cost one derivation for each password. Worker processes get the
    ring by pickling, keys included.

    Args:
        passwords: Tried in this order.
        keys: What was derived already; it grows.
    """

    def __init__(self, passwords: Sequence[str], keys: _Keys | None = None) -> None:
        self._passwords = tuple(passwords)
        self._keys: _Keys = {} if keys is None else keys

    def of(self, passwords: Sequence[str]) -> KeyRing:
        """Return the ring of other passwords; both share what either derives."""
        return KeyRing(passwords, self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._passwords)}>"

    def __bool__(self) -> bool:
        """Tell whether it holds any password."""
        return bool(self._passwords)

    def master_key(self, head: Head) -> bytes:
        """
        Return the master key of an archive.

        Raises:
            PasswordError: No password was given, or none opens a key slot.
            FormatError: None opens a sound key slot, and there is a damaged one.
        """
        return self.unlock(head)[1]

    def unlock(self, head: Head) -> tuple[int, bytes]:
        """Return the index of the key slot that a password opens, and the master key, or raise likewise."""
        name = f"the backup of {head.header.created}"
        if not self._passwords:
            raise PasswordError(f"{name} is encrypted, and no password was given", hint=_HINT)
        for password in self._passwords:
            found = find(head.slots, partial(self._key, password), head.repository)
            if found is not None:
                return found
        head.check_slots()  # a damaged slot may be the very one that a password belongs to
        count = len(self._passwords)
        which = "the password opens" if count == 1 else f"the {count} passwords open"
        raise PasswordError(f"wrong password: {which} none of the key slots of {name}", hint=_HINT)

    def _key(self, password: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
        wanted = (password, salt, parameters)
        if wanted not in self._keys:
            self._keys[wanted] = derive(*wanted)
        return self._keys[wanted]
