"""SVG and HTML elements as values: everything is escaped, and nothing carries a style of its own."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from pinnacle_backup.model.paths import printable

Value = str | int | float | None


def element(name: str, *children: str, **attributes: Value) -> Markup:
    """
    Return an element.

    Args:
        name: Of the element.
        children: Text, which is escaped and made printable, or elements.
        attributes: By name; ``_`` stands for ``-``, one at the end for nothing (``class_``); None: not there.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")  # noqa: S704 - all parts are escaped


def joined(parts: Iterable[str]) -> Markup:
    """Return elements and texts one behind the other."""
    return Markup("").join(part if isinstance(part, Markup) else escape(printable(part)) for part in parts)


def percent(share: float) -> str:
    """Return a length as a share of the whole: ``12.5%``."""
    return f"{round(100 * share, 2):g}%"


def picture(title: str, description: str, *children: str, role: str = "img", **attributes: Value) -> Markup:
    """
    Return an ``<svg>`` that says what it shows.

    Args:
        title: What it is; its accessible name.
        description: What can be read from it, in words.
        children: Its elements.
        role: ``img``, or ``group`` where it holds links.
        attributes: Of the ``<svg>``.
    """
    return element(
        "svg", element("title", title), element("desc", description), *children, role=role, **attributes
    )


def table(titles: Iterable[str], rows: Iterable[Iterable[str]], summary: str = "As a table") -> Markup:
    """Return the same data as a table that opens on demand, for those whom a picture does not help."""
    head = element("tr", *(element("th", title, scope="col") for title in titles))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element(
        "details",
        element("summary", summary),
        element("table", element("thead", head), element("tbody", *body)),
        class_="chart-table",
    )


def _value(value: str | float) -> Markup:
    return escape(printable(value) if isinstance(value, str) else f"{value:g}")
