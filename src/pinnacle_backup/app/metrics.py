"""
Figures for Prometheus, in its text format.

They come from the catalog and the record of runs: no archive is read. What is not known (no verify yet, no
room to measure, a record that cannot be read) has no sample, rather than a zero that would look like a fact.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pinnacle_backup import __version__
from pinnacle_backup.app.facts import Facts, facts_of
from pinnacle_backup.app.health import judge
from pinnacle_backup.app.overdue import overdue_of
from pinnacle_backup.app.status import counts_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.health import CRITICAL, OK, UNKNOWN, WARNING
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, RUNNING, Run
from pinnacle_backup.repository.listing import created_at

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

HEALTH_LEVELS: Final[Mapping[str, int]] = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}
_MODE: Final = 0o644
"""The collector that reads the file is another user."""

Samples = Iterable[tuple[tuple[str, ...], float]]
Metric = tuple[str, str, tuple[str, ...], Samples]
"""Name, what it means, names of the labels, and the samples: values of the labels and the value."""


def exposition(studio: Studio) -> str:
    """Return all metrics as text; see "Text-based format" of the Prometheus documentation."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - slow to import

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(facts_of(studio)))
    return generate_latest(registry).decode()


def write_metrics(studio: Studio, path: str) -> None:
    """
    Write all metrics into a file for a textfile collector, which sees the old or the new file, never a part.

    Args:
        studio: Whose.
        path: The file; collectors read ``*.prom``.

    Raises:
        StoreError: It cannot be written.
    """
    text = exposition(studio).encode()
    partial = f"{path}.{os.getpid()}.partial"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(partial, flags, _MODE), "wb") as file:
                os.fchmod(file.fileno(), _MODE)
                file.write(text)
            os.replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise
    except OSError as error:
        hint = "the folder has to be there, and writable" if isinstance(error, FileNotFoundError) else ""
        raise StoreError(
            f"the metrics cannot be written to {printable(path)}: {error.strerror}", hint=hint
        ) from None


class _Collected:
    """What a registry asks for its metrics."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - slow to import

        for name, meaning, labels, samples in _metrics(self._facts):
            family = GaugeMetricFamily(f"pinnacle_{name}", meaning, labels=labels)
            for values, value in samples:
                family.add_metric(values, value)
            yield family


def _metrics(facts: Facts) -> Iterator[Metric]:
    yield "build_info", "Version of the program; always 1.", ("version",), [((__version__,), 1)]
    level = HEALTH_LEVELS[judge(facts).level]
    yield "health_level", "0 ok, 1 warning, 2 critical, 3 unknown.", (), _one(level)
    yield from _of_backups(facts)
    if facts.destinations:
        yield from _of_destinations(facts)
    yield from _of_space(facts)
    yield from _of_schedule(facts)
    if not facts.state_fault:
        yield from _of_record(facts)


def _of_backups(facts: Facts) -> Iterator[Metric]:
    if facts.store_fault is not None:
        return
    backups, newest = facts.listing.backups, facts.promise.newest
    complete = [info for info in backups if not info.header.safety and not facts.listing.missing(info)]
    last = [
        ((kind,), created_at(info.header).timestamp())
        for kind in (FULL, INCREMENTAL)
        if (info := next((info for info in complete if info.header.type == kind), None)) is not None
    ]
    yield "last_success_timestamp_seconds", "When the newest complete backup was made.", ("type",), last
    age = [] if newest is None else _one((facts.now - created_at(newest.header)).total_seconds())
    yield "backup_age_seconds", "Age of the newest complete backup.", (), age
    counts = [((kind,), count) for kind, count in counts_of(backups).items()]
    yield "backups", "How many backups there are.", ("type",), counts
    yield "unusable_archives", "Archives that cannot be used.", (), _one(len(facts.listing.problems))
    stored = sum(info.stored for info in backups)
    yield "stored_bytes", "Size of all archives.", (), _one(stored)
    size = [] if newest is None else _one(newest.totals.size)
    yield "represented_bytes", "Content that the newest backup restores.", (), size
    verified = _instant(facts.verified)
    yield "last_verify_timestamp_seconds", "When a backup was last verified.", (), verified


def _of_destinations(facts: Facts) -> Iterator[Metric]:
    places = facts.destinations
    there = [((place.name,), place.backups) for place in places]
    yield "destination_backups", "Backups in another place when it was last listed.", ("destination",), there
    stored = [((place.name,), place.stored) for place in places]
    yield "destination_stored_bytes", "Size of the archives there.", ("destination",), stored
    missing = [((place.name,), len(place.missing)) for place in places]
    yield "destination_missing_backups", "Backups that are here and not there.", ("destination",), missing


def _of_space(facts: Facts) -> Iterator[Metric]:
    space = facts.space
    if space is not None:
        yield "free_bytes", "Room for backups that is free.", (), _one(space.free)
        yield "total_bytes", "Room for backups if the disk were empty.", (), _one(space.total)
        full = _instant(space.full_at)
        yield "disk_full_timestamp_seconds", "When the disk is full if it goes on like this.", (), full


def _of_schedule(facts: Facts) -> Iterator[Metric]:
    if facts.store_fault is None:
        late = overdue_of(facts.promise) is not None
        yield "overdue", "1 where a backup that should have been made was not.", (), _one(late)
    runs = facts.scheduler is not None
    yield "scheduler_running", "1 where the scheduler runs.", (), _one(runs)


def _of_record(facts: Facts) -> Iterator[Metric]:
    yield "paused", "1 where nothing starts by itself for now.", (), _one(bool(facts.paused))
    waiting = _one(facts.backlog.count)
    yield "messages_waiting", "Messages that are still to be delivered.", (), waiting
    counts = Counter((run.verb, run.outcome) for run in facts.runs)
    runs = sorted(counts.items())
    yield "runs", "Recorded runs; falls when old ones are dropped.", ("verb", "outcome"), runs
    ended = [((verb,), _end(run)) for verb, run in _last(facts.runs).items()]
    yield "last_run_timestamp_seconds", "When the last run ended, however it did.", ("verb",), ended
    good = [((verb,), _end(run)) for verb, run in _last(facts.runs, good=True).items()]
    yield "last_good_run_timestamp_seconds", "When the last run ended that did not fail.", ("verb",), good
    took = [((verb,), run.seconds) for verb, run in _last(facts.runs).items()]
    yield "run_duration_seconds", "How long the last run took.", ("verb",), took
    drill = _instant(facts.proven.ended if facts.proven else "")
    yield "last_drill_timestamp_seconds", "When a drill last proved a backup restorable.", (), drill
    seconds = [] if facts.proven is None else _one(facts.proven.seconds)
    yield "last_drill_restore_seconds", "How long that restore took.", (), seconds


def _last(runs: Iterable[Run], *, good: bool = False) -> dict[str, Run]:
    """Return the last run of each verb that has ended, or that has ended well."""
    skipped = {RUNNING, *((CANCELLED, *BAD_OUTCOMES) if good else ())}
    found: dict[str, Run] = {}
    for run in runs:
        if run.outcome not in skipped and run.ended:
            found.setdefault(run.verb, run)
    return found


def _end(run: Run) -> float:
    return _instant(run.ended)[0][1]


def _one(value: float) -> list[tuple[tuple[str, ...], float]]:
    return [((), float(value))]


def _instant(iso: str) -> list[tuple[tuple[str, ...], float]]:
    return _one(datetime.fromisoformat(iso).timestamp()) if iso else []
