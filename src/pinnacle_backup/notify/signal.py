"""What a receiver of pings is told of a run."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal["start", "success", "fail", "log"]

BODY_LIMIT: Final = 100_000
"""Bytes of a log that the receiver keeps."""

SECONDS: Final = 10.0
"""How long it has for its answer."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """
    What waits in the outbox for the receiver of pings.

    Attributes:
        kind: What happened.
        run: Number of the run, whose log goes with it; 0 for none.
        run_id: A UUID that tells which start and which end belong together; empty for none.
    """

    kind: Kind
    run: int = 0
    run_id: str = ""
