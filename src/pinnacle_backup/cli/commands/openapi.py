"""``openapi``: the description of the server's API."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command("openapi", examples=(("For a generator of clients", "openapi > openapi.json"),))
@pass_context
def command(context: Context) -> int:
    """Print the description of the server's API (OpenAPI 3.1, JSON)."""
    from pinnacle_backup.web.description import describe
    from pinnacle_backup.web.factory import create_app
    from pinnacle_backup.web.services import Services

    services = Services(place=context.place(), command=context.command, warn=context.out.warn)
    context.out.document(describe(create_app(services)))
    return 0
