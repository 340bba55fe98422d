"""The verbs, for a studio on another machine: each asks its server, and gives values of the model."""

from __future__ import annotations

from pinnacle_backup.cli.there.looking import Looking
from pinnacle_backup.cli.there.restoring import Restoring
from pinnacle_backup.cli.there.settling import Settling
from pinnacle_backup.cli.there.working import Working


class There(Looking, Working, Restoring, Settling):
    """Asks a server."""
