"""Messages as HTML."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.notify.html import as_html
from pinnacle_backup.notify.message import Message

from .conftest import _message

HOSTILE = "<img src=x onerror=1>\"'&<script>alert(1)</script></style></td>"
TAGS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "h1", "span", "div", "br"}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "style", "class", "role"),
    *("width", "cellpadding", "cellspacing", "border", "align"),
}


class Seen(HTMLParser):
    """Notes what a mail program would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("part", ["subject", "headline", "advice", "host", "level"])
def test_names_of_files_stay_names(part: str, message: Callable[..., Message]):
    seen = Seen(as_html(message(**{part: HOSTILE})))

    assert set(seen.tags) <= TAGS
    assert seen.attributes <= ATTRIBUTES


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(min_size=1), st.text())
def test_no_text_adds_a_tag_or_an_attribute(name: str, value: str, line: str):
    plain = Seen(as_html(_message(facts=(("a", "b"),), details=("c",))))
    seen = Seen(as_html(_message(facts=((name, value),), details=(line,), headline=value, advice=value)))

    assert seen.tags == plain.tags
    assert seen.attributes == plain.attributes
    assert not seen.open


def test_nothing_comes_from_elsewhere(message: Callable[..., Message]):
    html = as_html(message())

    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize(
    ("level", "words"), [("good", "All is well"), ("warning", "Please look"), ("bad", "Needs a hand")]
)
def test_the_level_is_said_in_words_not_only_in_colour(
    level: str, words: str, message: Callable[..., Message]
):
    assert words in Seen(as_html(message(level=level))).words


def test_everything_is_in_it(message: Callable[..., Message]):
    words = Seen(as_html(message())).words

    for part in (
        "no space left on /srv/backups",
        "Make room on the disk.",
        "2026-11-20 02:00:00 UTC",
        "02:03:05 error",
    ):
        assert part in words
