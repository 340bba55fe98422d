"""``--server``: leads to a server, and says what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pinnacle_backup import __version__
from pinnacle_backup.cli.output import PROGRAM
from pinnacle_backup.cli.there import There
from pinnacle_backup.errors import UsageError
from pinnacle_backup.remote.address import parse_address
from pinnacle_backup.remote.client import Client
from pinnacle_backup.remote.connection import Connector
from pinnacle_backup.remote.token import find_token

if TYPE_CHECKING:
    from pinnacle_backup.cli.context import Context
    from pinnacle_backup.cli.verbs import Verbs

WORKS: Final = (
    "create list restore undo show ls find diff status runs verify drill cleanup delete pin unpin export "
    "audit notify, and schedule with --pause, --resume and --run-now"
)


def there(context: Context) -> Verbs:
    """
    Return the verbs of the server that the options name.

    Raises:
        UsageError: The address or the token is none, or they would not be safe.
        NotAuthenticated: There is no token.
    """
    address = parse_address(context.server)
    token = find_token(context.settings.token_file, context.environ)
    connector = Connector(
        address=address, token=token, ca_file=context.settings.ca_file, agent=f"{PROGRAM}/{__version__}"
    )
    return There(Client(connector, __version__), context)


def only_here() -> UsageError:
    """Return the error for a command that works on the studio's own machine only."""
    asked = click.get_current_context(silent=True)
    words = asked.command_path.split(" ", 1)[-1] if asked else "this"
    return UsageError(
        f"`{words}` works on the studio's own machine only, not with a server", hint=f"with one: {WORKS}"
    )
