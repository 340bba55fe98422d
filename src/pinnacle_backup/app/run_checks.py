"""What the record of runs says about a studio's health."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from pinnacle_backup.app.facts import Facts
from pinnacle_backup.app.failures import backup_of, damaged, failures
from pinnacle_backup.app.spans import since, span
from pinnacle_backup.model.health import CRITICAL, OK, WARNING, Check
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import KILLED, Run

_LONG: Final = timedelta(days=1)
"""A run that takes longer hangs, as far as anybody can tell."""

_SHOWN: Final = 5
"""How many failures are told one by one."""


def damage_checks(facts: Facts) -> Iterator[Check]:
    """Did a verify or a drill find a backup damaged?"""
    names = {info.name for info in facts.listing.backups}
    for run in damaged(facts.runs, names):
        name = printable(backup_of(run))
        ago = span(since(run.ended or run.started, facts.now))
        yield Check(
            name="damage",
            level=CRITICAL,
            sentence=f"{name} is damaged: {run.verb} found it {ago} ago",
            advice=f"pinnacle-backup create; what is damaged: pinnacle-backup runs show {run.id}",
        )


def run_checks(facts: Facts) -> Iterator[Check]:
    """Did the last run of everything go well, and do those end that go on?"""
    bad = list(failures(facts.runs, jobs={job.name for job in facts.jobs}, now=facts.now))
    for run in bad[:_SHOWN]:
        advice = printable(run.hint) or f"pinnacle-backup runs show {run.id}"
        yield Check(name="runs", level=WARNING, sentence=_failed(run, facts), advice=advice)
    if bad[_SHOWN:]:
        sentence = f"{len(bad) - _SHOWN} more kinds of runs did not end well"
        yield Check(name="runs", level=WARNING, sentence=sentence, advice="pinnacle-backup runs")
    for run in facts.running:
        took = since(run.started, facts.now)
        if took > _LONG:
            sentence = f"{what(run)} has been running for {span(took)}"
            advice = f"pinnacle-backup runs show {run.id}; pinnacle-backup runs cancel {run.id}"
            yield Check(name="runs", level=WARNING, sentence=sentence, advice=advice)
    if not bad:
        yield Check(name="runs", level=OK, sentence="no run that failed waits to be made up for")


def what(run: Run) -> str:
    """Return what runs, or ran, in words."""
    what = f"{printable(run.detail)} backup" if run.verb == "create" else run.verb
    return f"{what} ({run.origin.job})" if run.origin.job else what


def _failed(run: Run, facts: Facts) -> str:
    ago = span(since(run.ended or run.started, facts.now))
    how = "was killed" if run.outcome == KILLED else "failed"
    return f"the last {what(run)} {how} {ago} ago: {printable(run.message)}"
