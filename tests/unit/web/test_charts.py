"""Charts are pure functions: what is in them can be read, nothing in them is markup that was not meant."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.state.samples import Sample
from pinnacle_backup.web import charts

DAY = date(2026, 11, 22)
NASTY = "<img src=x onerror=alert(1)> \"' & \udcff \u202e\n{{ 7*7 }}"


def parsed(markup: str) -> ET.Element:
    """Every chart is well-formed, encodable, and free of styles and scripts."""
    markup.encode()
    root = ET.fromstring(markup)
    for element in root.iter():
        assert element.tag not in ("script", "style", "img")
        assert not any(name == "style" or name.startswith("on") for name in element.attrib)
    return root


def days(*states: str) -> list[charts.Day]:
    return [
        charts.Day(day=DAY + timedelta(days=place), state=state, sentence=f"it was {state}")
        for place, state in enumerate(states)
    ]


def samples(*stored: int, free: int = 1000) -> list[Sample]:
    return [
        Sample(day=DAY + timedelta(days=place), stored=nbytes, free=free, total=nbytes + free)
        for place, nbytes in enumerate(stored)
    ]


def point(hours: float, **more: object) -> charts.Point:
    moment = datetime(2026, 11, 20, 2, tzinfo=UTC) + timedelta(hours=hours)
    return charts.Point(**{"moment": moment, "href": f"/at/{hours}", "label": f"at {hours}", **more})  # type: ignore[arg-type]


def test_a_calendar_says_in_words_what_its_marks_show() -> None:
    """Its description counts the days, each mark has its sentence, and a list holds the same."""
    root = parsed(charts.calendar_strip(days("good", "other-failed", "failed", "missed", "idle", "warning")))

    assert root.find("svg").attrib["role"] == "img"
    assert root.findtext("svg/desc") == (
        "6 days: 1 good, 1 with warnings, 1 other run failed, 1 failed, 1 missed, 1 nothing due"
    )
    assert [group.findtext("title") for group in root.findall("svg/g")][
        2
    ] == "Tuesday 24 November 2026: it was failed"
    assert len(root.findall("details//tbody/tr")) == 6


def test_states_of_days_differ_in_shape_not_only_in_colour() -> None:
    """Who tells no colours still sees which day failed."""
    shapes = {}
    for state in ("good", "warning", "other-failed", "failed", "idle"):
        group = parsed(charts.calendar_strip(days(state))).find("svg/g")
        shapes[state] = tuple((bar.get("y"), bar.get("height")) for bar in group.findall("rect")[1:])

    assert len(set(shapes.values())) == 5
    assert "missed" in parsed(charts.calendar_strip(days("missed"))).find("svg/g").attrib["class"]


def test_days_with_pages_are_links_in_a_group() -> None:
    """A picture must hold nothing to focus; a group may, and the list leads there by keyboard."""
    day = charts.Day(day=DAY, state="good", sentence="fine", href="/runs?day=1&x=2")
    root = parsed(charts.calendar_strip([day]))

    assert root.find("svg").attrib["role"] == "group"
    assert root.find("svg/a").attrib == {"href": "/runs?day=1&x=2", "tabindex": "-1"}
    assert root.find("details//a").attrib == {"href": "/runs?day=1&x=2"}


@settings(deadline=None)
@given(st.integers(1, 400))
def test_labels_of_days_never_lie_on_each_other(count: int) -> None:
    """Every label has a sixth of the narrowest chart for itself, or is one of months that are as far apart."""
    root = parsed(charts.calendar_strip(days(*["good"] * count)))
    places = [float(label.attrib["x"].rstrip("%")) for label in root.findall("svg/text")]

    assert places[-1] == 100
    assert places == sorted(places)
    assert len(places) < 2 or places[-2] <= 72


def test_growth_tells_where_it_leads() -> None:
    """The words name first, last and the day it is full; the dashed line ends on the last day shown."""
    root = parsed(charts.growth_chart(samples(100, 200, 300), full_on=DAY + timedelta(days=5)))

    assert root.findtext("svg/desc") == (
        "From 100 B on Sunday 22 November 2026 to 300 B on Tuesday 24 November 2026, 1.0 kB free; "
        "full on Friday 27 November 2026 if it goes on like this"
    )
    assert [text.text for text in root.findall("svg/text")][-3:] == ["22 Nov", "24 Nov", "full 27 Nov"]
    assert "estimate" in {path.attrib["class"] for path in root.findall("svg/svg/path")}
    assert len(root.findall("details//tbody/tr")) == 3


def test_growth_without_an_estimate_ends_today() -> None:
    """No dashed line, two dates."""
    root = parsed(charts.growth_chart(samples(100, 200, 300)))

    assert "estimate" not in {path.attrib["class"] for path in root.findall("svg/svg/path")}
    assert [text.text for text in root.findall("svg/text")][-2:] == ["22 Nov", "24 Nov"]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 10**18), min_size=2, max_size=400),
    st.integers(0, 10**18),
    st.none() | st.integers(-5, 4000),
)
def test_growth_stays_inside_its_frame(stored: list[int], free: int, ahead: int | None) -> None:
    """Whatever the figures: every point lies in the picture, and there are at most seven lines."""
    levels = samples(*stored, free=free)
    full_on = None if ahead is None else levels[-1].day + timedelta(days=ahead)
    root = parsed(charts.growth_chart(levels, full_on=full_on))
    for path in root.findall("svg/svg/path"):
        numbers = [float(text) for text in re.findall(r"-?[\d.]+", path.attrib["d"])]
        assert all(-0.1 <= x <= 1000.1 for x in numbers[::2])
        assert all(0 <= y <= 163 for y in numbers[1::2])

    assert len(root.findall("svg/line")) <= 7
    assert len(root.findall("svg/rect")) <= 120


def test_too_little_to_draw_is_nothing() -> None:
    """An empty place in the page, not an empty picture."""
    assert charts.calendar_strip([]) == charts.growth_chart(samples(1)) == charts.timeline([]) == ""
    assert charts.sparkline([1], title="x") == ""


def test_a_usage_bar_fills_its_width() -> None:
    """The parts lie beside each other without a gap, and each is named with its size."""
    parts = [
        charts.Part(label=NASTY, nbytes=300, kind="stored"),
        charts.Part(label="Free", nbytes=700, kind="free"),
    ]
    root = parsed(charts.usage_bar(parts))
    bars = [(bar.attrib["x"], bar.attrib["width"]) for bar in root.findall("svg/rect")]

    assert bars == [("0%", "30%"), ("30%", "70%")]
    assert root.findall("ul/li")[1].findtext("span") == "700 B"


def test_nothing_stored_is_a_bar_too() -> None:
    """No division by zero."""
    parsed(charts.usage_bar([charts.Part(label="Free", nbytes=0, kind="free")]))
    parsed(charts.share_bar(0, 0, title="x"))


@pytest.mark.parametrize(("share", "words"), [(0.682, "68 %"), (-1, "0 %"), (7, "100 %")])
def test_a_donut_says_its_share(share: float, words: str) -> None:
    """As figure and as description, and never more than all."""
    root = parsed(charts.donut(share, title="Room", label="used"))

    assert root.findtext("text") == words
    assert root.findtext("desc") == f"{words} used"


def test_a_sparkline_stays_in_its_box() -> None:
    """Also where nothing changes."""
    for values in ([1, 2, 3], [5, 5, 5], [-1e9, 1e9]):
        line = parsed(charts.sparkline(values, title="x")).find("polyline").attrib["points"]
        for pair in line.split():
            x, y = map(float, pair.split(","))
            assert 2 <= x <= 94
            assert 4 <= y <= 20


def test_a_time_line_links_to_its_points() -> None:
    """Each is a link with a name; the chosen one is marked and has its time above."""
    root = parsed(
        charts.timeline([point(0, type="full"), point(10), point(24, selected=True, state="damaged")])
    )
    links = root.findall("a")

    assert root.attrib["role"] == "group"
    assert [link.attrib["href"] for link in links] == ["/at/0", "/at/10", "/at/24"]
    assert [link.get("aria-current") for link in links] == [None, None, "true"]
    assert links[2].findtext("text") == "Sat 21 Nov, 02:00"
    assert "bad" in links[2].attrib["class"]


@settings(deadline=None)
@given(st.lists(st.floats(0, 24 * 400), min_size=1, max_size=300))
def test_points_of_a_time_line_lie_apart(hours: list[float]) -> None:
    """However many there are: one can be told from the other, and so can the labels."""
    root = parsed(charts.timeline([point(hour) for hour in hours]))
    places = [float(link.findall("circle")[-1].attrib["cx"].rstrip("%")) for link in root.findall("a")]

    assert places == sorted(places)
    assert len(places) <= 64
    assert len(root.findall("text")) <= 8


def test_points_close_to_each_other_are_one_with_a_number() -> None:
    """The full one stands for them, and says how many more there are."""
    crowd = [point(hour / 60, type="full" if hour == 3 else "incremental") for hour in range(6)]
    links = parsed(charts.timeline([*crowd, point(24 * 30)])).findall("a")

    assert len(links) == 2
    assert links[0].attrib["aria-label"] == "at 0.05, and 5 more close to it"


def test_names_stay_text() -> None:
    """Nothing that a name holds becomes markup, breaks the encoding or turns the direction of text."""
    day = charts.Day(day=DAY, state=NASTY, sentence=NASTY, href=f"/x?{NASTY}")
    made = [
        charts.calendar_strip([day], title=NASTY),
        charts.growth_chart(samples(1, 2), title=NASTY),
        charts.usage_bar([charts.Part(label=NASTY, nbytes=1, kind="stored")], title=NASTY),
        charts.donut(0.5, title=NASTY, label=NASTY),
        charts.sparkline([1, 2], title=NASTY),
        charts.share_bar(1, 2, title=NASTY),
        charts.timeline([point(0, label=NASTY, href=f"/x?{NASTY}")], title=NASTY),
    ]
    for chart in made:
        parsed(chart)
        assert "<img" not in chart
        assert "\u202e" not in chart
