"""
Measure Pinnacle Backup beside restic, Borg, duplicity, GNU tar and rclone, and write docs/benchmarks.md.

    python bench/run.py                                  everything, several hours
    python bench/run.py --trial                          the same of small sizes, two or three minutes
    python bench/run.py --sets small --rounds 5          one set; the others keep their figures

Tools that are not installed are left out, and named. `--work` must lie on a file system with a journal where
restores are measured. Where the machine has none:

    truncate --size 60G /tmp/image && mkfs.ext4 -q /tmp/image
    mkdir /tmp/bench && mount /tmp/image /tmp/bench
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys

import machine
import page
from bucket_server import NoServerError
from cases import LIMIT
from measure import CommandFailedError, adopt_orphans
from options import parse
from sets import SETS, MakeTools
from tool import left_out
from turns import DifferentError, Record, Turns


def main() -> int:
    """Run the sets that were asked for; each result is on disk before the next one starts."""
    options = parse(sys.argv[1:], SETS, __doc__)
    adopt_orphans()
    os.environ["PATH"] += os.pathsep + os.path.dirname(sys.executable)  # tools from the same environment
    os.makedirs(options.work, exist_ok=True)
    bench = Bench(options)
    try:
        for name in options.sets:
            bench.measure(name)
    except (CommandFailedError, DifferentError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"written: {options.output}", file=sys.stderr)
    return 0


class Bench:
    """
    One run: the options, and the results of the set that is measured.

    Args:
        options: Of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._facts = machine.facts(options.work)
        self._results: dict[str, page.Result] = {}

    def turns(self, name: str, root: str, title: str, make: MakeTools, leave: tuple[str, ...]) -> Turns:
        """Begin a set, or go on with it: see `sets.Bench`."""
        tools = make(root, os.path.join(root, "backups"))
        wanted = {key: tools[key] for key in tools if key in self.options.tools and key not in leave}
        missing = left_out(wanted)
        for key, program in missing.items():
            print(f"{name}: left out, as {program} is not installed: {tools[key].name}", file=sys.stderr)
        found = {key: tool for key, tool in wanted.items() if key not in missing}
        records: list[Record] = self._results[name]["records"] if name in self._results else []
        self._results[name] = {
            "title": title,
            "command": self._command(),
            "facts": self._facts,
            "names": {**{key: tool.name for key, tool in found.items()}, LIMIT: "machine's limit"},
            "left out": [tools[key].name for key in missing],
            "records": records,
        }
        return Turns(name, root, found, records.append)

    def measure(self, name: str) -> None:
        """Measure a set and write the page; leave it out where what it needs is not installed."""
        try:
            SETS[name](self)
        except NoServerError as error:
            print(f"{name}: left out, as {error}", file=sys.stderr)
        else:
            page.update(self.options.output, {name: self._results[name]})

    def _command(self) -> str:
        """Return the command that makes these figures anywhere, so without where it worked here."""
        parser = argparse.ArgumentParser(add_help=False)
        parser.add_argument("--work")
        parser.add_argument("--output")
        return shlex.join(["python", "bench/run.py", *parser.parse_known_args(sys.argv[1:])[1]])


if __name__ == "__main__":
    sys.exit(main())
