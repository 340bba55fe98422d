"""A small writer of SVG: elements as text, and colours for light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """
.page{fill:#ffffff;stroke:#d0d7de}.text{fill:#1f2328}.faint{fill:#59636e}.line{stroke:#d8dee4}.one{stroke:#59636e}
text{font:13px system-ui,sans-serif}.small{font-size:11px}
@media(prefers-color-scheme:dark){
.page{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.faint{fill:#9198a1}.line{stroke:#30363d}.one{stroke:#9198a1}}
"""
"""The page has a background of its own, so that text has contrast wherever the picture is shown."""

SERIES = (
    *("#2f81f7", "#1a7fa8", "#8957e5", "#d1572b", "#2da44e", "#bf8700", "#8b949e", "#768390", "#bf3989"),
)
"""Each has a contrast of 3 to 1 and more to both backgrounds."""


def document(width: int, height: int, title: str, elements: Sequence[str]) -> str:
    """Return a picture with a title that is read out where it cannot be seen."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    )
    page = f'<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="6"/>'
    parts = [head, f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", page, *elements, "</svg>"]
    return "\n".join(parts) + "\n"


def text(x: float, y: float, words: str, *, kind: str = "text", anchor: str = "start") -> str:
    """Return words that begin, end or have their middle at `x`."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "line") -> str:
    """Return a thin line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def whisker(x1: float, x2: float, y: float, colour: str) -> str:
    """Return a line from the lowest to the highest."""
    return f'<path d="M{x1:.1f} {y:.1f}H{x2:.1f}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'


def mark(number: int, x: float, y: float, note: str) -> str:
    """Return the mark of a series, told apart by shape and colour, with a note on pointing at it."""
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"',
        f'<path d="M{x:.1f} {y - 6.5:.1f}l6.5 11h-13z"',
        f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
        f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"',
    )
    filled = "fill-opacity" if number < len(shapes) else "fill-opacity='.25' stroke-width"
    value = '="1"' if number < len(shapes) else '="2"'
    colour = SERIES[number % len(SERIES)]
    return (
        f'{shapes[number % len(shapes)]} fill="{colour}" stroke="{colour}" {filled}{value}>'
        f"<title>{escape(note)}</title></{_tag(shapes[number % len(shapes)])}>"
    )


def _tag(start: str) -> str:
    return start[1:].split(" ", 1)[0]
