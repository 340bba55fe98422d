"""Times as people write them; pages understand the same words, see ``app.moments``."""

from __future__ import annotations

from pinnacle_backup.app.moments import parse_moment

__all__ = ["parse_moment"]
