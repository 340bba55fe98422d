"""``serve``: pages, API and scheduler."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "serve",
    examples=(
        ("On this machine", "serve"),
        ("For the network", "serve --host 0.0.0.0 --tls-certificate cert.pem --tls-key key.pem"),
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port.")
@click.option(
    "--tls-certificate", "certificate", metavar="FILE", default="", help="Encrypt: certificate, PEM."
)
@click.option("--tls-key", "key", metavar="FILE", default="", help="Key of the certificate.")
@click.option("--allow-host", "names", metavar="NAME", multiple=True, help="Another name of this server.")
@click.option("--plain-http", is_flag=True, help="Do not encrypt: a proxy in front does.")
@pass_context
def command(
    context: Context,
    host: str,
    port: int,
    certificate: str,
    key: str,
    names: tuple[str, ...],
    plain_http: bool,
) -> int:
    """
    Serve the pages and the API, and be the scheduler.

    Listens on this machine only, unless the connection is encrypted. There is no default password:
    the first start prints a token that creates the first administrator.
    """
    from pinnacle_backup.cli.serving import serve

    return serve(
        context, host=host, port=port, certificate=certificate, key=key, names=names, plain=plain_http
    )
