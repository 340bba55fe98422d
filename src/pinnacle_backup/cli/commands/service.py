"""``service``: the scheduler, or the server with it, as a service of systemd."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.listening import Asked, listening_options

if TYPE_CHECKING:
    from pinnacle_backup.app.systemctl import Systemd


@click.group(
    "service",
    cls=group.Group,
    examples=(
        ("Backups by themselves, from every start of the machine on", "service install"),
        ("The pages, too", "service install --serve"),
        ("Does it run?", "service status"),
        ("No longer", "service uninstall"),
    ),
)
def command() -> None:
    """
    Run the scheduler, with --serve the whole server, as a service of systemd.

    It starts with the machine, starts again after a crash, and leaves the studio the first place at
    processor and disk. Without systemd: schedule --start-scheduler --daemon.
    """


def _user_option(callback: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--user", is_flag=True, help="A service of yours alone; needs no root.")(callback)


@command.command(
    "install",
    cls=group.Command,
    short_help="Install and start it.",
    examples=(
        ("For the machine, as root", "service install"),
        ("For yourself", "service install --user"),
        ("With the pages, for the network", "service install --serve --host 0.0.0.0 --tls-self-made"),
        ("Only look at the unit", "service install --print"),
    ),
)
@_user_option
@click.option("--serve", is_flag=True, help="The server: pages, API and scheduler in one.")
@listening_options
@click.option("--print", "only_print", is_flag=True, help="Print the unit; change nothing.")
@click.option("--name", metavar="NAME", help="Name of the service; by default after the studio's folder.")
@pass_context
def install(
    context: Context, /, user: bool, serve: bool, only_print: bool, name: str | None, **asked: Any
) -> int:
    """
    Install the service of this studio and start it.

    Once more after an update or a move: a unit that changed is written anew, and the service started again.
    A server stays a server then, with its options; uninstall it first to have the scheduler alone.
    """
    options = _serve_options(Asked(**asked), wanted=serve)
    from pinnacle_backup.app import service
    from pinnacle_backup.app.service_unit import text_of
    from pinnacle_backup.cli.services import show_installed

    place, systemd = context.place(), _systemds(context, user)[0]
    if only_print:
        unit = service.unit_of(place, systemd, _program(context), name, options)
        text = text_of(unit)
        context.out.json(
            {"name": unit.name, "file": os.path.join(systemd.units, unit.file_name), "unit": text}
        )
        context.out.data(text.removesuffix("\n"))
        return 0
    return show_installed(context.out, service.install(place, systemd, _program(context), name, options))


@command.command(
    "uninstall",
    cls=group.Command,
    short_help="Stop and remove it.",
    examples=(("No more backups by themselves", "service uninstall"),),
)
@_user_option
@pass_context
def uninstall(context: Context, user: bool) -> int:
    """Stop the service of this studio, cleanly, and remove it. Backups and configuration stay."""
    from pinnacle_backup.app import service
    from pinnacle_backup.cli.services import show_removed

    return show_removed(context.out, service.uninstall(context.place(), _systemds(context, user)))


@command.command(
    "status",
    cls=group.Command,
    short_help="Tell how it stands.",
    examples=(("Does it run?", "service status"),),
)
@_user_option
@pass_context
def status(context: Context, user: bool) -> int:
    """Tell how the service of this studio stands. Exits with 0 when it runs, with 2 when it does not."""
    from pinnacle_backup.app import service
    from pinnacle_backup.cli.services import show_state

    found = service.state(context.place(), _systemds(context, user), _program(context))
    return show_state(context.out, found)


def _serve_options(asked: Asked, *, wanted: bool) -> tuple[str, ...] | None:
    """Return the options of ``serve``, tried; None where nobody asked for the server."""
    options = asked.words()
    if not wanted:
        if options:
            raise click.UsageError(f"{options[0]} belongs to --serve")
        return None
    asked.listening().encryption()
    return options


def _systemds(context: Context, user: bool) -> list[Systemd]:
    """Return whose services are meant: the machine's and one's own, or only one's own."""
    from pinnacle_backup.app.systemctl import of_the_machine, of_the_user

    own = of_the_user(context.environ)
    return [own] if user else [of_the_machine(context.environ), own]


def _program(context: Context) -> list[str]:
    """Return the words that run this program from anywhere; ``-P``: no module comes from the studio root."""
    if context.home is not None:
        return [sys.executable, os.path.join(context.home, "scripts", "backup_restore.py")]
    return [sys.executable, "-P", "-m", "pinnacle_backup"]
