"""Who knows the passwords: what a use-case asks of the command line or a page."""

from __future__ import annotations

from typing import Protocol

from pinnacle_backup.config.secrets import Password, Secret


class PasswordSource(Protocol):
    """Passwords of one command, and a person who may know more."""

    def given(self, key: Secret | None) -> tuple[Password, ...]:
        """
        Return the passwords at hand, the most explicit first.

        Args:
            key: The configuration's ``backup.encryption.key``, the last resort.
        """

    def ask(self, purpose: str, *, twice: bool = False) -> Password:
        """
        Ask a person.

        Args:
            purpose: What the password is for, in words.
            twice: Whether a typing error would lock a backup up.

        Raises:
            PasswordError: Nobody can be asked.
        """
