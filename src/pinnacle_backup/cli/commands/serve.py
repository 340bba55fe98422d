"""``serve``: pages, API and scheduler."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


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
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port.")
@click.option("--tls-self-made", "self_made", is_flag=True, help="Encrypt with a certificate of its own.")
@click.option(
    "--tls-certificate", "certificate", metavar="FILE", default="", help="Encrypt: certificate, PEM."
)
@click.option("--tls-key", "key", metavar="FILE", default="", help="Its key, unless it is in the same file.")
@click.option("--allow-host", "names", metavar="NAME", multiple=True, help="Another name of this server.")
@click.option("--plain-http", is_flag=True, help="Do not encrypt: a proxy in front does.")
@click.option(
    "--behind-proxy",
    "proxies",
    metavar="ADDRESS",
    multiple=True,
    help="Believe X-Forwarded-For, -Proto and -Host of this proxy, or network; none by default.",
)
@click.option("--daemon", is_flag=True, help="In the background.")
@click.option("--stop", is_flag=True, help="End the server.")
@pass_context
def command(
    context: Context,
    host: str,
    port: int,
    self_made: bool,
    certificate: str,
    key: str,
    names: tuple[str, ...],
    plain_http: bool,
    proxies: tuple[str, ...],
    daemon: bool,
    stop: bool,
) -> int:
    """
    Serve the pages and the API, and be the scheduler.

    Listens on this machine only, unless the connection is encrypted. There is no default password:
    the first start prints a token that creates the first administrator.
    """
    if self_made and certificate:
        raise click.UsageError("--tls-self-made and --tls-certificate contradict each other")
    if key and not certificate:
        raise click.UsageError("--tls-key belongs to --tls-certificate")
    if stop and daemon:
        raise click.UsageError("--stop and --daemon contradict each other")
    from pinnacle_backup.cli import serving
    from pinnacle_backup.web.listening import Listening
    from pinnacle_backup.web.proxies import networks_of

    if stop:
        return serving.stop(context)
    listening = Listening(
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        names=names,
        plain=plain_http,
        proxies=networks_of(proxies),
    )
    choice = serving.Choice(listening=listening, self_made=self_made)
    return serving.serve_in_background(context, choice) if daemon else serving.serve(context, choice)
