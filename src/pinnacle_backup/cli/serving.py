"""Starts the server and says where it is."""

from __future__ import annotations

from contextlib import suppress

from pinnacle_backup.app.setup import is_set_up, new_setup_token
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.web.server import Listening
from pinnacle_backup.web.server import serve as serve_pages


def serve(
    context: Context,
    *,
    host: str,
    port: int,
    certificate: str,
    key: str,
    names: tuple[str, ...],
    plain: bool,
) -> int:
    """Serve until Ctrl-C."""
    listening = Listening(host=host, port=port, certificate=certificate, key=key, names=names, plain=plain)
    studio = context.studio()

    def ready() -> None:
        context.out.json({"url": listening.url})
        context.out.data(f"Pinnacle Backup is at {listening.url}")
        if not is_set_up(studio):
            context.out.data(f"First start: {listening.url}/setup with the token {new_setup_token(studio)}")
        context.out.say("Ctrl-C ends it.")
        context.out.flush()

    with suppress(KeyboardInterrupt):
        serve_pages(context.place(), listening, warn=context.out.warn, ready=ready)
    return DONE
