"""
Write the page: a block for each set between two comments, so that what people wrote around them stays.

A set that was not measured this time keeps its block, and a new one comes at the end.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import chart
import report
from rows import ROWS

Result = Mapping[str, Any]
"""Of one set: `title`, `command`, `facts`, `names` of the tools, `left out`, `records`."""

METHOD = """\
# Benchmarks

- All tools take turns within every step; ratios are those of the same round, as median, lowest, highest.
- Every restored tree was compared with the original: content, mode and time.
"""


def update(path: str, results: Mapping[str, Result]) -> None:
    """
    Write the sets' blocks into the page, their charts beside it, and all figures as JSON.

    Args:
        path: Of the page; it is begun where there is none.
        results: By set.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    merged = {**load(path), **results}
    with open(_json(path), "w", encoding="utf-8") as file:
        json.dump({"sets": merged}, file, indent=1, ensure_ascii=False)
        file.write("\n")
    page = METHOD
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            page = file.read()
    for name, result in results.items():
        page = put(page, name, block(name, result, _picture(path, name, result)))
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def load(path: str) -> dict[str, Result]:
    """Return the figures that are known of each set."""
    if not os.path.exists(_json(path)):
        return {}
    with open(_json(path), encoding="utf-8") as file:
        found: dict[str, Result] = json.load(file)["sets"]
    return found


def put(page: str, name: str, text: str) -> str:
    """Return the page with a set's block in its place, or at the end."""
    begin, end = f"<!-- bench:{name} -->\n", f"<!-- /bench:{name} -->\n"
    whole = f"{begin}{text}{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(page):
        return pattern.sub(lambda _: whole, page, count=1)
    return f"{page.rstrip()}\n\n{whole}"


def block(name: str, result: Result, picture: str) -> str:
    """Return heading, origin, tables and chart of one set."""
    records, names = result["records"], result["names"]
    versions = ", ".join(f"{key} {value}" for key, value in result["facts"].items() if key != "Date")
    origin = f"Measured on {result['facts']['Date']} by `{result['command']}`: {versions}."
    if result["left out"]:
        origin += f" Not installed, so left out: {', '.join(result['left out'])}."
    against = report.ratios(ROWS[name], records, names)
    parts = [
        f"## {result['title']}\n",
        f"{_wrapped(origin)}\n",
        f"Against the best peer of the run:\n\n{against}\n" if against else "",
        f"![{_alternative(result)}]({picture})\n" if picture else "",
        f"What each took:\n\n{report.figures(ROWS[name], records, names)}\n",
    ]
    return "\n".join(part for part in parts if part)


def _picture(path: str, name: str, result: Result) -> str:
    """Draw the chart beside the page, and return its address from there."""
    drawn = chart.chart(result["title"], ROWS[name], result["records"], result["names"])
    if not drawn:
        return ""
    relative = os.path.join("images", f"{_stem(path)}-{name}.svg")
    whole = os.path.join(os.path.dirname(path), relative)
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    with open(whole, "w", encoding="utf-8") as file:
        file.write(drawn)
    return relative


def _alternative(result: Result) -> str:
    return f"Chart: {result['title']}; the figures are in the tables"


def _wrapped(text: str, width: int = 110) -> str:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _json(path: str) -> str:
    return os.path.splitext(path)[0] + ".json"
