"""
Measure backups in a bucket beside restic's, against the same S3 server on the loopback interface.

    python bench/cloud.py                        2 GB of large files, three rounds
    python bench/cloud.py --large-mb 300 --rounds 1 --backups 50

The server is the one of the tests (SeaweedFS, from the test dependencies). Both tools work straight on the
bucket, encrypted, with their defaults; every restore is compared with what was backed up.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol

from compare import differences
from data import make_large, make_small, prepare
from measure import Command, CommandFailedError, Measurement, adopt_orphans, run
from tools import PASSWORD, PROJECT

sys.path.insert(0, PROJECT)

from tests.s3_servers import ADMIN, REGION, S3Server, s3_server

MB = 1_000_000
BUCKET = "bench"
Figures = dict[tuple[str, str], list[Measurement]]


class Tool(Protocol):
    """What is measured of both."""

    name: str

    def setup(self) -> Command | None:
        """Forget what was before; return what must still be run for a new repository."""

    def full(self) -> Command:
        """Back everything up."""

    def unchanged(self) -> Command:
        """Back up once more, with nothing changed."""

    def restore(self, target: str) -> Command:
        """Restore all of it below `target`."""

    def one(self, target: str) -> Command:
        """Restore a single small file."""


class Pinnacle:
    """This project; the bucket is the only place of the backups."""

    name = "Pinnacle"

    def __init__(self, root: str, state: str, server: S3Server) -> None:
        self._root, self._state, self._server = root, state, server

    def setup(self) -> None:
        """Begin at a prefix of its own, with nothing remembered."""
        shutil.rmtree(self._state, ignore_errors=True)
        os.makedirs(self._state)
        with open(os.path.join(self._state, "password"), "w", encoding="utf-8") as file:
            file.write(PASSWORD)
        cloud = {
            "enabled": True,
            "bucket": BUCKET,
            "prefix": f"pinnacle-{os.urandom(4).hex()}",
            "endpoint_url": self._server.url,
            "region": REGION,
            "access_key": ADMIN.access_key,
            "secret_key": ADMIN.secret_key,
        }
        backup = {"paths": ["data/"], "databases": [], "primary": "cloud"}
        with open(os.path.join(self._root, "config.json"), "w", encoding="utf-8") as file:
            json.dump({"backup": backup, "cloud_storage": cloud}, file)

    def full(self) -> Command:
        """Make a full backup."""
        return self.run("create", "--name", "full", "--password-file", self._password)

    def unchanged(self) -> Command:
        """Make an incremental one."""
        return self.run("create", "--type", "incremental", "--password-file", self._password)

    def restore(self, target: str) -> Command:
        """Restore the full backup."""
        words = ("--target", target, "--yes", "--password-file", self._password)
        return self.run("restore", "full", *words)

    def one(self, target: str) -> Command:
        """Restore the note."""
        words = ("--target", target, "--yes", "--password-file", self._password)
        return self.run("restore", "full", "data/note.txt", *words)

    def forget(self) -> None:
        """Have the next command know nothing of the bucket."""
        shutil.rmtree(os.path.join(self._state, "state"), ignore_errors=True)

    def run(self, *arguments: str) -> Command:
        """Return a command on the studio."""
        script = os.path.join(PROJECT, "scripts", "backup_restore.py")
        places = {
            "PINNACLE_BACKUP__DIRECTORY": os.path.join(self._state, "backups"),
            "PINNACLE_BACKUP__STATE_DIRECTORY": os.path.join(self._state, "state"),
        }
        return Command([sys.executable, script, *arguments], self._root, places)

    @property
    def _password(self) -> str:
        return os.path.join(self._state, "password")


class Restic:
    """restic with its defaults."""

    name = "restic"

    def __init__(self, root: str, state: str, server: S3Server) -> None:
        self._root, self._state, self._server = root, state, server
        self._prefix = ""

    def setup(self) -> Command:
        """Make an empty repository at a prefix of its own."""
        shutil.rmtree(self._state, ignore_errors=True)
        self._prefix = f"restic-{os.urandom(4).hex()}"
        return self._run("init")

    def full(self) -> Command:
        """Make the first backup."""
        return self._run("backup", "data")

    def unchanged(self) -> Command:
        """Make the next."""
        return self._run("backup", "data")

    def restore(self, target: str) -> Command:
        """Restore the last backup."""
        return self._run("restore", "latest", "--target", target)

    def one(self, target: str) -> Command:
        """Restore the note."""
        return self._run("restore", "latest", "--target", target, "--include", "/data/note.txt")

    def _run(self, *arguments: str) -> Command:
        variables = {
            "RESTIC_REPOSITORY": f"s3:{self._server.url}/{BUCKET}/{self._prefix}",
            "RESTIC_CACHE_DIR": os.path.join(self._state, "cache"),
            "RESTIC_PASSWORD": PASSWORD,
            "AWS_ACCESS_KEY_ID": ADMIN.access_key,
            "AWS_SECRET_ACCESS_KEY": ADMIN.secret_key,
            "AWS_DEFAULT_REGION": REGION,
        }
        return Command(["restic", "--quiet", *arguments], self._root, variables)


def main() -> int:
    """Print the figures and their ratios."""
    options = _options()
    if shutil.which("restic") is None:
        print("not installed: restic; run `apt-get install restic`", file=sys.stderr)
        return 3
    adopt_orphans()
    try:
        with _place(options.work) as work, s3_server() as server:
            server.client().create_bucket(Bucket=BUCKET)
            root = os.path.join(work, "root")
            _data(root, options)
            tools = [kind(root, os.path.join(work, kind.name), server) for kind in (Pinnacle, Restic)]
            figures = _rounds(tools, root, work, options.rounds)
            _print(figures)
            seconds = _cold_list(tools[0], options.backups)
            print(f"list of {options.backups} backups in a bucket that is not known yet: {seconds:.2f} s")
    except CommandFailedError as error:
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
        with open(os.path.join(folder, "note.txt"), "w", encoding="utf-8") as file:
            file.write("a few kilobytes\n" * 300)

    recipe: dict[str, int | str] = {"large": options.large_mb, "small": options.small_files, "kind": "cloud"}
    prepare(folder, recipe, make)


def _rounds(tools: list[Pinnacle | Restic], root: str, work: str, rounds: int) -> Figures:
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
    measured("unchanged", tool.unchanged())
    for step, command in (("restore", tool.restore), ("one file", tool.one)):
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        measured(step, command(target))
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
        ours, theirs = figures[step, "Pinnacle"], figures[step, "restic"]
        wall, cpu = _ratio(ours, theirs, "wall"), _ratio(ours, theirs, "cpu")
        medians = [statistics.median(one.wall for one in each) for each in (ours, theirs)]
        print(f"{step:<10} {medians[0]:>7.2f} s {medians[1]:>7.2f} s {wall:>6.2f}   {cpu:.2f}")


def _ratio(ours: list[Measurement], theirs: list[Measurement], what: str) -> float:
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(getattr(their, what) / getattr(our, what) for our, their in pairs)


def _cold_list(tool: Pinnacle | Restic, count: int) -> float:
    """Return how long a list takes that knows nothing of the bucket, median of three."""
    assert isinstance(tool, Pinnacle)
    tool.setup()
    run(tool.full())
    _multiply(tool, count)
    seconds = []
    for _ in range(3):
        tool.forget()
        seconds.append(run(tool.run("list", "--json")).wall)
    return statistics.median(seconds)


def _multiply(tool: Pinnacle, count: int) -> None:
    """Make small backups until there are so many."""
    words: Mapping[str, str] = tool.run("list").environment
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
