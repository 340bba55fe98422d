"""How far the scheduler got with a job."""

from __future__ import annotations

from datetime import datetime

import msgspec


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far the scheduler got with one job. All times are UTC.

    Attributes:
        settled: All slots up to here are done with; None for a job that was never seen.
        slot: The slot in hand, started or waiting for another attempt; None where there is none.
        attempt: How many attempts at that slot were begun.
        not_before: The next attempt waits until then; None where it waits for nothing.
    """

    settled: datetime | None = None
    slot: datetime | None = None
    attempt: int = 0
    not_before: datetime | None = None
