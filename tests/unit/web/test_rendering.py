"""What templates may rely on: escaping, words, and no silent holes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import UndefinedError

from pinnacle_backup.model.health import LEVELS
from pinnacle_backup.model.runs import OUTCOMES
from pinnacle_backup.web.rendering import environment, tone

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def rendered(source: str, **context: object) -> str:
    return environment().from_string(source).render(**context)


def test_everything_printed_is_escaped_and_encodable() -> None:
    """Names of files may be any bytes, and hold any markup."""
    assert rendered("{{ name }}", name="<b>\udcff</b>") == "&lt;b&gt;\\udcff&lt;/b&gt;"
    assert rendered("{{ name|printable }}", name="a\nb\udcff") == "a\\nb\\xff"


def test_none_is_nothing_and_forgotten_is_an_error() -> None:
    """A page never says None, and never leaves out what it should say."""
    assert rendered("({{ value }})", value=None) == "()"
    with pytest.raises(UndefinedError):
        rendered("{{ value }}")


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(timedelta(seconds=-59), "now"), (timedelta(hours=-3, minutes=-59), "3 h ago"), (timedelta(days=2), "in 2 d"),
     (timedelta(seconds=30), "now")],
)  # fmt: skip
def test_ages_are_words(ahead: timedelta, words: str) -> None:
    """The same as on the command line, and for what comes as well."""
    assert rendered("{{ age(then, now) }}", then=NOW + ahead, now=NOW) == words


def test_every_outcome_and_level_has_a_tone() -> None:
    """None is shown better than it is."""
    assert {outcome: tone(outcome) for outcome in OUTCOMES} == {
        "running": "accent",
        "good": "good",
        "warnings": "warn",
        "failed": "bad",
        "cancelled": "neutral",
        "killed": "bad",
    }
    assert [tone(level) for level in LEVELS] == ["good", "warn", "warn", "bad"]


def test_macros_are_known_everywhere() -> None:
    """Pages need no import, and static files may lie anywhere."""
    page = environment(static="/static/1a2b").from_string(
        "{{ c.icon('pin') }}{{ f.field('a.b', 'A') }}{{ d.path('x/y') }}"
    )

    assert 'href="/static/1a2b/icons.svg#pin"' in page.render()
    assert 'data-error-for="a.b"' in page.render()


def test_what_fills_a_dialog_survives_an_attribute() -> None:
    """Quotes and tags of names stay inside the attribute."""
    button = rendered("{{ c.button('x', open='d', with={'name': name}) }}", name="\"'><script>\udcff")

    assert "<script" not in button
    assert button.count('"') % 2 == 0
