"""Turn the records into the page with the tables: medians, and ratios within a round with their range."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Record = Mapping[str, str | int | float]
MB = 1_000_000
OTHER = "restic"
OURS = ("plain", "encrypted")
REACHED, MISSED = " ✓", " ✗"

METHOD = """\
restic runs with its defaults and always encrypts, so *Pinnacle, encrypted* is the fair comparison; tar with
pigz has neither encryption nor checksums of files. All tools read from and write to the same file system,
with the page cache warm, and take turns within every step.

- Times are medians of the rounds. A ratio is that of the same round, as median with lowest and highest: for
  times restic's to ours (2.00 is twice as fast), for sizes and memory ours to restic's.
- Every restored tree was compared with the original: content, mode and time (tar's to the second).
- Memory is the highest sum of proportional set sizes of all processes of a command, read every 20 ms in a
  round of its own.
- *Unchanged* is an incremental backup after nothing changed. *Verify* is `restic check --read-data`, and
  `pigz --test` for tar.
- The data lies on a file system with a journal. ext4 without one steps over every inode that was freed within
  the last minutes, one by one, for each file that it creates; then no tool's restore can be measured.
"""


@dataclass(frozen=True)
class Row:
    """
    One line of a table.

    Attributes:
        title: What was measured.
        step: Of the records; empty for the highest of all steps.
        figure: Of the records.
        goal: What the ratio to restic should reach; None where there is no goal.
        smaller: Whether the ratio is ours to restic's, the smaller the better, and not the reverse.
        limit: What our own figure should not exceed; None where there is no limit.
        over: Another step; the figure is then the ratio to that one's.
    """

    title: str
    step: str
    figure: str
    goal: float | None = None
    smaller: bool = False
    limit: float | None = None
    over: str = ""

    @property
    def shown(self) -> Callable[[float], str]:
        """How a figure is written."""
        if self.over:
            return _times
        return _seconds if self.figure in ("wall", "cpu") else _megabytes


FILES = (
    Row("First full", "full", "wall", 2.0),
    Row("First full, CPU time", "full", "cpu"),
    Row("Unchanged", "incremental", "wall", 4.0),
    Row("Restore", "restore", "wall", 2.0),
    Row("Verify", "verify", "wall", 1.5),
    Row("Size of the first full", "size", "bytes", 1.1, smaller=True),
    Row("Peak memory, all steps", "", "memory", smaller=True, limit=400 * MB),
)
GROWTH = (
    Row("Growth, 1 % of rows updated", "growth 1 %", "bytes", 0.15, smaller=True),
    Row("Growth, 0.1 % of rows updated", "growth 0.1 %", "bytes", smaller=True),
    Row("Incremental, 1 %", "incremental 1 %", "wall"),
    Row("Incremental, 0.1 %", "incremental 0.1 %", "wall"),
)
TINY = (
    Row("Full, few files", "full few", "memory", smaller=True),
    Row("Full, many files", "full many", "memory", smaller=True),
    Row("Unchanged, few files", "incremental few", "memory", smaller=True),
    Row("Unchanged, many files", "incremental many", "memory", smaller=True),
    Row("Unchanged, many to few", "incremental many", "memory", limit=1.5, over="incremental few"),
)


def page(results: Mapping[str, object], rows: Mapping[str, Sequence[Row]], names: Mapping[str, str]) -> str:
    """
    Return the whole page as Markdown.

    Args:
        results: `facts`, `command`, `titles` by case, `records`.
        rows: The lines of each case's table.
        names: The tools' names as shown.
    """
    facts, titles, records = results["facts"], results["titles"], results["records"]
    assert isinstance(facts, dict)
    assert isinstance(titles, dict)
    assert isinstance(records, list)
    parts = [
        "# Benchmarks\n",
        f"Made by `{results['command']}`:\n",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n",
        METHOD,
    ]
    for case, title in titles.items():
        own = [record for record in records if record["case"] == case]
        parts += [f"## {title}\n", table(rows[case], own, names) + "\n"]
    return "\n".join(parts)


def table(rows: Iterable[Row], records: Sequence[Record], names: Mapping[str, str]) -> str:
    """Return one table; a tool or a row without records does not appear."""
    present = [tool for tool in names if any(record["tool"] == tool for record in records)]
    compared = [tool for tool in OURS if tool in present and OTHER in present]
    head = [
        "",
        *(names[tool] for tool in present),
        *(f"{names[tool]} to restic" for tool in compared),
        "goal",
    ]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in rows:
        values = {tool: _values(row, tool, records) for tool in present}
        if any(values.values()):
            figures = [_figure(row, tool, found) for tool, found in values.items()]
            ratios = [_ratio(row, values[tool], values[OTHER]) for tool in compared]
            lines.append([row.title, *figures, *ratios, _goal(row)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _values(row: Row, tool: str, records: Sequence[Record]) -> dict[int, float]:
    """Return what a row shows of a tool, by round."""
    found = _by_round(row.step, row.figure, tool, records)
    if not row.over:
        return found
    base = _by_round(row.over, row.figure, tool, records)
    return {number: found[number] / base[number] for number in found.keys() & base.keys()}


def _by_round(step: str, figure: str, tool: str, records: Sequence[Record]) -> dict[int, float]:
    """Return the figure of a step in each round; the highest of all steps where none is named."""
    found: dict[int, float] = {}
    for record in records:
        if record["tool"] == tool and step in ("", record["step"]) and figure in record:
            number = int(record["round"])
            found[number] = max(found.get(number, 0.0), float(record[figure]))
    return found


def _figure(row: Row, tool: str, found: Mapping[int, float]) -> str:
    if not found:
        return ""
    middle = median(found.values())
    if row.limit is None or tool not in OURS:
        return row.shown(middle)
    return row.shown(middle) + (REACHED if middle <= row.limit else MISSED)


def _ratio(row: Row, ours: Mapping[int, float], other: Mapping[int, float]) -> str:
    pairs = [(ours[number], other[number]) for number in ours.keys() & other.keys()]
    if not pairs or row.over:
        return ""
    ratios = sorted(mine / its if row.smaller else its / mine for mine, its in pairs)
    middle = median(ratios)
    span = f" ({_times(ratios[0])} to {_times(ratios[-1])})" if len(ratios) > 1 else ""
    return f"{_times(middle)}{span}{_mark(row, middle)}"


def _mark(row: Row, ratio: float) -> str:
    if row.goal is None:
        return ""
    reached = ratio <= row.goal if row.smaller else ratio >= row.goal
    return REACHED if reached else MISSED


def _goal(row: Row) -> str:
    if row.limit is not None:
        return f"≤ {row.shown(row.limit)}"
    if row.goal is None:
        return ""
    return f"{'≤' if row.smaller else '≥'} {_times(row.goal)} to restic"


def _times(value: float) -> str:
    return f"{value:.2f}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _megabytes(value: float) -> str:
    return f"{value / MB:,.1f} MB"
