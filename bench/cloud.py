"""
Measure backups in a bucket beside restic's, against the same S3 server on the loopback interface.

    python bench/cloud.py                        2 GB of large files, three rounds
    python bench/cloud.py --large-mb 300 --rounds 1 --backups 50

The server is the one of the tests (SeaweedFS, from the test dependencies). Both tools work straight on the
bucket, encrypted, with their defaults; every restore is compared with what was backed up.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from bucket_server import NoServerError, bucket_server
from compare import differences
from data import make_large, make_small, prepare
from measure import Command, CommandFailedError, Measurement, adopt_orphans, run
from tool import PROJECT, Tool
from tool_bucket import BucketPinnacle, BucketRestic

MB = 1_000_000
NOTE = "note.txt"
OURS = "Pinnacle, encrypted"
Figures = dict[tuple[str, str], list[Measurement]]


def main() -> int:
    """Print the figures and their ratios."""
    options = _options()
    if shutil.which("restic") is None:
        print("not installed: restic; run `apt-get install restic`", file=sys.stderr)
        return 3
    adopt_orphans()
    try:
        with _place(options.work) as work, bucket_server() as bucket:
            root = os.path.join(work, "root")
            _data(root, options)
            ours = BucketPinnacle(root, os.path.join(work, "Pinnacle"), bucket)
            theirs = BucketRestic(root, os.path.join(work, "restic"), bucket)
            _print(_rounds([ours, theirs], root, work, options.rounds))
            seconds = _cold_list(ours, options.backups)
            print(f"list of {options.backups} backups in a bucket that is not known yet: {seconds:.2f} s")
    except (CommandFailedError, NoServerError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--large-mb", type=int, default=2000, help="in 20 files")
    parser.add_argument("--small-files", type=int, default=0, help="beside them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backups", type=int, default=1000, help="for the cold list")
    parser.add_argument("--work", default="", help="where data, restores and the server's disk go")
    return parser.parse_args()


@contextmanager
def _place(folder: str) -> Iterator[str]:
    with ExitStack() as stack:
        if folder:
            os.makedirs(folder, exist_ok=True)
            os.environ["TMPDIR"] = tempfile.tempdir = folder
        yield folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-cloud-"))


def _data(root: str, options: argparse.Namespace) -> None:
    folder = os.path.join(root, "data")

    def make(folder: str) -> None:
        make_large(os.path.join(folder, "large"), options.large_mb * MB)
        if options.small_files:
            make_small(os.path.join(folder, "small"), options.small_files)
        with open(os.path.join(folder, NOTE), "w", encoding="utf-8") as file:
            file.write("a few kilobytes\n" * 300)

    recipe: dict[str, int | str] = {"large": options.large_mb, "small": options.small_files, "kind": "cloud"}
    prepare(folder, recipe, make)


def _rounds(tools: list[Tool], root: str, work: str, rounds: int) -> Figures:
    """Let the tools take turns in every step: what else the machine does meets both alike."""
    figures: Figures = {}
    target = os.path.join(work, "restored")
    for turn in range(rounds + 1):
        for tool in tools if turn % 2 else reversed(tools):
            _one_round(tool, root, target, figures if turn else {}, memory=not turn)
    return figures


def _one_round(tool: Tool, root: str, target: str, figures: Figures, *, memory: bool) -> None:
    def measured(step: str, command: Command) -> None:
        figures.setdefault((step, tool.name), []).append(run(command, memory=memory))

    prepared = tool.setup()
    if prepared is not None:
        run(prepared)
    measured("full", tool.full())
    measured("unchanged", tool.incremental())
    for step, part in (("restore", ""), ("one file", NOTE)):
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        measured(step, tool.restore(target, part))
        if step == "restore":
            wrong = next(differences(os.path.join(root, "data"), os.path.join(target, "data")), None)
            if wrong is not None:
                raise CommandFailedError(f"{tool.name} restored something else: {wrong}")
    shutil.rmtree(target, ignore_errors=True)
    if memory:
        print(f"{tool.name}: peak memory", end="")
        for (step, _), (one,) in figures.items():
            print(f", {step} {one.memory / MB:.0f} MB", end="")
        print()


def _print(figures: Figures) -> None:
    print(f"{'':<10} {'Pinnacle':>9} {'restic':>9} {'ratio':>6}   restic's time over ours; CPU likewise")
    for step in dict.fromkeys(step for step, _ in figures):
        ours, theirs = figures[step, OURS], figures[step, "restic"]
        wall, cpu = _ratio(ours, theirs, "wall"), _ratio(ours, theirs, "cpu")
        medians = [statistics.median(one.wall for one in each) for each in (ours, theirs)]
        print(f"{step:<10} {medians[0]:>7.2f} s {medians[1]:>7.2f} s {wall:>6.2f}   {cpu:.2f}")


def _ratio(ours: list[Measurement], theirs: list[Measurement], what: str) -> float:
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(getattr(their, what) / getattr(our, what) for our, their in pairs)


def _cold_list(tool: BucketPinnacle, count: int) -> float:
    """Return how long a list takes that knows nothing of the bucket, median of three."""
    tool.setup()
    run(tool.full())
    _multiply(tool, count)
    seconds: list[float] = []
    for _ in range(3):
        tool.forget()
        seconds.append(run(tool.listing()).wall)
    return statistics.median(seconds)


def _multiply(tool: BucketPinnacle, count: int) -> None:
    """Make small backups until there are so many."""
    words: Mapping[str, str] = tool.listing().environment
    script = (
        "import sys\n"
        "from pinnacle_backup.cli.main import run, _context\n"
        f"for number in range({count - 1}):\n"
        "    words = ['create', '--type', 'incremental', '--name', f'n{number:04}', '--quiet']\n"
        "    code = run([*words, *sys.argv[1:]], _context('pinnacle-backup'))\n"
        "    assert code == 0, code\n"
    )
    password = tool.full().arguments[-2:]
    environment = {**words, "PYTHONPATH": os.path.join(PROJECT, "src")}
    run(Command([sys.executable, "-c", script, *password], tool.full().cwd, environment))


if __name__ == "__main__":
    sys.exit(main())
