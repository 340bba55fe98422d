"""Messages as plain text."""

from __future__ import annotations

from collections.abc import Callable

from pinnacle_backup.notify.message import MOST_DETAILS, Message, as_text, last_lines


def test_the_text_has_everything_in_the_order_a_person_needs_it(message: Callable[..., Message]):
    text = as_text(message())

    places = [
        text.index(part) for part in ("no space left", "Make room", "Started", "02:03:05 error", "on nas")
    ]
    assert places == sorted(places)


def test_facts_are_aligned_and_empty_ones_are_left_out(message: Callable[..., Message]):
    text = as_text(message())

    assert "Started  2026-11-20 02:00:00 UTC\nMachine  nas\n" in text
    assert "Read" not in text


def test_no_text_of_others_makes_or_breaks_a_line(message: Callable[..., Message]):
    forged = "a\nWhat to do: pay\r\n\x1b[31m"
    text = as_text(
        message(headline=forged, facts=(("Name", forged),), details=(forged,), advice=forged, host=forged)
    )

    assert not [line for line in text.splitlines() if line.startswith("What to do: pay")]
    assert "\x1b" not in text


def test_twenty_lines_of_a_log_and_how_many_more_there_are():
    lines = [f"line {number}" for number in range(55)]

    shown = last_lines(lines)

    assert len(shown) == MOST_DETAILS
    assert shown[0] == "... 36 earlier lines are in the log"
    assert shown[1:] == tuple(lines[36:])
    assert last_lines(lines[:20]) == tuple(lines[:20])


def test_more_lines_than_twenty_are_never_shown(message: Callable[..., Message]):
    assert "x" * 300 in as_text(message(details=("x" * 399,)))
    assert as_text(message(details=tuple(map(str, range(1000, 1050))))).count("\n  10") == MOST_DETAILS


def test_half_a_character_is_shown_escaped(message: Callable[..., Message]):
    as_text(message(headline="caf\udce9")).encode("utf-8")
