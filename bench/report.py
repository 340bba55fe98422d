"""Write the tables: ours against the best peer of the run with the goals, and all the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from figures import OURS, ByRound, Ratio, Record, to_best, tools_in, values
from rows import Row, times

REACHED, MISSED = " ✓", " ✗"


def ratios(rows: Iterable[Row], records: Sequence[Record], names: Mapping[str, str]) -> str:
    """Return the table of how ours stands to the best peer; a row without one does not appear."""
    ours = tools_in(records, [tool for tool in names if tool in OURS])
    lines = [_ratio_line(row, ours, names, _by_tool(row, records, names)) for row in rows]
    if not any(lines):
        return ""
    return _markdown([["", *(names[tool] for tool in ours), "goal"], *(line for line in lines if line)])


def figures(rows: Iterable[Row], records: Sequence[Record], names: Mapping[str, str]) -> str:
    """Return the table of what each tool took; a tool or a row without records does not appear."""
    present = tools_in(records, names)
    lines = [["", *(names[tool] for tool in present)]]
    shown = set()
    for row in rows:
        by_tool = _by_tool(row, records, names)
        if any(by_tool.values()) and (row.step, row.figure, row.over) not in shown:
            shown.add((row.step, row.figure, row.over))
            lines.append([row.title, *(_figure(row, by_tool[tool]) for tool in present)])
    return _markdown(lines)


def _by_tool(row: Row, records: Sequence[Record], names: Iterable[str]) -> dict[str, ByRound]:
    return {tool: values(row, tool, records) for tool in names}


def _ratio_line(
    row: Row, ours: Sequence[str], names: Mapping[str, str], by_tool: Mapping[str, ByRound]
) -> list[str]:
    if row.limit is not None:
        cells = [_against_limit(row, by_tool[tool]) for tool in ours]
    else:
        cells = [_ratio(row, to_best(row, tool, by_tool), names) for tool in ours]
    return [row.title, *cells, _goal(row)] if any(cells) else []


def _ratio(row: Row, found: Ratio | None, names: Mapping[str, str]) -> str:
    if found is None:
        return ""
    span = f" ({times(found.lowest)} to {times(found.highest)})" if found.rounds > 1 else ""
    peer = "" if row.peer and row.peer in row.title else f" {names[found.peer]}"
    return f"{times(found.middle)}{span}{peer}{_mark(row, found.middle)}"


def _against_limit(row: Row, found: ByRound) -> str:
    if not found:
        return ""
    assert row.limit is not None
    middle = median(found.values())
    return row.shown(middle) + (REACHED if middle <= row.limit else MISSED)


def _figure(row: Row, found: ByRound) -> str:
    return row.shown(median(found.values())) if found else ""


def _mark(row: Row, ratio: float) -> str:
    if row.goal is None:
        return ""
    return REACHED if (ratio <= row.goal if row.smaller else ratio >= row.goal) else MISSED


def _goal(row: Row) -> str:
    if row.limit is not None:
        return f"≤ {row.shown(row.limit)}"
    if row.goal is None:
        return ""
    return f"{'≤' if row.smaller else '≥'} {times(row.goal)}"


def _markdown(lines: list[list[str]]) -> str:
    lines.insert(1, ["---", *["---:"] * (len(lines[0]) - 1)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
