"""
Measure Pinnacle Backup beside restic and GNU tar with pigz, and write docs/benchmarks.md.

    python bench/run.py                                  everything, about an hour
    python bench/run.py --sets small --small-files 2000 --rounds 1 --output /tmp/trial.md

`--work` must lie on a file system with a journal where restores are measured. Where the machine has none:

    truncate --size 40G /tmp/image && mkfs.ext4 -q /tmp/image
    mkdir /tmp/bench && mount /tmp/image /tmp/bench
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from functools import partial

import data
import machine
import report
from cases import Case, Record
from compare import size_of
from measure import CommandFailedError, adopt_orphans
from tools import PROJECT, Tool, all_tools

MB = 1_000_000
Recipe = dict[str, int | str]
Make = Callable[[str], None]
SHARES = {"1 %": 0.01, "0.1 %": 0.001}
ROWS = {"small": report.FILES, "large": report.FILES, "database": report.GROWTH, "tiny": report.TINY}


def main() -> int:
    """Run the sets that were asked for; each result is on disk before the next one starts."""
    options = parse(sys.argv[1:])
    missing = [name for name in ("restic", "pigz", "tar") if shutil.which(name) is None]
    if missing:
        print(
            f"not installed: {', '.join(missing)}; run `apt-get install {' '.join(missing)}`", file=sys.stderr
        )
        return 3
    adopt_orphans()
    os.makedirs(options.work, exist_ok=True)
    bench = Bench(options)
    try:
        for name in options.sets:
            SETS[name](bench)
    except CommandFailedError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"written: {options.output}", file=sys.stderr)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", default=list(SETS), type=_words, help=f"of {','.join(SETS)}")
    parser.add_argument("--tools", default=["plain", "encrypted", "restic", "tar"], type=_words)
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds after the one for memory")
    parser.add_argument("--small-files", type=int, default=100_000)
    parser.add_argument("--large-mb", type=int, default=2000)
    parser.add_argument("--database-mb", type=int, default=160)
    parser.add_argument("--tiny-files", type=int, default=100_000, help="and ten times as many")
    parser.add_argument("--work", default=os.path.join(PROJECT, "bench", "data"), help="needs 25 GB")
    parser.add_argument("--output", default=os.path.join(PROJECT, "docs", "benchmarks.md"))
    options = parser.parse_args(arguments)
    unknown = set(options.sets) - set(SETS)
    if unknown:
        parser.error(f"no set {unknown.pop()!r}; there are {', '.join(SETS)}")
    return options


def _words(text: str) -> list[str]:
    return text.split(",")


class Bench:
    """
    One run: the options, and the results so far.

    Args:
        options: Of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._titles: dict[str, str] = {}
        self._records: list[Record] = []
        self._names: dict[str, str] = {}
        self._facts = machine.facts(options.work)

    def case(self, name: str, title: str, recipe: Recipe, make: Make, *, place: str = "") -> Case:
        """Prepare a data set in a folder of its own, and return the case that measures it."""
        root = os.path.join(self.options.work, place or name)
        folder = os.path.join(root, "data")
        print(f"{name}: preparing {title}", file=sys.stderr, flush=True)
        data.prepare(folder, {"version": 1, **recipe}, make)
        self._titles[name] = title if name == "tiny" else f"{title}, {size_of(folder) / MB:,.0f} MB"
        return Case(name, root, self._tools(root), self._write)

    def _tools(self, root: str) -> dict[str, Tool]:
        tools = all_tools(root, os.path.join(root, "backups"))
        self._names = {name: tool.name for name, tool in tools.items()}
        return {name: tools[name] for name in self.options.tools}

    def _write(self, record: Record) -> None:
        """Keep a record, and write everything that is known so far."""
        self._records.append(record)
        results = {
            "command": self._command(),
            "facts": self._facts,
            "titles": self._titles,
            "records": self._records,
        }
        with open(os.path.splitext(self.options.output)[0] + ".json", "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
        with open(self.options.output, "w", encoding="utf-8") as file:
            file.write(report.page(results, ROWS, self._names))

    def _command(self) -> str:
        """Return the command that makes these figures anywhere, so without where it worked here."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--work")
        parser.add_argument("--output")
        return shlex.join(["python", "bench/run.py", *parser.parse_known_args(sys.argv[1:])[1]])


def small(bench: Bench) -> None:
    """Many small files."""
    count = bench.options.small_files
    case = bench.case(
        "small", f"{count:,} small files", {"files": count}, lambda f: data.make_small(f, count)
    )
    case.files(bench.options.rounds)


def large(bench: Bench) -> None:
    """A few large files."""
    size = bench.options.large_mb * MB
    title = "Large files: a third random, a third logs, a third a SQLite database"
    case = bench.case("large", title, {"size": size}, partial(data.make_large, size=size))
    case.files(bench.options.rounds)


def database(bench: Bench) -> None:
    """A database of which some rows change."""
    size = bench.options.database_mb * MB
    pristine = os.path.join(bench.options.work, "database", "studio.db")

    def make(folder: str) -> None:
        if os.path.exists(pristine):
            os.unlink(pristine)
        data.make_database(pristine, size)
        shutil.copy2(pristine, folder)

    case = bench.case("database", "A SQLite database", {"size": size}, make)
    case.growth(bench.options.rounds, pristine, SHARES)


def tiny(bench: Bench) -> None:
    """Memory by the number of files."""
    few = bench.options.tiny_files
    for label, count in (("few", few), ("many", 10 * few)):
        title = f"Memory by the number of files: {few:,} (few) and {10 * few:,} (many) of a line each"
        make = partial(data.make_tiny, count=count)
        bench.case("tiny", title, {"files": count}, make, place=f"tiny-{label}").memory(label)


SETS: dict[str, Callable[[Bench], None]] = {
    "small": small,
    "large": large,
    "database": database,
    "tiny": tiny,
}

if __name__ == "__main__":
    sys.exit(main())
