"""``token``: keys for programs that use the server."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.model.permissions import ROLES


@click.group(
    "token",
    cls=group.Group,
    examples=(
        ("For a program that makes backups, for 90 days", "token create --role operator --name deploy"),
        ("Which ones there are", "token list"),
        ("Take one away", "token revoke 3"),
    ),
)
def command() -> None:
    """
    List, make and revoke keys for programs that use the server.

    A program sends its token in a header: Authorization: Bearer TOKEN.
    """


@command.command(
    "create",
    cls=group.Command,
    short_help="Make a token.",
    examples=(
        ("For monitoring, for a year", "token create --role viewer --name prometheus --days 365"),
        ("Into a file", "token create --role operator > token"),
    ),
)
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may.")
@click.option("--name", metavar="TEXT", default="token", show_default=True, help="What it is for.")
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, 365),
    default=90,
    show_default=True,
    help="How long it works.",
)
@click.option("--no-expiry", is_flag=True, help="It works until it is revoked.")
@pass_context
def create(context: Context, role: str, name: str, days: int, no_expiry: bool) -> int:
    """
    Make a token and print it: nothing else, and never again.

    Only its SHA-256 is kept.
    """
    from pinnacle_backup.app.tokens import create_token
    from pinnacle_backup.cli.accounts import who_and_where
    from pinnacle_backup.cli.reports import DONE

    studio, by = who_and_where(context)
    lasting = None if no_expiry else days
    secret, token = create_token(studio, name=name, role=role, days=lasting, owner=None, by=by)
    context.out.json({"secret": secret, "token": token})
    context.out.data(secret)
    return DONE


@command.command("list", cls=group.Command, short_help="List all tokens.", examples=(("All", "token list"),))
@pass_context
def list_(context: Context) -> int:
    """List all tokens, expired ones included; what they are is not shown."""
    from pinnacle_backup.app.tokens import list_tokens
    from pinnacle_backup.cli.accounts import show_tokens

    studio = context.studio()
    return show_tokens(context.out, list_tokens(studio), studio.now())


@command.command(
    "revoke",
    cls=group.Command,
    short_help="Make a token useless.",
    examples=(("One that was seen by others", "token revoke 3"),),
)
@click.argument("number", metavar="N", type=click.IntRange(1))
@pass_context
def revoke(context: Context, number: int) -> int:
    """Make token N of `token list` useless, at once."""
    from pinnacle_backup.app.tokens import revoke_token
    from pinnacle_backup.cli.accounts import who_and_where
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.model.paths import printable

    studio, by = who_and_where(context)
    token = revoke_token(studio, number, by=by)
    context.out.json({"token": token})
    context.out.say(f"Token {token.id} ({printable(token.name)}) works no more.")
    return DONE
