"""Starts the server and says where it is; ends it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec

from pinnacle_backup.app.serving import server_lease, server_of, stop_server
from pinnacle_backup.app.setup import is_set_up, new_setup_token
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.web.listening import Listening


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """
    How to serve.

    Attributes:
        listening: Where.
        self_made: Whether to encrypt with a certificate of our own.
    """

    listening: Listening
    self_made: bool


def serve(context: Context, choice: Choice) -> int:
    """Serve until Ctrl-C."""
    listening, mark = _encrypted(context, choice)

    def ready() -> None:
        _announce(context, listening, mark)
        context.out.say("Ctrl-C ends it.")
        context.out.flush()

    with suppress(KeyboardInterrupt):
        _serve(context, listening, warn=context.out.warn, ready=ready)
    return DONE


def serve_in_background(context: Context, choice: Choice) -> int:
    """Start the server in the background, and return when browsers can come."""
    from pinnacle_backup.app.daemon import run_detached

    listening, mark = _encrypted(context, choice)
    studio = context.studio()
    studio.state.close()

    def start(ready: Callable[[], None]) -> int:
        with suppress(KeyboardInterrupt):
            _serve(context, listening, warn=studio.log.warning, ready=ready)
        return DONE

    pid = run_detached(start, studio=studio)
    _announce(context, listening, mark, pid=pid)
    context.out.say(
        context.out.as_called("It goes on in the background: pinnacle-backup serve --stop ends it.")
    )
    return DONE


def stop(context: Context) -> int:
    """End the server."""
    holder = stop_server(context.studio())
    context.out.result(DONE, {"stopped": None if holder is None else holder.pid})
    context.out.say(
        "No server runs." if holder is None else f"The server (process {holder.pid}) has stopped."
    )
    return DONE


def _encrypted(context: Context, choice: Choice) -> tuple[Listening, str]:
    """Return where to listen, with a certificate, and its fingerprint if it is of our own making."""
    if not choice.self_made:
        return choice.listening, ""
    from dataclasses import replace

    from pinnacle_backup.app.certificates import own_certificate

    path, mark = own_certificate(context.studio(), choice.listening.called)
    return replace(choice.listening, certificate=path), mark


def _serve(
    context: Context, listening: Listening, *, warn: Callable[[str], None], ready: Callable[[], None]
) -> None:
    from pinnacle_backup.app import systemd
    from pinnacle_backup.web.server import serve as serve_pages

    def up() -> None:
        ready()
        systemd.notify(context.environ, systemd.READY, systemd.status(f"serves {listening.url}"))

    def alive() -> None:
        systemd.notify(context.environ, systemd.ALIVE)

    with server_lease(context.studio(), listening.url):
        serve_pages(context.place(), listening, warn=warn, ready=up, alive=alive)


def _announce(context: Context, listening: Listening, mark: str, *, pid: int = 0) -> None:
    """Say where the server is; at the first start also what lets the first administrator in."""
    studio, out = context.studio(), context.out
    token = "" if is_set_up(studio) else new_setup_token(studio)
    setup = f"{listening.url}/setup#token={token}" if token else ""
    holder = server_of(studio)
    out.json(
        {
            "url": listening.url,
            "pid": pid or (holder.pid if holder else 0),
            "fingerprint": mark,
            "setup_token": token,
            "setup_url": setup,
        }
    )
    out.data(f"Pinnacle Backup is at {listening.url}")
    if mark:
        out.data(f"Its certificate is self-made; SHA-256 {mark}")
    if setup:
        out.data(f"First start: {setup}")
