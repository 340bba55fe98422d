"""
Whether a studio is protected: every question that there is, and the worst answer first.

The one truth behind ``status``, ``status --check``, the metrics, the scheduler's alarm and the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinnacle_backup.app import checks, run_checks
from pinnacle_backup.app.facts import Facts, facts_of
from pinnacle_backup.app.overdue import overdue_of, promise_of, state_in_words
from pinnacle_backup.app.scheduler.lease import scheduler_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.model.health import OK, Check, Health, Overdue, health_of


def studio_health(studio: Studio) -> Health:
    """Return how the studio stands. Runs whose process is gone are marked as killed before."""
    return studio.memory.health.get(
        studio.files, lambda: judge(facts_of(studio)), key=str(scheduler_of(studio))
    )


def overdue(studio: Studio) -> Overdue | None:
    """
    Return the backup that should have been made by now; None where there is none such.

    Raises:
        StoreError: The backups cannot be listed.
    """
    return overdue_of(promise_of(studio, studio.repository.listing()))


def judge(facts: Facts) -> Health:
    """Return what the facts amount to. Pure."""
    return health_of(_checks(facts), protected=_protected(facts))


def _checks(facts: Facts) -> Iterator[Check]:
    """Yield all checks, the most important first: of equally bad ones the first makes the headline."""
    yield checks.backup_check(facts)
    if facts.store_fault is None:
        yield from run_checks.damage_checks(facts)
        yield from checks.drill_checks(facts)
        yield from checks.space_checks(facts)
        yield checks.archive_check(facts)
        yield checks.cleanup_check(facts)
        yield from checks.destination_checks(facts)
    yield from run_checks.run_checks(facts)
    yield checks.scheduler_check(facts)
    if facts.store_fault is None and facts.listing.backups:
        yield checks.verify_check(facts)
    yield checks.message_check(facts)
    yield checks.log_check(facts)
    yield checks.record_check(facts)
    yield from checks.configuration_checks(facts)


def _protected(facts: Facts) -> str:
    verified = checks.verify_check(facts)
    last = f", {verified.sentence}" if verified.level == OK else ""
    return f"{state_in_words(facts.promise)}{last}"
