"""Turn records into figures: medians, and ratios within a round with their range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rows import Row

Record = Mapping[str, str | int | float]
ByRound = Mapping[int, float]
OURS = ("plain", "encrypted", "deduplicated")
PEERS = ("restic", "borg", "duplicity")
"""They encrypt and check as ours does; tar and rclone are shown, and no goal is measured at them."""


@dataclass(frozen=True)
class Ratio:
    """
    How one tool stands to another, within the same rounds.

    Attributes:
        middle, lowest, highest: Of the rounds.
        rounds: How many.
        peer: The other tool.
    """

    middle: float
    lowest: float
    highest: float
    rounds: int
    peer: str


def values(row: Row, tool: str, records: Iterable[Record]) -> dict[int, float]:
    """Return what a row shows of a tool, by round."""
    records = list(records)
    found = _by_round(row.step, row.figure, tool, records)
    if not row.over:
        return found
    base = _by_round(row.over, row.figure, tool, records)
    return {number: found[number] / base[number] for number in found.keys() & base.keys()}


def best_peer(row: Row, by_tool: Mapping[str, ByRound]) -> str:
    """Return the peer with the lowest figure; empty where there is none."""
    present = [tool for tool in ([row.peer] if row.peer else PEERS) if by_tool.get(tool)]
    return min(present, key=lambda tool: median(by_tool[tool].values()), default="")


def ratio(mine: ByRound, its: ByRound, peer: str, *, smaller: bool) -> Ratio | None:
    """Return theirs to ours, or ours to theirs where smaller is better; None where no round has both."""
    pairs = [(mine[number], its[number]) for number in mine.keys() & its.keys()]
    found = sorted(_quotient(own, other) if smaller else _quotient(other, own) for own, other in pairs)
    return Ratio(median(found), found[0], found[-1], len(found), peer) if found else None


def to_best(row: Row, tool: str, by_tool: Mapping[str, ByRound]) -> Ratio | None:
    """Return how one of our tools stands to the best peer."""
    peer = best_peer(row, by_tool)
    if not peer or row.over:
        return None
    return ratio(by_tool.get(tool, {}), by_tool[peer], peer, smaller=row.smaller)


def tools_in(records: Sequence[Record], names: Iterable[str]) -> list[str]:
    """Return the tools that have records, in the order of `names`."""
    present = {record["tool"] for record in records}
    return [name for name in names if name in present]


def _quotient(one: float, other: float) -> float:
    return one / other if other else float("inf")


def _by_round(step: str, figure: str, tool: str, records: Iterable[Record]) -> dict[int, float]:
    """Return the figure of a step in each round; the highest of all steps where none is named."""
    found: dict[int, float] = {}
    for record in records:
        if record["tool"] == tool and step in ("", record["step"]) and figure in record:
            number = int(record["round"])
            found[number] = max(found.get(number, 0.0), float(record[figure]))
    return found
