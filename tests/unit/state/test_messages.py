"""The messages that wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pinnacle_backup.state.database import FILE_NAME, Database
from pinnacle_backup.state.messages import BACK_OFF, CLAIM, Backlog, Draft, Messages

from ...contract.faults import start_child

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def opened(folder: Path) -> Database:
    """Open the database as a process that has just started does."""
    return Database(str(folder / FILE_NAME), warn=pytest.fail)


@pytest.fixture
def messages(tmp_path: Path) -> Iterator[Messages]:
    """No messages yet."""
    database = opened(tmp_path)
    yield Messages(database)
    database.close()


def add(messages: Messages, *contents: str, channel: str = "smtp", now: datetime = NOW, **more: bool) -> None:
    messages.add([Draft(channel=channel, content=content, **more) for content in contents], now)


def claimed(messages: Messages, now: datetime = NOW, **options: object) -> str | None:
    found = messages.claim(now, **options)
    return found and found.content


def test_messages_are_sent_in_order_and_once(messages: Messages):
    add(messages, "one", "two")

    assert claimed(messages) == "one"
    assert claimed(messages) == "two"
    assert claimed(messages) is None


def test_a_message_of_a_killed_sender_is_due_again(messages: Messages):
    add(messages, "one")
    messages.claim(NOW)

    assert claimed(messages, NOW + CLAIM - MINUTE) is None
    assert claimed(messages, NOW + CLAIM) == "one"


def test_messages_survive_a_restart(tmp_path: Path, messages: Messages):
    add(messages, "one")

    again = opened(tmp_path)
    assert claimed(Messages(again)) == "one"
    again.close()


def test_a_delivered_message_is_gone(messages: Messages):
    add(messages, "one")
    found = messages.claim(NOW)
    assert found is not None
    messages.forget(found)

    assert messages.waiting() == Backlog()
    assert claimed(messages, NOW + HOUR) is None


def test_pauses_grow_to_an_hour_and_after_three_days_a_message_is_given_up(messages: Messages):
    add(messages, "one")
    now, pauses = NOW, []
    while True:
        found = messages.claim(now)
        assert found is not None
        if not messages.postpone(found, now, "down"):
            break
        assert claimed(messages, now + timedelta(seconds=59)) is None
        due = datetime.fromisoformat(messages.waiting().next_attempt)
        pauses.append(due - now)
        now = due

    assert pauses[:5] == [*BACK_OFF, BACK_OFF[-1]]
    assert set(pauses[5:]) == {HOUR}
    assert timedelta(days=3) <= now - NOW < timedelta(days=3, hours=2)
    assert messages.waiting().count == 0


def test_a_machine_that_slept_for_a_week_still_tries(messages: Messages):
    add(messages, "one")
    later = NOW + timedelta(days=7)
    found = messages.claim(later)
    assert found is not None

    assert messages.postpone(found, later, "down")


def test_what_waits_behind_a_channel_that_is_down_waits_with_it_in_order(messages: Messages):
    add(messages, "failed", "recovered")
    found = messages.claim(NOW)
    assert found is not None
    messages.postpone(found, NOW, "down")

    assert claimed(messages) is None
    assert claimed(messages, NOW + MINUTE) == "failed"
    assert claimed(messages, NOW + MINUTE) == "recovered"


def test_a_new_message_takes_those_before_it_along(messages: Messages):
    add(messages, "failed")
    for _ in range(3):
        messages.wake(NOW)
        found = messages.claim(NOW)
        assert found is not None
        messages.postpone(found, NOW, "down")

    add(messages, "recovered", now=NOW + MINUTE)

    assert claimed(messages, NOW + MINUTE) == "failed"
    assert claimed(messages, NOW + MINUTE) == "recovered"


def test_a_message_that_is_refused_holds_nobody_up_and_only_the_rest_of_it_is_tried_again(messages: Messages):
    add(messages, "for two", "next")
    found = messages.claim(NOW)
    assert found is not None
    messages.postpone(found, NOW, "refused", content="for one", channel_is_down=False)

    assert claimed(messages) == "next"
    assert claimed(messages, NOW + MINUTE) == "for one"


def test_channels_do_not_wait_for_each_other(messages: Messages):
    add(messages, "mail")
    add(messages, "chat", channel="urls[0]")
    found = messages.claim(NOW)
    assert found is not None
    messages.postpone(found, NOW, "down")

    assert claimed(messages) == "chat"


def test_a_channel_can_be_passed_over(messages: Messages):
    add(messages, "mail")
    add(messages, "chat", channel="urls[0]")

    assert claimed(messages, passing_over={"smtp"}) == "chat"
    assert claimed(messages, passing_over={"smtp"}) is None


def test_a_newer_ping_makes_an_older_one_worthless(messages: Messages):
    add(messages, "mail")
    add(messages, "success", channel="ping", replacing=True)
    add(messages, "fail", channel="ping", replacing=True)

    assert [claimed(messages), claimed(messages), claimed(messages)] == ["mail", "fail", None]


def test_waking_does_not_touch_what_is_on_its_way(messages: Messages):
    add(messages, "one")
    messages.claim(NOW)
    messages.wake(NOW + MINUTE)

    assert claimed(messages, NOW + MINUTE) is None


def test_a_clock_that_was_years_ahead_holds_nothing_back(messages: Messages):
    ahead = NOW + timedelta(days=4000)
    add(messages, "one", now=ahead)
    found = messages.claim(ahead)
    assert found is not None
    messages.postpone(found, ahead, "down")

    assert claimed(messages, NOW) == "one"


def test_what_waits_is_told(messages: Messages):
    add(messages, "one")
    add(messages, "two", now=NOW + MINUTE)
    found = messages.claim(NOW)
    assert found is not None
    messages.postpone(found, NOW, "mail server x:25 cannot be reached")

    waiting = messages.waiting()
    assert waiting.count == 2
    assert waiting.oldest == "2026-11-20T02:00:00.000000Z"
    assert waiting.error == "mail server x:25 cannot be reached"


def test_an_outbox_never_grows_without_end(messages: Messages):
    add(messages, *(str(number) for number in range(600)))

    assert messages.waiting().count == 500
    assert claimed(messages) == "100"


def test_no_two_processes_get_the_same_message(tmp_path: Path, messages: Messages):
    add(messages, *(str(number) for number in range(40)))

    def claim_all(number: int) -> None:
        database = opened(tmp_path)
        with open(tmp_path / f"claimed-{number}", "w", encoding="ascii") as file:
            while (message := Messages(database).claim(NOW)) is not None:
                file.write(f"{message.content}\n")

    children = [start_child(partial(claim_all, number)) for number in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]

    found = [line for file in tmp_path.glob("claimed-*") for line in file.read_text().split()]
    assert sorted(found, key=int) == [str(number) for number in range(40)]
