"""``key``: the passwords of encrypted backups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import complete_backup
from pinnacle_backup.cli.passwords import ASK, Passwords, decrypt_options, file_option, password_option


@click.group(
    "key",
    cls=group.Group,
    examples=(
        ("Which passwords open which backup", "key list"),
        ("A second password, for a colleague", "key add --label anna"),
        ("Another password instead of this one", "key change"),
        ("Take the colleague's away", "key remove anna"),
        ("A sheet of paper for the day when the machine is gone", "key sheet --output sheet.html"),
    ),
)
def command() -> None:
    """
    List, add, change and remove passwords; print the recovery sheet.

    A backup has a master key, locked up in up to eight key slots, one a password. Changing passwords
    changes slots, never the data; archives are only read, for their checksums.
    """


def _names(callback: Callable[..., Any]) -> Callable[..., Any]:
    argument = click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_backup)
    return argument(callback)


def _new_options(callback: Callable[..., Any]) -> Callable[..., Any]:
    new = password_option("--new", "The new password; asks where none is given.")
    return new(file_option("--new-file", "Read the new password from a file.")(callback))


def _new_password(context: Context, new: str | None, new_file: str | None) -> Any:
    """Return the new password: from the option or its file, else from the person, asked twice."""
    source = Passwords(context, (new,) if new else (ASK,), new_file, creating=True, option="--new")
    return source.only_explicit()


@command.command(
    "list",
    cls=group.Command,
    short_help="List the key slots.",
    examples=(("All", "key list"), ("Of one backup", "key list latest")),
)
@_names
@pass_context
def list_(context: Context, names: tuple[str, ...]) -> int:
    """List the key slots of encrypted backups, of all or of those NAMED. Needs no password."""
    from pinnacle_backup.app.keys import list_keys
    from pinnacle_backup.cli.key_table import show_keys

    return show_keys(context.out, list_keys(context.studio(), names))


@command.command(
    "add",
    cls=group.Command,
    short_help="Add a password.",
    examples=(
        ("To every backup that your password opens", "key add --label anna"),
        ("Without questions", "key add --password-file mine --new-file hers"),
    ),
)
@_names
@click.option("--label", metavar="TEXT", default="", help="What the new password is called in `key list`.")
@_new_options
@decrypt_options
@pass_context
def add(
    context: Context,
    names: tuple[str, ...],
    label: str,
    new: str | None,
    new_file: str | None,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """
    Add a password to all backups that a known one opens, or to those NAMED.

    Later backups that are encrypted with a password of these have all of them.
    """
    from pinnacle_backup.app.keys import add_password
    from pinnacle_backup.cli.key_table import show_key_report

    known = Passwords(context, decrypt, password_file)
    wanted = _new_password(context, new, new_file)
    report = add_password(context.studio(), names, passwords=known, new=wanted, label=label)
    return show_key_report(context.out, report, "has one more password", "have one more password")


@command.command(
    "change",
    cls=group.Command,
    short_help="Replace a password.",
    examples=(("Asks for the old one and the new one", "key change"),),
)
@_names
@_new_options
@decrypt_options
@pass_context
def change(
    context: Context,
    names: tuple[str, ...],
    new: str | None,
    new_file: str | None,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """
    Replace a password in all backups that it opens, or in those NAMED.

    The old password is the one given by --decrypt, --password-file or at the question. It opens the
    backups no longer, but for copies of archives that lie elsewhere.
    """
    from pinnacle_backup.app.keys import change_password
    from pinnacle_backup.cli.key_table import show_key_report

    old = Passwords(context, decrypt, password_file)
    wanted = _new_password(context, new, new_file)
    report = change_password(context.studio(), names, passwords=old, new=wanted)
    return show_key_report(context.out, report, "has the new password", "have the new password")


@command.command(
    "remove",
    cls=group.Command,
    short_help="Remove a password.",
    examples=(("The one labelled anna", "key remove anna"),),
)
@click.argument("slot", metavar="LABEL|NUMBER")
@_names
@decrypt_options
@pass_context
def remove(
    context: Context, slot: str, names: tuple[str, ...], decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Remove a password from all backups, or from those NAMED.

    Which one is said by its label or by its number in `key list`. A known password is asked for first,
    so that nobody removes the only one that is still remembered.
    """
    from pinnacle_backup.app.keys import remove_password
    from pinnacle_backup.cli.key_table import show_key_report

    known = Passwords(context, decrypt, password_file)
    report = remove_password(context.studio(), names, passwords=known, slot=slot)
    return show_key_report(context.out, report, "has lost it", "have lost it")


@command.command(
    "sheet",
    cls=group.Command,
    short_help="Make the recovery sheet, to print.",
    examples=(
        ("To print from a browser: one page of A4", "key sheet --output sheet.html"),
        ("For a printer that takes text", "key sheet --text | lpr"),
    ),
)
@click.option("--output", "-o", metavar="FILE", help="Write it to a file: HTML, or text with --text or .txt.")
@click.option("--text", is_flag=True, help="Plain text instead of HTML; what is printed without --output.")
@pass_context
def sheet(context: Context, output: str | None, text: bool) -> int:
    """
    Make the recovery sheet: on one page what it takes to get everything back when the machine is gone.

    Where the backups lie, what opens them, and the commands to type. It holds no password and no key: those
    are written on it by hand, or kept elsewhere. Print it again when a place or a password has changed.
    """
    from pinnacle_backup.app.recovery.sheet import recovery_sheet
    from pinnacle_backup.cli.sheets import show_sheet

    return show_sheet(context.out, recovery_sheet(context.studio()), output or "", as_text=text)
