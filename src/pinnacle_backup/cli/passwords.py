"""
The password options that commands share, and the person at the terminal.

``--encrypt`` and ``--decrypt`` take a password as the guide shows; without one they ask. A file
or the environment is better: arguments can be seen by every user of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from pinnacle_backup.cli.context import Context

ASK: Final = "\0ask"
"""Stands for an option without a value. No argument can hold NUL, so no password is mistaken for it."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def password_option(name: str, help_text: str, *, multiple: bool = False) -> Decorator:
    """Return an option that takes a password, or none to be asked for one."""
    return click.option(
        name, metavar="[PASSWORD]", is_flag=False, flag_value=ASK, multiple=multiple, help=help_text
    )


def file_option(
    name: str = "--password-file", help_text: str = "Read the password from a file."
) -> Decorator:
    """Return an option that takes a file whose content is a password."""
    return click.option(name, metavar="FILE", help=help_text)


def decrypt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that reads archives: parameters ``decrypt`` and ``password_file``."""
    ask = password_option("--decrypt", "Password of the backup; asks without a value.", multiple=True)
    return ask(file_option()(command))


class Passwords:
    """
    The passwords of one command.

    Args:
        context: Where to warn and whom to ask.
        arguments: What the option was given; ``ASK`` for nothing.
        file: What ``--password-file`` was given.
        creating: Whether the password is a new one, so that it is asked for twice.
        option: Name of the option, for the warning.
    """

    def __init__(
        self,
        context: Context,
        arguments: Sequence[str],
        file: str | None,
        *,
        creating: bool = False,
        option: str = "--decrypt",
    ) -> None:
        self._context = context
        self._arguments = arguments
        self._file = file
        self._creating = creating
        if any(argument != ASK for argument in arguments):
            context.out.warn(
                f"other users of this machine can see the password after {option}; "
                "--password-file FILE hides it"
            )

    def given(self, key: Any) -> tuple[Any, ...]:
        """
        Return the passwords at hand, of the most explicit kind that there is.

        The order: values of the option, ``--password-file``, the person where the option had no value,
        the environment, the configuration.
        """
        explicit = self._explicit(may_ask=self._context.can_ask)
        other = None if explicit else self._choose(None, None, self._context.environ, key)
        return explicit or ((other,) if other else ())

    def only_explicit(self) -> Any:
        """Return the first password of the option, its file or the person."""
        return self._explicit(may_ask=True)[0]

    def ask(self, purpose: str, *, twice: bool = False) -> Any:
        """Ask the person at the terminal."""
        from pinnacle_backup.config.secrets import Password, Secret

        answer = self._context.ask_password(f"Password {purpose}", twice=twice)
        return Password(Secret(answer), "the terminal")

    def _explicit(self, *, may_ask: bool) -> tuple[Any, ...]:
        values = [argument for argument in self._arguments if argument != ASK]
        if values:
            return tuple(self._choose(value, None, {}, None) for value in values)
        if self._file is not None:
            return (self._choose(None, self._file, {}, None),)
        if self._arguments and may_ask:
            return (self.ask("for the backup" if self._creating else "of the backup", twice=self._creating),)
        return ()

    @staticmethod
    def _choose(argument: str | None, file: str | None, environ: Mapping[str, str], key: Any) -> Any:
        from pinnacle_backup.config.secrets import choose_password

        return choose_password(argument=argument, file=file, environ=environ, key=key)
