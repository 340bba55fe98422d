"""``config``: check or show the configuration."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@click.group(
    "config",
    cls=group.Group,
    examples=(
        ("Is it right?", "config check"),
        ("What is in force, defaults and environment included", "config show"),
        ("Change a value", "config set backup.retention_days=60"),
        ("For an editor", "config schema > config.schema.json"),
    ),
)
def command() -> None:
    """Check or show the configuration, or change it."""


@command.command(
    "check",
    cls=group.Command,
    short_help="Tell whether the configuration is right.",
    examples=(("Is it right?", "config check"),),
)
@pass_context
def check(context: Context) -> int:
    """
    Check the configuration.

    Exits with 3 when it is wrong, and says at which key, what was expected and what was found.
    """
    from pinnacle_backup.app.configuration import check_configuration
    from pinnacle_backup.cli.reports import DONE, WARNINGS
    from pinnacle_backup.model.paths import printable

    found = check_configuration(context.place())
    out = context.out
    out.json(found)
    if not out.as_json:
        for warning in found.warnings:
            out.warn(warning)
    out.say(f"{printable(found.file)} is {out.style('right', 'good')}")
    return WARNINGS if found.warnings else DONE


@command.command(
    "show",
    cls=group.Command,
    short_help="Show the configuration in force.",
    examples=(("One value", "config show | jq .backup.paths"),),
)
@pass_context
def show(context: Context) -> int:
    """Show the configuration in force as JSON: file, defaults and environment; secrets are masked."""
    from pinnacle_backup.app.configuration import shown_configuration

    context.out.document(shown_configuration(context.place()))
    return 0


@command.command(
    "set",
    cls=group.Command,
    short_help="Change settings.",
    examples=(
        ("A number, and a list", """config set backup.retention_days=60 backup.exclude='["*.tmp"]'"""),
        ("Whose password, without it in the history", "config set notifications.smtp.password=-"),
    ),
)
@click.argument("changes", metavar="KEY=VALUE", nargs=-1, required=True)
@pass_context
def set_(context: Context, changes: tuple[str, ...]) -> int:
    """
    Change settings in config.json: all of them, or none; everything else in the file stays as it is.

    KEY is a path such as backup.retention_days. VALUE is JSON, or a text as it is. For a secret it can be -,
    which asks for it. `config show` lists all keys, docs/reference/configuration.md says what they mean.
    """
    from pinnacle_backup.cli.configuring import change

    return change(context, changes)


@command.command(
    "schema",
    cls=group.Command,
    short_help="Print its JSON Schema.",
    examples=(("For an editor", "config schema"),),
)
@pass_context
def schema(context: Context) -> int:
    """Print the JSON Schema of config.json, with which editors check and complete it."""
    from pinnacle_backup.app.configuration import configuration_schema

    context.out.document(configuration_schema())
    return 0
