"""``user``: who may use the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.passwords import file_option
from pinnacle_backup.model.permissions import ROLES

_ROLE = click.Choice(ROLES)


@click.group(
    "user",
    cls=group.Group,
    examples=(
        ("Who is there", "user list"),
        ("A colleague who makes backups, but restores and deletes nothing", "user add anna --role operator"),
        ("A forgotten password", "user password anna"),
        ("Somebody has left", "user disable anna"),
    ),
)
def command() -> None:
    """
    List, add, change and remove the users of the server.

    An administrator may everything. An operator makes and verifies backups, but neither restores, deletes
    nor changes settings. A viewer looks.
    """


def _name(callback: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("name", metavar="NAME")(callback)


@command.command("list", cls=group.Command, short_help="List all users.", examples=(("All", "user list"),))
@pass_context
def list_(context: Context) -> int:
    """List all users."""
    from pinnacle_backup.app.accounts import list_users
    from pinnacle_backup.cli.accounts import show_users

    studio = context.studio()
    return show_users(context.out, list_users(studio), studio.now())


@command.command(
    "add",
    cls=group.Command,
    short_help="Add a user.",
    examples=(
        ("Asks for the password", "user add anna --role operator"),
        ("Without questions", "user add anna --role viewer --password-file hers"),
    ),
)
@_name
@click.option("--role", type=_ROLE, required=True, help="What the user may.")
@file_option()
@pass_context
def add(context: Context, name: str, role: str, password_file: str | None) -> int:
    """Add the user NAME. The password is asked for twice, or read from a file."""
    from pinnacle_backup.app.accounts import add_user
    from pinnacle_backup.cli.accounts import new_password, show_user, who_and_where
    from pinnacle_backup.crypto.login_password import LoginPasswords

    studio, by = who_and_where(context)
    password = new_password(context, name, password_file)
    user = add_user(studio, LoginPasswords(), name, role, password, by=by)
    return show_user(context.out, user, f"{user.name} may log in as {user.role}.")


@command.command(
    "role",
    cls=group.Command,
    short_help="Give a user another role.",
    examples=(("One more who may everything", "user role anna administrator"),),
)
@_name
@click.argument("role", metavar="ROLE", type=_ROLE)
@pass_context
def role(context: Context, name: str, role: str) -> int:
    """Give the user NAME another ROLE: administrator, operator or viewer. It holds at once."""
    from pinnacle_backup.app.accounts import change_role
    from pinnacle_backup.cli.accounts import show_user, who_and_where

    studio, by = who_and_where(context)
    user = change_role(studio, name, role, by=by)
    return show_user(context.out, user, f"{user.name} is {user.role} now.")


@command.command(
    "password",
    cls=group.Command,
    short_help="Give a user another password.",
    examples=(("Asks for it", "user password anna"),),
)
@_name
@file_option()
@pass_context
def password(context: Context, name: str, password_file: str | None) -> int:
    """Give the user NAME another password. All sessions of that user end."""
    from pinnacle_backup.app.accounts import find_user, set_password
    from pinnacle_backup.cli.accounts import new_password, show_user, who_and_where
    from pinnacle_backup.crypto.login_password import LoginPasswords

    studio, by = who_and_where(context)
    find_user(studio, name)
    new = new_password(context, name, password_file)
    user = set_password(studio, LoginPasswords(), name, new, by=by)
    return show_user(context.out, user, f"{user.name} has the new password; all sessions have ended.")


@command.command(
    "disable",
    cls=group.Command,
    short_help="Lock a user out.",
    examples=(("Somebody has left", "user disable anna"),),
)
@_name
@pass_context
def disable(context: Context, name: str) -> int:
    """Lock the user NAME out: no login, no session and no token works until `user enable`."""
    from pinnacle_backup.app.accounts import disable_user
    from pinnacle_backup.cli.accounts import show_user, who_and_where

    studio, by = who_and_where(context)
    user = disable_user(studio, name, by=by)
    return show_user(context.out, user, f"{user.name} is locked out.")


@command.command(
    "enable",
    cls=group.Command,
    short_help="Let a user in again.",
    examples=(("Somebody is back", "user enable anna"),),
)
@_name
@pass_context
def enable(context: Context, name: str) -> int:
    """Let the user NAME in again."""
    from pinnacle_backup.app.accounts import enable_user
    from pinnacle_backup.cli.accounts import show_user, who_and_where

    studio, by = who_and_where(context)
    user = enable_user(studio, name, by=by)
    return show_user(context.out, user, f"{user.name} may log in again.")


@command.command(
    "remove",
    cls=group.Command,
    short_help="Remove a user.",
    examples=(("With all sessions and tokens", "user remove anna"),),
)
@_name
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_context
def remove(context: Context, name: str, yes: bool) -> int:
    """Remove the user NAME with all sessions and tokens. The audit trail keeps what was done."""
    from pinnacle_backup.app.accounts import find_user, remove_user
    from pinnacle_backup.cli.accounts import show_user, who_and_where

    studio, by = who_and_where(context)
    found = find_user(studio, name)
    if not yes:
        context.confirm(f"Remove {found.name} ({found.role})?", instead="--yes")
    user = remove_user(studio, name, by=by)
    return show_user(context.out, user, f"{user.name} was removed.")


@command.command(
    "sessions",
    cls=group.Command,
    short_help="List who is logged in.",
    examples=(("Everybody", "user sessions"), ("One user", "user sessions anna")),
)
@click.argument("name", metavar="[NAME]", required=False)
@pass_context
def sessions(context: Context, name: str | None) -> int:
    """List the sessions of all users, or of the user NAME."""
    from pinnacle_backup.app.accounts import find_user
    from pinnacle_backup.app.sessions import list_sessions
    from pinnacle_backup.cli.accounts import show_sessions

    studio = context.studio()
    found = list_sessions(studio, find_user(studio, name) if name else None)
    return show_sessions(context.out, found, studio.now())


@command.command(
    "revoke-sessions",
    cls=group.Command,
    short_help="Log a user out everywhere.",
    examples=(("A laptop was lost", "user revoke-sessions anna"),),
)
@_name
@pass_context
def revoke_sessions(context: Context, name: str) -> int:
    """Log the user NAME out everywhere."""
    from pinnacle_backup.app import sessions as use_cases
    from pinnacle_backup.cli.accounts import who_and_where
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.cli.text import counted

    studio, by = who_and_where(context)
    ended = use_cases.revoke_sessions(studio, name, by=by)
    context.out.json({"user": name, "ended": ended})
    context.out.say(f"{counted(ended, 'session')} of {name} ended.")
    return DONE


@command.command(
    "totp",
    cls=group.Command,
    short_help="Switch a second factor on or off.",
    examples=(
        ("Codes of an authenticator app, beside the password", "user totp on anna"),
        ("The phone was lost, and the recovery codes as well", "user totp off anna"),
    ),
)
@click.argument("state", metavar="on|off", type=click.Choice(["on", "off"]))
@_name
@pass_context
def totp(context: Context, state: str, name: str) -> int:
    """Switch the second factor of the user NAME on or off: codes of an authenticator app (RFC 6238)."""
    from pinnacle_backup.cli.second_factor import switch_off, switch_on

    return switch_on(context, name) if state == "on" else switch_off(context, name)


@command.command(
    "setup-token",
    cls=group.Command,
    short_help="Print the token for the first start.",
    examples=(("The one that the server printed is lost", "user setup-token"),),
)
@pass_context
def setup_token(context: Context) -> int:
    """
    Print the token with which the browser makes the first administrator.

    It is good for 24 hours and for once. Those printed before are no good any more.
    """
    from pinnacle_backup.app.setup import new_setup_token
    from pinnacle_backup.cli.reports import DONE

    token = new_setup_token(context.studio())
    context.out.json({"setup_token": token})
    context.out.data(token)
    return DONE
