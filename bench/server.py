"""
Measure the server: how quickly pages come, its memory, and what it costs a backup that many look at pages.

    python bench/server.py --work FOLDER             keeps the studios there for the next time
    python bench/server.py --backups 100 --entries 50000 --megabytes 200 --pairs 2

The first time it makes 1,000 backups and a folder with 500,000 files, which takes ten minutes; then it takes
three. Figures of pages are medians. A backup is timed without and with clients in turn, and the ratio is the
median of these pairs: what else the machine does meets both alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from server_load import ASKED, Load
from server_pages import addresses, answered, blank, logged_in, painted
from server_studio import Server, Studio, memory_of, studio_of_many, studio_of_one_folder

PARTS = ("pages", "folder", "load")
MB = 1_000_000
_IDLE_SECONDS = 5


def main() -> int:
    """Print the figures; return 1 where a request failed."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder:
        work = Path(options.work or folder)
        found = {part: _MEASURES[part](work, options) for part in PARTS if part in options.only}
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n")
    return 1 if found.get("load", {}).get("errors") else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=True
    )
    parser.add_argument("--work", help="where the studios are made, and kept")
    parser.add_argument("--json", metavar="FILE", help="also write the figures into this file")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure these parts only")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="paint nothing")
    parser.add_argument("--backups", type=int, default=1000, help="how many there are")
    parser.add_argument("--entries", type=int, default=500_000, help="files in the large folder")
    parser.add_argument("--megabytes", type=int, default=500, help="size of the studio that is backed up")
    parser.add_argument("--clients", type=int, default=50, help="at the same time")
    parser.add_argument("--rate", type=int, default=200, help="requests a second, all together")
    parser.add_argument("--pairs", type=int, default=5, help="backups without and with clients")
    parser.add_argument("--ask", choices=ASKED, default="mixed", help="what clients ask for")
    parser.add_argument("--no-events", dest="events", action="store_false", help="nobody follows the events")
    return parser.parse_args()


def _many(work: Path, options: argparse.Namespace) -> Studio:
    return studio_of_many(work, backups=options.backups, megabytes=options.megabytes)


def _pages(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure every page, and the memory after all were seen."""
    studio = _many(work, options)
    with studio.serving() as server:
        paths = addresses(server)
        who = logged_in(server)
        paints = painted(server, paths if options.browser else [])
        print(f"{studio.count():,} backups; milliseconds (median), of the processor's on average")
        print(f"  {'page':<24} {'answered':>9} {'processor':>9} {'painted':>9} {'first visit':>12}")
        pages = {_short(path): _page(server, path, who, paints.get(path, (0.0, 0.0))) for path in paths}
        if paints:
            print(f"  a word without any server: {blank():.1f} ms to the first paint")
            print(f"  slowest: {max(later for _, later in paints.values()):.0f} ms to the first paint")
        memory = _idle(server)
    return {"backups": options.backups, "pages": pages, **memory}


def _page(server: Server, path: str, who: str, paint: tuple[float, float]) -> dict[str, float]:
    milliseconds, processor = answered(server, path, who)
    first, later = paint
    times = f"{milliseconds:9.1f} {processor:9.1f} {_or_none(later):>9} {_or_none(first):>12}"
    print(f"  {_short(path):<24} {times}", flush=True)
    return {"answered": milliseconds, "processor": processor, "painted": later, "first visit": first}


def _idle(server: Server) -> dict[str, float]:
    """Measure the memory after a while in which nobody asks."""
    time.sleep(_IDLE_SECONDS)
    proportional, resident = memory_of(server.process)
    print(f"idle, after all pages were seen: {proportional / MB:.0f} MB (PSS), {resident / MB:.0f} MB (RSS)")
    return {"idle_pss": proportional, "idle_rss": resident}


def _folder(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the pages of a large folder: its beginning, and from somewhere in the middle."""
    studio = studio_of_one_folder(work, entries=options.entries)
    with studio.serving() as server:
        start = "/backups/latest/browse?path=uploads/large"
        middle = f"{start}&after=uploads/large/file-{options.entries // 2:07}.txt"
        found: dict[str, Any] = {"entries": options.entries}
        for name, path in (("first page", start), ("from the middle", middle)):
            paint = painted(server, [path] if options.browser else []).get(path, (0.0, 0.0))
            milliseconds, processor = answered(server, path, logged_in(server))
            found[name] = {"answered": milliseconds, "processor": processor, "painted": paint[1] or None}
            print(f"a folder of {options.entries:,} entries, {name}, milliseconds (median):")
            print(f"  answered {milliseconds:.1f}, processor {processor:.1f}, painted {_or_none(paint[1])}")
    return found


def _load(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure what clients cost a backup, and what a backup costs clients."""
    studio = _many(work, options)
    load = Load(options.clients, options.rate, ASKED[options.ask], options.events)
    alone, beside = [], []
    with studio.serving() as server:
        studio.timed_backup()
        for _ in range(options.pairs):
            alone.append(studio.timed_backup())
            beside.append(load.beside(server, studio.timed_backup))
    ratios = [with_load / without for without, with_load in zip(alone, beside, strict=True)]
    ratio, cuts = statistics.median(ratios), statistics.quantiles(load.seconds, n=100)
    print(f"a backup of {options.megabytes} MB alone: {statistics.median(alone):.2f} s")
    print(f"with {options.clients} clients, {options.rate} requests/s: {statistics.median(beside):.2f} s")
    print(f"ratio: {ratio:.3f}, the median of {' '.join(f'{each:.3f}' for each in sorted(ratios))}")
    print(
        f"requests: {len(load.seconds)} ({len(load.seconds) / load.lasted:.0f}/s), errors: {load.errors}, "
        f"median {1000 * cuts[49]:.0f} ms, 95 % {1000 * cuts[94]:.0f} ms, 99 % {1000 * cuts[98]:.0f} ms"
    )
    each = 1000 * load.processor / len(load.seconds)
    print(f"the server: {each:.1f} ms of processor time a request, {load.processor / load.lasted:.0%} of one")
    return {
        "ratio": ratio,
        "processor": each,
        "ratios": ratios,
        "alone": alone,
        "beside": beside,
        "requests": len(load.seconds),
        "rate": len(load.seconds) / load.lasted,
        "errors": load.errors,
        "median": cuts[49],
        "95 %": cuts[94],
        "99 %": cuts[98],
    }


def _short(path: str) -> str:
    """Return an address without ids."""
    parts = path.split("/")
    return "/".join(
        "..." if any(c.isdigit() for c in part) and place > 1 else part for place, part in enumerate(parts)
    )


def _or_none(milliseconds: float) -> str:
    return f"{milliseconds:.1f}" if milliseconds else "-"


_MEASURES = {"pages": _pages, "folder": _folder, "load": _load}

if __name__ == "__main__":
    sys.exit(main())
