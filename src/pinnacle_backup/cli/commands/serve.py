"""``serve``: pages, API and scheduler."""

from __future__ import annotations

from typing import Any

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.listening import Asked, listening_options


@group.command(
    "serve",
    examples=(
        ("On this machine", "serve"),
        ("For the network, with a certificate of its own", "serve --host 0.0.0.0 --tls-self-made"),
        (
            "Behind a proxy on this machine that encrypts",
            "serve --behind-proxy 127.0.0.1 --allow-host backup.example.org",
        ),
        ("In the background, and its end", "serve --daemon"),
        ("", "serve --stop"),
    ),
)
@listening_options
@click.option("--daemon", is_flag=True, help="In the background.")
@click.option("--stop", is_flag=True, help="End the server.")
@pass_context
def command(context: Context, /, daemon: bool, stop: bool, **asked: Any) -> int:
    """
    Serve the pages and the API, and be the scheduler.

    Listens on this machine only, unless the connection is encrypted. There is no default password:
    the first start prints a token that creates the first administrator.
    """
    if stop and daemon:
        raise click.UsageError("--stop and --daemon contradict each other")
    from pinnacle_backup.cli import serving

    if stop:
        return serving.stop(context)
    wanted = Asked(**asked)
    choice = serving.Choice(listening=wanted.listening(), self_made=wanted.self_made)
    return serving.serve_in_background(context, choice) if daemon else serving.serve(context, choice)
