"""
Values that nobody may see: the type that hides them, the files they come from, the order of passwords.

This module knows nothing of the single settings; the schema says which of them are secrets.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from pinnacle_backup.config.redact import MASK, one_line
from pinnacle_backup.errors import ConfigError, PasswordError

FILE_LIMIT: Final = 64 * 1024
"""No secret is longer than this; a file that is was named by mistake."""


class Secret:
    """
    A text that does not show itself: only ``reveal`` gives it away.

    ``str``, ``repr``, f-strings and tracebacks get a mask, JSON encoders an error. An empty secret is false.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"


class MissingSecret(Secret):
    """
    A secret that cannot be had from where it should come, which stops only who needs it.

    Args:
        fault: Why, one line; ``reveal`` raises it.
    """

    __slots__ = ("fault",)

    def __init__(self, fault: ConfigError) -> None:
        super().__init__("missing")
        self.fault = fault

    def reveal(self) -> str:
        """
        Raise what is wrong.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(self.fault.message, hint=self.fault.hint)


def is_at_hand(secret: Secret) -> bool:
    """Tell whether a secret that is set can be had."""
    return not isinstance(secret, MissingSecret)


def secrets_in(section: msgspec.Struct) -> Iterator[tuple[str, Secret]]:
    """Yield the path and the value of every secret that is set and can be had, in the order of the schema."""
    return ((path, each) for path, each in _set_in(section) if not isinstance(each, MissingSecret))


def missing_in(section: msgspec.Struct) -> Iterator[MissingSecret]:
    """Yield every secret that is set and cannot be had."""
    return (each for _, each in _set_in(section) if isinstance(each, MissingSecret))


def _set_in(section: msgspec.Struct, path: str = "") -> Iterator[tuple[str, Secret]]:
    for name in section.__struct_fields__:
        value = getattr(section, name)
        below = f"{path}.{name}" if path else name
        listed = (
            [(f"{below}[{index}]", each) for index, each in enumerate(value)]
            if isinstance(value, tuple)
            else []
        )
        for place, each in listed or [(below, value)]:
            if isinstance(each, Secret) and each:
                yield place, each
            elif isinstance(each, msgspec.Struct):
                yield from _set_in(each, place)


def masked(section: msgspec.Struct) -> dict[str, Any]:
    """Return the section as plain JSON values for display: a secret that is set reads ``********``."""
    plain: dict[str, Any] = msgspec.to_builtins(section, enc_hook=_mask)
    return plain


def _mask(value: object) -> str:
    if not isinstance(value, Secret):
        raise NotImplementedError(type(value).__name__)
    return MASK if value else ""


class SecretFile(NamedTuple):
    """
    What a file for a secret holds.

    Attributes:
        text: The content without its last line end.
        exposed: Whether every user of the machine can read the file.
    """

    text: str
    exposed: bool


def read_secret_file(path: str) -> SecretFile:
    """
    Read a file that holds one secret.

    Raises:
        ConfigError: It is missing, unreadable, empty, too long or not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(one_line(f"{path}: cannot be read: {_reason(error)}")) from None
    if len(content) > FILE_LIMIT:
        raise ConfigError(
            f"{one_line(path)}: longer than {FILE_LIMIT // 1024} KiB, so hardly a password or a key"
        )
    return SecretFile(_first_text(path, content), bool(mode & stat.S_IROTH))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _first_text(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{one_line(path)}: not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError(f"{one_line(path)}: empty, but a password or a key is expected in it")
    return text


class Password(NamedTuple):
    """
    A password, and where it came from in words: ``PINNACLE_PASSWORD``, ``backup.encryption.key`` ...
    """

    value: Secret
    origin: str


def choose_password(
    *,
    argument: str | None,
    file: str | None,
    environ: Mapping[str, str],
    key: Secret | None,
    read: Callable[[str], SecretFile] = read_secret_file,
) -> Password | None:
    """
    Return the password of the first source that has one; None where no source has.

    The order: the command line, ``--password-file``, ``PINNACLE_PASSWORD_FILE``, ``PINNACLE_PASSWORD``, the
    configuration's ``backup.encryption.key``. An empty variable counts as not set, as everywhere in a shell.

    Raises:
        PasswordError: The command line gives an empty password, or one that is not Unicode text.
        ConfigError: The file cannot be used.
    """
    if argument is not None:
        return _given(argument, "the command line")
    if file is not None:
        return Password(Secret(read(file).text), f"--password-file {one_line(file)}")
    if named := environ.get("PINNACLE_PASSWORD_FILE"):
        return Password(Secret(read(named).text), "PINNACLE_PASSWORD_FILE")
    if text := environ.get("PINNACLE_PASSWORD"):
        return _given(text, "PINNACLE_PASSWORD")
    return Password(key, "backup.encryption.key") if key else None


def _given(text: str, origin: str) -> Password:
    if not text:
        raise PasswordError(f"the password from {origin} is empty", hint="give one of at least one character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PasswordError(f"the password from {origin} is not UTF-8 text") from None
    return Password(Secret(text), origin)
