"""``drill``: prove that a backup can be restored."""

from __future__ import annotations

from typing import Final

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import complete_backup
from pinnacle_backup.cli.passwords import Passwords, decrypt_options
from pinnacle_backup.errors import ConfigError, UsageError

_RUN: Final = "run"
_GLOBAL: Final = {
    name: not attributes.get("is_flag", False) for names, attributes in group.GLOBAL_OPTIONS for name in names
}
"""The options of every command, and whether they take a value."""


class DrillGroup(group.Group):
    """Commands below ``drill``; without one of them it is ``drill run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` before the first word that is none of ours."""
        place = _first_own(args)
        named = place < len(args) and args[place] in {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if named else [*args[:place], _RUN, *args[place:]])


def _first_own(args: list[str]) -> int:
    """Return the place of the first word that is no option of every command."""
    place = 0
    while place < len(args) and (name := args[place].partition("=")[0]) in _GLOBAL:
        place += 2 if _GLOBAL[name] and "=" not in args[place] else 1
    return min(place, len(args))


@click.group(
    "drill",
    cls=DrillGroup,
    examples=(
        ("Prove that the newest backup can be restored", "drill"),
        ("Another one", "drill backup_20261120_020000"),
        ("The last report: summary, and where the page lies", "drill show"),
        ("Is a report genuine?", "drill check drill_20261120_050000.json"),
    ),
)
def command() -> None:
    """
    Prove that a backup can be restored.

    Restores it into an isolated folder, compares every path with the manifest, checks every database,
    runs your own checks (backup.drill.checks), measures the time, removes the folder, and keeps a signed
    report as JSON and as a page to print.
    """


@command.command(
    _RUN,
    cls=group.Command,
    short_help="Run a drill; `drill` alone does, too.",
    examples=(("The newest", "drill"), ("Any one", "drill --random"), ("A certain one", "drill latest")),
)
@click.argument("name", metavar="[NAME]", required=False, default="", shell_complete=complete_backup)
@click.option("--random", is_flag=True, help="Take any complete backup.")
@decrypt_options
@pass_context
def run(
    context: Context, name: str, random: bool, decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Restore a backup into isolation and check everything: the newest complete one, or the one NAMED.

    Where nobody knows the password of the newest, the newest that opens is taken, with a warning.

    Exits with 0 when it is proven restorable, with 1 when another one had been meant, with 13 when it is
    not, and with 2 when only a check of your own failed; the report names what is wrong.
    """
    if name and random:
        raise UsageError("--random leaves no choice: drop the name", hint="pinnacle-backup drill --random")
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.drills import show_drill
    from pinnacle_backup.cli.progress import progress

    verbs = context.verbs()
    with progress(context) as shown:
        report, page = verbs.drill(name, random=random, passwords=passwords, progress=shown)
    return show_drill(context.out, report, page)


@command.command(
    "list", cls=group.Command, short_help="List all drills.", examples=(("Newest first", "drill list"),)
)
@pass_context
def list_(context: Context) -> int:
    """List all drills, newest first."""
    from pinnacle_backup.cli.drills import show_drills

    verbs = context.verbs()
    return show_drills(context.out, verbs.drills(), verbs.now())


@command.command(
    "show",
    cls=group.Command,
    short_help="Show the report of a drill.",
    examples=(("The last one", "drill show"), ("Another one", "drill show drill_20261120_050000")),
)
@click.argument("id", metavar="[ID]", required=False, default="")
@pass_context
def show(context: Context, id: str) -> int:  # noqa: A002 - click names the argument so
    """Show the report of a drill, the last one or the one named, and where its page lies."""
    from pinnacle_backup.cli.drills import show_report

    verbs = context.verbs()
    found, page = verbs.drill_report(id)
    return show_report(context.out, found, page, verbs.now())


@command.command(
    "check",
    cls=group.Command,
    short_help="Tell whether a report is genuine.",
    examples=(("Was it changed, and who signed it?", "drill check drill_20261120_050000.json"),),
)
@click.argument("file", metavar="FILE", type=click.Path())
@pass_context
def check(context: Context, file: str) -> int:
    """
    Tell whether a report is genuine: unchanged, and signed with this studio's key.

    Exits with 0 when it is, with 1 when another key signed it, with 13 when it was changed. Works
    without a studio, too; then compare the fingerprint with the one that you know.
    """
    from pinnacle_backup.app.drill_reports import check_report, key_path
    from pinnacle_backup.cli.drills import show_genuineness

    try:
        key = key_path(context.studio())
    except ConfigError:
        key = None
    return show_genuineness(context.out, check_report(file, key), file)
