"""Sections cut a scan into pieces that are exactly the whole when laid side by side."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from pinnacle_backup.model.paths import from_bytes, order_key
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Rules, scan
from pinnacle_backup.sources.section import Section

RULES = Rules(exclude=Excluder(()))
NAMES = (b"a", b"a-b", b"a.b", b"a b", b"aa", b"b", b"\xc3\xa4", b"\xff\xfe", b"\xf0\x9f\x98\x80", b"-", b"~")


def make_tree(root: Path, chance: random.Random, depth: int = 3) -> None:
    for name in chance.sample(NAMES, chance.randint(1, 6)):
        path = os.fsencode(root) + b"/" + name
        if depth and chance.random() < 0.6:
            os.mkdir(path)
            make_tree(Path(os.fsdecode(path)), chance, depth - 1)
        else:
            Path(os.fsdecode(path)).write_bytes(b"x")


def paths(root: Path, sources: tuple[str, ...], section: Section | None = None) -> list[str]:
    sections = {} if section is None else {"section": section}
    return [found.path for found in scan(str(root), sources, rules=RULES, problems=[], **sections)]


@pytest.mark.parametrize("seed", range(30))
def test_sections_side_by_side_are_the_whole(tmp_path: Path, seed: int) -> None:
    """Wherever the cuts are, at paths that exist or at some that do not, no path is lost or doubled."""
    chance = random.Random(seed)
    root, outside = tmp_path / "studio", tmp_path / "outside"
    for folder in (root / "one", root / "two/deep", outside):
        folder.mkdir(parents=True)
        make_tree(folder, chance)
    sources = ("one", "two/deep", str(outside))
    whole = paths(root, sources)
    cuts = set(chance.sample(whole, min(len(whole), chance.randint(1, 6))))
    cuts |= {from_bytes(b"one/a/" + chance.choice(NAMES)), "two", "zzz"}
    ends = ["", *sorted(cuts, key=order_key), None]

    pieces = [paths(root, sources, Section(start or "", end)) for start, end in pairwise(ends)]

    assert [path for piece in pieces for path in piece] == whole
