"""The report of a drill as a page: one file that needs nothing else, to read on a screen and to print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from pinnacle_backup.crypto.signing import fingerprint, in_groups
from pinnacle_backup.model.drills import PROVEN, CheckResult, DrillReport
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.words import counted, instant, local_with_zone, number, size, span, speed

_SHOWN: Final = 200
_NOT_REACHED: Final = "Not reached: the restore failed before."


def page(report: DrillReport, public_key: bytes, signature: str) -> str:
    """
    Return the page of a report.

    Args:
        report: The report.
        public_key: Of the key that signed it, DER.
        signature: Base64.
    """
    package = files("pinnacle_backup.app")
    template = Template(package.joinpath("drill_page.html").read_text("utf-8"))
    return template.substitute(
        style=package.joinpath("drill_page.css").read_text("utf-8"),
        outcome=report.outcome,
        headline=_headline(report),
        title=_text(f"{_headline(report)}: {report.backup.name}"),
        sentence=_sentence(report),
        figures=_figures(report),
        problems=_problems(report),
        compared=_compared(report),
        backup=_backup(report),
        databases=_databases(report),
        checks=_checks(report),
        steps=_steps(report),
        drill=_drill(report),
        id=_text(report.id),
        fingerprint=" ".join(in_groups(fingerprint(public_key))),
        signature=_text(signature),
    )


def _headline(report: DrillReport) -> str:
    if report.outcome == PROVEN:
        return "Proven restorable"
    return "Restored whole, but an own check failed" if report.came_back_whole else "NOT proven restorable"


def _sentence(report: DrillReport) -> str:
    began = instant(report.started).astimezone()
    date = _text(f"{began:%-d %B %Y} at {began:%H:%M} {began.tzname() or ''}".strip())
    name, where = _text(report.backup.name), f"on {_text(report.host)}"
    if report.outcome == PROVEN:
        return (
            f"On <strong>{date}</strong> the backup <strong>{name}</strong> was restored completely {where} "
            f"in <strong>{_text(span(report.recovery_seconds))}</strong>, into an isolated folder. "
            "Everything in it was compared with what was backed up, and nothing differed."
        )
    if report.came_back_whole:
        failed = counted(report.problem_count, "check of the studio's own", "checks of the studio's own")
        return (
            f"On <strong>{date}</strong> the backup <strong>{name}</strong> was restored completely {where} "
            f"into an isolated folder. Nothing differed from what was backed up, but {_text(failed)} failed."
        )
    found = counted(report.problem_count, "problem was", "problems were")
    return (
        f"On <strong>{date}</strong> the backup <strong>{name}</strong> was restored {where} into an "
        f"isolated folder. That did not give what was backed up: {found} found."
    )


def _figures(report: DrillReport) -> str:
    seconds = report.recovery_seconds
    good = sum(database.good for database in report.databases)
    passed = sum(check.passed for check in report.checks)
    shown = [
        ("Recovery time", span(seconds), speed(report.nbytes, seconds)),
        ("Age of the data", span(report.data_age_seconds), "when the drill began"),
        ("Restored", size(report.nbytes), counted(report.entries, "path")),
    ]
    if report.databases:
        shown.append(("Databases sound", f"{good} of {len(report.databases)}", ""))
    if report.checks:
        shown.append(("Own checks passed", f"{passed} of {len(report.checks)}", ""))
    return "".join(
        f"<div><dt>{what}</dt><dd>{_text(value)}<small>{_text(note)}</small></dd></div>"
        for what, value, note in shown
    )


def _problems(report: DrillReport) -> str:
    if not report.problems:
        return ""
    rows = [(_text(problem.path), _text(problem.reason)) for problem in report.problems[:_SHOWN]]
    rest = report.problem_count - len(rows)
    more = f"<p>And {number(rest)} more; {_text(report.id)}.json names them.</p>" if rest > 0 else ""
    return f'<section class="wide bad"><h2>Problems</h2>{_table(("Where", "What"), rows)}{more}</section>'


def _compared(report: DrillReport) -> str:
    if not report.entries:
        return f"<p>{_NOT_REACHED}</p>"
    lines = [
        f"{counted(report.entries, 'path')}: that none is missing, none too many, each of its kind",
        f"the SHA-256 of all content, {number(report.nbytes)} bytes",
        "modes, times to the nanosecond, extended attributes",
        "targets of links, and which names are one file",
        "owners and groups" if report.owners_compared else "not owners and groups: only root restores them",
    ]
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>"


def _backup(report: DrillReport) -> str:
    backup = report.backup
    return _facts(
        ("Name", backup.name),
        ("Type", backup.type + (", encrypted" if backup.encrypted else "")),
        ("Data of", _moment(backup.created)),
        ("Archive", f"{size(backup.stored)} ({number(backup.stored)} bytes)"),
        ("Id", backup.id),
        ("Builds on", backup.base),
        ("Passed over", report.passed_over),
    )


def _drill(report: DrillReport) -> str:
    return _facts(
        ("Report", report.id),
        ("Studio", report.studio),
        ("Machine", report.host),
        ("Started by", report.started_by),
        ("Began", _moment(report.started)),
        ("Ended", _moment(report.ended)),
        ("Program", report.program),
    )


def _steps(report: DrillReport) -> str:
    seconds = report.seconds
    steps = [
        ("Open the archives, and plan", seconds.open),
        ("Restore, until every byte is on the disk", seconds.restore),
        ("<strong>Recovery time</strong>", seconds.recovery),
        ("Compare with the backup", seconds.compare),
        ("Check databases", seconds.databases),
        ("Own checks", seconds.checks),
    ]
    return _table(("Step", "Time"), [(what, _text(span(took))) for what, took in steps], "times")


def _databases(report: DrillReport) -> str:
    if not report.databases:
        return f"<p>{'The backup holds no SQLite database.' if report.entries else _NOT_REACHED}</p>"
    rows = [(_text(db.path), _said(db.integrity), _said(db.foreign_keys)) for db in report.databases]
    return _table(("Database", "integrity_check", "foreign_key_check"), rows)


def _said(complaints: Sequence[str] | None) -> str:
    if complaints is None:
        return '<span class="none">not run</span>'
    if not complaints:
        return '<span class="yes">ok</span>'
    return f'<span class="no">{"<br>".join(_text(line) for line in complaints)}</span>'


def _checks(report: DrillReport) -> str:
    if not report.checks:
        none = "None are configured (<code>backup.drill.checks</code>)."
        return f"<p>{none if report.entries else _NOT_REACHED}</p>"
    return "".join(_check(check) for check in report.checks)


def _check(check: CheckResult) -> str:
    ended = "stopped: took too long" if check.exit_code is None else f"exit code {check.exit_code}"
    word, style = ("passed", "yes") if check.passed else (f"failed, {ended}", "no")
    said = f'<code>{_text(check.command)}</code><span class="{style}">{_text(word)}</span>'
    output = f"<pre>{escape(check.output)}</pre>" if check.output else ""
    return f'<div class="check"><p>{said}<small>{_text(span(check.seconds))}</small></p>{output}</div>'


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], style: str = "") -> str:
    """Return a table; titles and cells are HTML already."""
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _facts(*pairs: tuple[str, str]) -> str:
    shown = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in pairs if value)
    return f'<dl class="facts">{shown}</dl>'


def _moment(iso: str) -> str:
    return _text(local_with_zone(instant(iso)))


def _text(text: str) -> str:
    """Return any text as HTML that shows just it."""
    return escape(printable(text))
