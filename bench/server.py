"""
Measure the server: what it costs a backup when many people look at pages, and how quickly pages come.

    python bench/server.py                       two or three minutes
    python bench/server.py --pairs 1 --megabytes 200

Clients look at pages and lists at a fixed rate, and each follows the events, as an open page does. The
figures mean something beside each other, not beside those of another machine.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PATHS = {
    "api": ("/api/v1/backups", "/api/v1/runs", "/api/v1/health", "/api/v1/session"),
    "pages": ("/", "/backups", "/runs", "/api/v1/backups", "/api/v1/runs", "/static/css/base.css"),
}
OK = 200
PAGES = ("/", "/backups", "/runs", "/schedule", "/checks", "/notifications", "/settings", "/users", "/audit")


def main() -> int:
    """Print the figures; return 1 where a request failed."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder:
        studio = Studio(Path(folder), options.megabytes)
        for _ in range(options.backups):
            studio.run("create", "--type", "incremental")
        with studio.serving() as (port, token):
            print(f"first byte to last of each page, {options.backups + 1} backups, median of 20:")
            for path in PAGES:
                print(f"  {path:<16} {_page(port, token, path):6.1f} ms")
            alone, beside, load = _pairs(studio, port, token, options)
    ratios = [with_load / without for without, with_load in zip(alone, beside, strict=True)]
    print(f"a backup of {options.megabytes} MB alone: {statistics.median(alone):.2f} s (median)")
    print(f"with {options.clients} clients, {options.rate} requests/s: {statistics.median(beside):.2f} s")
    print(f"ratio: {statistics.median(ratios):.3f}, median of {' '.join(f'{ratio:.3f}' for ratio in ratios)}")
    print(f"requests: {len(load.seconds)}, errors: {load.errors}, {_quantiles(load.seconds)}")
    return 1 if load.errors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=500, help="size of the studio")
    parser.add_argument("--backups", type=int, default=20, help="how many incremental ones there are")
    parser.add_argument("--clients", type=int, default=50, help="at the same time")
    parser.add_argument("--rate", type=int, default=200, help="requests a second, all together")
    parser.add_argument("--pairs", type=int, default=5, help="backups without and with clients")
    parser.add_argument("--ask", choices=PATHS, default="api", help="what clients ask for")
    parser.add_argument("--no-events", dest="events", action="store_false", help="nobody follows the events")
    return parser.parse_args()


class Studio:
    """A studio of files that compress to a half, and the real commands on it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.root = folder / "studio"
        (self.root / "uploads").mkdir(parents=True)
        (self.root / "config.json").write_text(
            json.dumps({"backup": {"paths": ["uploads/"], "schedule": {"daily_full_backup": False}}})
        )
        chance = random.Random(1)
        for number in range(megabytes):
            half = chance.randbytes(500_000)
            (self.root / "uploads" / f"{number}.bin").write_bytes(half + b"text " * 100_000)
        self.run("create")

    def run(self, *words: str) -> str:
        """Run a command that has to succeed, and return what it printed."""
        command = [sys.executable, "-P", "-m", "pinnacle_backup", "--root", str(self.root), *words]
        env = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    def timed_backup(self) -> float:
        """Make a full backup, and return how many seconds it took."""
        began = time.perf_counter()
        self.run("create")
        return time.perf_counter() - began

    @contextmanager
    def serving(self) -> Iterator[tuple[int, str]]:
        """Serve, and give port and token."""
        token = re.findall(
            r"pb_\S+", self.run("token", "create", "--name", "bench", "--role", "administrator")
        )[0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.run("serve", "--daemon", "--port", str(port))
        try:
            yield port, token
        finally:
            self.run("serve", "--stop")


@dataclass
class Load:
    """What clients met: how long each request took, and how many failed."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0


def _pairs(
    studio: Studio, port: int, token: str, options: argparse.Namespace
) -> tuple[list[float], list[float], Load]:
    """Time backups without and with clients, in turn: what else the machine does meets both alike."""
    alone, beside, load = [], [], Load()
    for _ in range(options.pairs):
        alone.append(studio.timed_backup())
        beside.append(asyncio.run(_beside(studio, port, token, options, load)))
    return alone, beside, load


async def _beside(studio: Studio, port: int, token: str, options: argparse.Namespace, load: Load) -> float:
    every = options.clients / options.rate
    asked = PATHS[options.ask]
    clients = [
        asyncio.create_task(_client(port, token, asked, number, every, load))
        for number in range(options.clients)
    ]
    if options.events:
        clients += [asyncio.create_task(_follow(port, token)) for _ in range(options.clients)]
    await asyncio.sleep(1)
    seconds = await asyncio.to_thread(studio.timed_backup)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return seconds


async def _client(
    port: int, token: str, asked: tuple[str, ...], first: int, every: float, load: Load
) -> None:
    """Ask again and again on one connection, at a steady pace."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(every * random.random())
    due = time.perf_counter()
    for turn in itertools.count(first):
        began = time.perf_counter()
        try:
            status = await _ask(reader, writer, token, asked[turn % len(asked)])
        except OSError:
            status = 0
        load.seconds.append(time.perf_counter() - began)
        load.errors += status != OK
        due = max(due + every, time.perf_counter())
        await asyncio.sleep(due - time.perf_counter())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, path: str) -> int:
    """Send a request and read the answer, and return its status."""
    writer.write(_request(token, path))
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        await reader.readexactly(int(length[1]))
    else:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])


async def _follow(port: int, token: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(token, "/api/v1/events"))
    with suppress(asyncio.CancelledError):
        while await reader.read(65536):
            pass
    writer.close()


def _request(token: str, path: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Accept: text/html, */*\r\n\r\n".encode()


def _page(port: int, token: str, path: str) -> float:
    """Return how many milliseconds a page takes, median."""

    async def ask() -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found = []
        for _ in range(21):
            began = time.perf_counter()
            assert await _ask(reader, writer, token, path) == OK, path
            found.append(time.perf_counter() - began)
        writer.close()
        return found[1:]

    return 1000 * statistics.median(asyncio.run(ask()))


def _quantiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return ", ".join(
        f"{name} {1000 * cuts[place]:.0f} ms" for name, place in (("median", 49), ("95 %", 94), ("99 %", 98))
    )


if __name__ == "__main__":
    sys.exit(main())
