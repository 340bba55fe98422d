"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Sequence

from cases import Rounds
from tools import NAMES, PROJECT

SIZES = {
    "small_files": (100_000, 500, "files in the set of small ones"),
    "large_mb": (2000, 20, "MB of large files"),
    "database_mb": (160, 8, "MB of a database"),
    "tiny_files": (100_000, 500, "files of a line each, and ten times as many"),
    "studio_mb": (1000, 12, "MB of a studio"),
    "bucket_mb": (1000, 10, "MB of large files in a bucket"),
    "days": (7, 1, "in the week of a studio"),
    "hours": (4, 2, "in a day that have an incremental backup; 24 is every hour"),
    "fulls": (30, 3, "full backups of a studio, one a night"),
    "starts": (10, 1, "times a round that a program is started"),
    "rounds": (3, 1, "timed rounds"),
    "cold_rounds": (1, 0, "rounds with cold caches, after them"),
}
"""By option: in earnest, in a trial, what it is."""

_PAGE = os.path.join(PROJECT, "docs", "benchmarks.md")


def parse(arguments: Sequence[str], sets: Collection[str], description: str | None) -> argparse.Namespace:
    """
    Read the command line.

    Args:
        arguments: The words.
        sets: That there are.
        description: For the help.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", default=list(sets), type=words, help=f"of {','.join(sets)}")
    parser.add_argument("--tools", default=list(NAMES), type=words, help=f"of {','.join(NAMES)}")
    parser.add_argument(
        "--trial", action="store_true", help="small sizes and one round: two or three minutes"
    )
    for name, (size, trial, what) in SIZES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, metavar="N", help=f"{what}: {size:,}, in a trial {trial:,}")
    parser.add_argument("--no-memory", action="store_true", help="leave the round out that measures memory")
    parser.add_argument("--work", default=os.path.join(PROJECT, "bench", "data"), help="needs 40 GB")
    parser.add_argument(
        "--output", help="page, with JSON beside it: docs/benchmarks.md, in a trial one of its own"
    )
    options = parser.parse_args(arguments)
    for chosen, known in ((options.sets, sets), (options.tools, NAMES)):
        if unknown := [name for name in chosen if name not in known]:
            parser.error(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    _sizes(options)
    return options


def words(text: str) -> list[str]:
    """Split a list at its commas."""
    return text.split(",")


def rounds_of(options: argparse.Namespace) -> Rounds:
    """Return how often is measured."""
    return Rounds(options.rounds, options.cold_rounds, memory=not options.no_memory)


def _sizes(options: argparse.Namespace) -> None:
    """Fill in what was not given."""
    for name, (size, trial, _) in SIZES.items():
        if getattr(options, name) is None:
            setattr(options, name, trial if options.trial else size)
    options.no_memory = options.no_memory or options.trial
    page = os.path.join(options.work, "trial.md") if options.trial else _PAGE
    options.output = options.output or page
