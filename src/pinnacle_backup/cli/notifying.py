"""How notifications are set up, and what became of messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pinnacle_backup.app.delivering import Delivery
from pinnacle_backup.app.notifications import ChannelTest, NotificationsView
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.text import age, counted, instant, local_with_zone
from pinnacle_backup.errors import NotificationError, UsageError
from pinnacle_backup.model.conditions import BAD, OVERDUE, Condition
from pinnacle_backup.model.paths import printable
from pinnacle_backup.state.messages import Backlog

_EVENTS: Final = {
    "failure": "failures",
    "warning": "warnings",
    "overdue": "overdue backups",
    "recovered": "recovery",
    "success": "every success",
    "weekly_digest": "the week",
}
_SET_UP: Final = "set up notifications.smtp, notifications.urls or notifications.ping_url in config.json"


def show_notifications(out: Output, view: NotificationsView, now: datetime) -> int:
    """Print who is told what, and what waits."""
    out.json(view)
    out.data(_headline(out, view), "")
    pairs = [("by" if number == 0 else " ", channel.words) for number, channel in enumerate(view.channels)]
    wrong = [_condition(each) for each in view.wrong]
    out.facts(
        [
            *[(name, printable(words)) for name, words in pairs],
            ("told", _in_words(view.told)),
            ("not told", _in_words(view.not_told)),
            *[("wrong now" if number == 0 else " ", words) for number, words in enumerate(wrong)],
            ("waiting", _backlog(view.backlog, now)),
        ]
    )
    return DONE


def show_tests(out: Output, tests: Sequence[ChannelTest]) -> int:
    """Print one line for each channel; exit with 2 where a test message did not arrive."""
    if not tests:
        raise UsageError("nobody can be told anything: no channel is set up", hint=_SET_UP)
    failed = [test for test in tests if test.error]
    code = NotificationError.exit_code if failed else DONE
    out.result(code, {"channels": tests})
    for test in tests:
        if test.error:
            out.data(
                f"{out.style('failed', 'bad')}  {printable(test.words)}", f"        {printable(test.error)}"
            )
            out.data(*([f"        hint: {test.hint}"] if test.hint else []))
        else:
            out.say(f"{out.style('sent', 'good')}    {printable(test.words)}")
    return code


def show_delivery(out: Output, delivery: Delivery) -> int:
    """Print what was delivered and what still waits; exit with 2 where something could not be delivered."""
    code = NotificationError.exit_code if delivery.errors else DONE
    out.result(code, delivery)
    if not delivery.sent and not delivery.waiting:
        out.say("No message waits.")
        return code
    sent = f"{counted(delivery.sent, 'message')} delivered"
    out.say(
        f"{sent}, {counted(delivery.waiting, 'message')} still waiting." if delivery.waiting else f"{sent}."
    )
    for error in delivery.errors:
        out.warn(printable(error))
    return code


def _headline(out: Output, view: NotificationsView) -> str:
    if not view.enabled:
        return out.style("Nobody is told anything: notifications are switched off.", "warn")
    if not view.channels:
        return out.style(f"Nobody is told anything: {_SET_UP}.", "warn")
    if view.backlog.error:
        return out.style("Messages do not get through.", "bad")
    return out.style("Notifications are set up; `notify test` shows whether they arrive.", "good")


def _condition(condition: Condition) -> str:
    since = f"since {local_with_zone(instant(condition.since))}"
    if condition.subject == OVERDUE:
        return f"backups are overdue {since}"
    return f"{condition.subject} {'fails' if condition.level == BAD else 'has warnings'} {since}"


def _in_words(names: Sequence[str]) -> str:
    return ", ".join(_EVENTS.get(name, name) for name in names) or "nothing"


def _backlog(backlog: Backlog, now: datetime) -> str:
    if not backlog.count:
        return "no message"
    oldest = age(instant(backlog.oldest), now)
    since = "" if oldest == "now" else f", the oldest for {oldest}"
    return (
        f"{counted(backlog.count, 'message')}{since}{': ' if backlog.error else ''}{printable(backlog.error)}"
    )
