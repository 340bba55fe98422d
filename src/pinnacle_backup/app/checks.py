"""The questions that a studio's health is made of, each a pure function of the facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.app.facts import Facts
from pinnacle_backup.app.overdue import overdue_of, state_in_words
from pinnacle_backup.app.space import days_until
from pinnacle_backup.app.spans import since, span
from pinnacle_backup.model.drills import PROVEN
from pinnacle_backup.model.health import CRITICAL, OK, UNKNOWN, WARNING, Check, Space
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.words import counted, size

VERIFY_AFTER: Final = timedelta(days=30)
WARN_PERCENT, CRITICAL_PERCENT = 10.0, 2.0
WARN_DAYS, CRITICAL_DAYS = 14.0, 3.0
LATE_COPY: Final = timedelta(hours=3)
"""A copy that is missing for longer was tried in vain a few times."""
_UNDELIVERED: Final = timedelta(hours=1)
"""A message that waits for so long is not on its way any more, whatever it waits for."""


def backup_check(facts: Facts) -> Check:
    """Is there a backup of when there should be one?"""
    name, promise = "backup", facts.promise
    if facts.store_fault is not None:
        return Check(
            name=name, level=CRITICAL, sentence=facts.store_fault.message, advice=facts.store_fault.hint
        )
    if promise.newest is None:
        return Check(
            name=name, level=CRITICAL, sentence=state_in_words(promise), advice="pinnacle-backup create"
        )
    if not facts.configuration.backup.enabled:
        return Check(
            name=name,
            level=CRITICAL,
            sentence="backups are switched off",
            advice="set backup.enabled to true in config.json",
        )
    late = overdue_of(promise)
    if late is not None:
        advice = "pinnacle-backup create; why it was not made: pinnacle-backup runs"
        return Check(name=name, level=CRITICAL, sentence=late.sentence, advice=advice)
    return Check(name=name, level=OK, sentence=state_in_words(promise))


def archive_check(facts: Facts) -> Check:
    """Can every archive be used?"""
    problems = facts.listing.problems
    if not problems:
        return Check(name="archives", level=OK, sentence="every archive can be used")
    more = f", nor can {counted(len(problems) - 1, 'other')}" if problems[1:] else ""
    first = f"{printable(problems[0].path)} cannot be used ({problems[0].reason}){more}"
    advice = "bring a good copy of it back, or delete it"
    return Check(name="archives", level=WARNING, sentence=first, advice=advice)


def cleanup_check(facts: Facts) -> Check:
    """May cleanup delete, or does something look wrong?"""
    if not facts.suspended:
        return Check(name="cleanup", level=OK, sentence="cleanup may delete what retention does not keep")
    what, _, advice = facts.suspended.partition("; ")
    return Check(name="cleanup", level=WARNING, sentence=f"cleanup deletes nothing: {what}", advice=advice)


def scheduler_check(facts: Facts) -> Check:
    """Is there somebody who does what should happen by itself?"""
    name = "scheduler"
    if not facts.jobs:
        return Check(name=name, level=OK, sentence="nothing is scheduled")
    if facts.scheduler is None and facts.stopped is not None:
        who = printable(facts.stopped.by) or "somebody"
        return Check(
            name=name,
            level=WARNING,
            sentence=f"nothing happens by itself: {who} stopped the scheduler"
            f" {span(since(facts.stopped.since, facts.now))} ago",
            advice="start it on the dashboard, or: pinnacle-backup schedule --start-scheduler --daemon",
        )
    if facts.scheduler is None:
        return Check(
            name=name,
            level=WARNING,
            sentence="nothing happens by itself: the scheduler does not run",
            advice="pinnacle-backup schedule --start-scheduler --daemon, "
            "or for good: pinnacle-backup service install",
        )
    if facts.paused:
        until = "" if facts.paused == "for ever" else f" until {_local(facts.paused)}"
        sentence = f"the scheduler pauses{until}: nothing starts by itself"
        return Check(name=name, level=WARNING, sentence=sentence, advice="pinnacle-backup schedule --resume")
    return Check(name=name, level=OK, sentence=f"the scheduler runs as process {facts.scheduler.pid}")


def verify_check(facts: Facts) -> Check:
    """Was a backup read back lately?"""
    read_back = max(facts.verified, facts.proven.ended if facts.proven else "")
    advice = "pinnacle-backup verify latest"
    if not read_back:
        return Check(name="verify", level=WARNING, sentence="no backup was ever verified", advice=advice)
    ago = since(read_back, facts.now)
    if ago > VERIFY_AFTER:
        sentence = f"nothing was verified for {span(ago)}"
        return Check(name="verify", level=WARNING, sentence=sentence, advice=advice)
    how = "verify" if read_back == facts.verified else "drill"
    return Check(name="verify", level=OK, sentence=f"the last {how} was {span(ago)} ago")


def drill_checks(facts: Facts) -> Iterator[Check]:
    """Were backups restored for real lately? Asked where drills are scheduled, or were ever run."""
    name, advice = "drill", "pinnacle-backup drill"
    if facts.drill is None and not any(job.run == "drill" for job in facts.jobs):
        return
    if facts.drill is not None and facts.drill.outcome != PROVEN:
        ago = span(since(facts.drill.ended, facts.now))
        sentence = f"the drill of {printable(facts.drill.backup)} failed {ago} ago"
        hint = f"what failed: pinnacle-backup drill show; once more: {advice}"
        yield Check(name=name, level=CRITICAL, sentence=sentence, advice=hint)
    elif facts.proven is None:
        yield Check(name=name, level=WARNING, sentence="no drill was ever run", advice=advice)
    else:
        limit = facts.configuration.backup.drill.max_age_days
        age = since(facts.proven.ended, facts.now)
        level = WARNING if limit and age > timedelta(days=limit) else OK
        sentence = f"a backup was last proven to restore {span(age)} ago"
        yield Check(name=name, level=level, sentence=sentence, advice=advice if level == WARNING else "")


def space_checks(facts: Facts) -> Iterator[Check]:
    """Is there room for the next backups?"""
    space = facts.space
    if space is None:
        return
    days = days_until(space, facts.now)
    levels = ((CRITICAL, CRITICAL_PERCENT, CRITICAL_DAYS), (WARNING, WARN_PERCENT, WARN_DAYS))
    level = OK
    for worse, percent, until in levels:
        if space.percent < percent or (days is not None and days < until):
            level = worse
            break
    advice = "make room: pinnacle-backup cleanup, fewer days in backup.retention_days, or a larger disk"
    yield Check(
        name="space",
        level=level,
        sentence=f"{percent_words(space)} of the room for backups is free ({size(space.free)})"
        f"{full_words(space, facts.now, ', ')}",
        advice=advice if level != OK else "",
    )


def destination_checks(facts: Facts) -> Iterator[Check]:
    """Is every backup in the other places where it belongs?"""
    for place in facts.destinations:
        if not place.automatic:
            continue
        where = f"{printable(place.name)} ({printable(place.address)})"
        late = place.oldest_missing and since(place.oldest_missing, facts.now)
        if late and late > LATE_COPY:
            count = counted(len(place.missing), "backup")
            sentence = f"{count} not in {where}, the oldest for {span(late)}"
            yield Check(
                name="copies",
                level=WARNING,
                sentence=sentence,
                advice=f"pinnacle-backup copy --to {place.name}",
            )
        else:
            yield Check(name="copies", level=OK, sentence=f"{counted(place.backups, 'backup')} in {where}")


def message_check(facts: Facts) -> Check:
    """Do messages reach those who are to be told?"""
    backlog = facts.backlog
    stuck = backlog.error or (backlog.oldest and since(backlog.oldest, facts.now) > _UNDELIVERED)
    if not backlog.count or not stuck:
        return Check(name="notifications", level=OK, sentence="no message waits")
    waits = f"{counted(backlog.count, 'message')} {'waits' if backlog.count == 1 else 'wait'} to be delivered"
    return Check(
        name="notifications",
        level=WARNING,
        sentence=f"{waits}{': ' if backlog.error else ''}{printable(backlog.error)}",
        advice="pinnacle-backup notify test",
    )


def log_check(facts: Facts) -> Check:
    """Can the logs be written?"""
    if not facts.log_fault:
        return Check(name="logs", level=OK, sentence="the logs can be written")
    sentence = f"the logs cannot be written: {facts.log_fault}"
    return Check(name="logs", level=WARNING, sentence=sentence, advice="see logging.directory in config.json")


def record_check(facts: Facts) -> Check:
    """Can the record of runs be read?"""
    if not facts.state_fault:
        return Check(name="record", level=OK, sentence="the record of runs can be read")
    sentence = f"how runs, drills and messages went cannot be told: {facts.state_fault}"
    return Check(name="record", level=UNKNOWN, sentence=sentence, advice="see who may read and write it")


def configuration_checks(facts: Facts) -> Iterator[Check]:
    """Does the configuration leave something to be desired?"""
    for warning in facts.configuration.warnings:
        yield Check(
            name="configuration", level=WARNING, sentence=warning, advice="pinnacle-backup config check"
        )
    if not facts.configuration.warnings:
        yield Check(name="configuration", level=OK, sentence="the configuration is right")


def percent_words(space: Space) -> str:
    """Return ``62 %``, or ``1.4 %`` where it matters."""
    return f"{space.percent:.1f} %" if space.percent < WARN_PERCENT else f"{space.percent:.0f} %"


def full_words(space: Space, now: datetime, before: str = "") -> str:
    """Return ``full in about 40 days (2 January)``; empty where that cannot be told."""
    days = days_until(space, now)
    if days is None:
        return ""
    day = (now + timedelta(days=days)).astimezone(now.tzinfo)
    year = f" {day.year}" if day.year != now.year and days > 60 else ""
    about = span(timedelta(days=days))
    return f"{before}full in about {about} ({day.day} {day:%B}{year})"


def _local(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M}"
