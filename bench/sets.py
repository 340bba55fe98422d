"""The sets that can be measured: each makes its data, and says what is done with it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

import cases
import data
import studio
from bucket_server import bucket_server
from compare import size_of
from limit import __file__ as limit_script
from measure import Command
from options import rounds_of
from tool import Tool
from tool_bucket import bucket_tools
from tools import all_tools
from turns import Turns

MB = 1_000_000
SHARES = {"1 %": 0.01, "0.1 %": 0.001}
NOTES = "notes"
Recipe = Mapping[str, int | str]
MakeTools = Callable[[str, str], dict[str, Tool]]


class Bench(Protocol):
    """
    What a set is measured by.

    Attributes:
        options: Of the command line.
    """

    options: argparse.Namespace

    def turns(self, name: str, root: str, title: str, make: MakeTools, leave: tuple[str, ...]) -> Turns:
        """
        Begin a set.

        Args:
            name: Of the set.
            root: The folder with `data`.
            title: As the page has it.
            make: The tools.
            leave: Tools that are not measured here.
        """


def small(bench: Bench) -> None:
    """Many small files."""
    count = bench.options.small_files
    root = _prepared(bench, "small", {"files": count}, lambda folder: data.make_small(folder, count))
    title = f"{count:,} small files, {_megabytes(root)}"
    turns = bench.turns("small", root, title, all_tools, ("deduplicated",))
    file = _middle(turns.data)
    parts = {"one file": file, "folder": os.path.dirname(file)}
    cases.files(turns, rounds_of(bench.options), parts, _limit(turns.data))


def large(bench: Bench) -> None:
    """A few large files."""
    size = bench.options.large_mb * MB
    root = _prepared(bench, "large", {"size": size, "notes": 1}, partial(_large, size=size))
    kinds = "a third random, a third logs, a third a SQLite database"
    title = f"Large files: {kinds}, {_megabytes(root)}"
    turns = bench.turns("large", root, title, all_tools, ("deduplicated",))
    cases.files(turns, rounds_of(bench.options), _notes(), _limit(turns.data))


def database(bench: Bench) -> None:
    """A database of which some rows change."""
    size = bench.options.database_mb * MB
    pristine = os.path.join(bench.options.work, "database", "studio.db")

    def make(folder: str) -> None:
        if os.path.exists(pristine):
            os.unlink(pristine)
        data.make_database(pristine, size)
        shutil.copy2(pristine, folder)

    root = _prepared(bench, "database", {"size": size}, make)
    title = f"A SQLite database, {_megabytes(root)}"
    turns = bench.turns("database", root, title, all_tools, ("deduplicated",))
    cases.growth(turns, rounds_of(bench.options), pristine, SHARES)


def tiny(bench: Bench) -> None:
    """Time and memory by the number of files."""
    few = bench.options.tiny_files
    title = f"By the number of files: {few:,} (few) and {10 * few:,} (many) of a line each"
    for label, count in (("few", few), ("many", 10 * few)):
        make = partial(data.make_tiny, count=count)
        root = _prepared(bench, f"tiny-{label}", {"files": count}, make)
        turns = bench.turns("tiny", root, title, all_tools, ("deduplicated",))
        cases.by_number(turns, rounds_of(bench.options), label)


def week(bench: Bench) -> None:
    """A week of a studio."""
    options = bench.options
    size, days, hours = options.studio_mb * MB, options.days, options.hours
    root, pristine = _studio(bench, "week", size)
    title = f"A week of a studio of {_megabytes(root)}: {days} days, {hours} incremental backups in each"
    turns = bench.turns("week", root, title, all_tools, ("plain",))
    cases.week(turns, rounds_of(options), pristine, size, days, hours)


def fulls(bench: Bench) -> None:
    """Many full backups."""
    count = bench.options.fulls
    root, pristine = _studio(bench, "fulls", bench.options.studio_mb * MB)
    title = f"{count} full backups of a studio of {_megabytes(root)}, a night between each, then cleanup"
    turns = bench.turns("fulls", root, title, all_tools, ("plain",))
    cases.fulls(turns, rounds_of(bench.options), pristine, count)


def bucket(bench: Bench) -> None:
    """Large files in a bucket, on a server on the loopback interface."""
    size = bench.options.bucket_mb * MB
    root = _prepared(bench, "bucket", {"size": size, "notes": 1}, partial(_large, size=size))
    title = f"In a bucket (S3, loopback): large files, {_megabytes(root)}"
    rounds = replace(rounds_of(bench.options), cold=0)  # the server would have to be stopped
    with bucket_server() as place:
        turns = bench.turns("bucket", root, title, partial(bucket_tools, bucket=place), ())
        cases.files(turns, rounds, _notes())


def startup(bench: Bench) -> None:
    """What a command takes that has next to nothing to do."""
    root = _prepared(bench, "startup", {"files": 100}, partial(data.make_tiny, count=100))
    turns = bench.turns("startup", root, "Start of a command", all_tools, ("plain", "deduplicated"))
    cases.startup(turns, rounds_of(bench.options), bench.options.starts)


SETS: dict[str, Callable[[Bench], None]] = {
    "startup": startup,
    "small": small,
    "large": large,
    "bucket": bucket,
    "database": database,
    "week": week,
    "fulls": fulls,
    "tiny": tiny,
}


def _prepared(bench: Bench, name: str, recipe: Recipe, make: Callable[[str], None]) -> str:
    """Make a data set in a folder of its own, and return that."""
    root = os.path.join(bench.options.work, name)
    print(f"{name}: preparing", file=sys.stderr, flush=True)
    data.prepare(os.path.join(root, "data"), {"version": 1, **recipe}, make)
    return root


def _studio(bench: Bench, name: str, size: int) -> tuple[str, str]:
    """Make a studio, and return where it lives and the copy that every round begins with."""
    pristine = os.path.join(bench.options.work, "studio", "data")
    _prepared(bench, "studio", {"size": size}, partial(studio.make, size=size))
    root = os.path.join(bench.options.work, name)
    studio.again(pristine, os.path.join(root, "data"))
    return root, pristine


def _large(folder: str, size: int) -> None:
    data.make_large(folder, size)
    data.make_notes(os.path.join(folder, NOTES))


def _notes() -> dict[str, str]:
    return {"one file": f"{NOTES}/07.txt", "folder": NOTES}


def _limit(folder: str) -> Command:
    return Command([sys.executable, limit_script, folder], os.path.dirname(folder))


def _middle(folder: str) -> str:
    """Return the file in the middle of all."""
    found = sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(folder)
        for name in names
    )
    return found[len(found) // 2]


def _megabytes(root: str) -> str:
    return f"{size_of(os.path.join(root, 'data')) / MB:,.0f} MB"
