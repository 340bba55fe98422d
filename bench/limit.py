"""
The machine's limit for a first full backup: read, SHA-256, compress, and nothing else.

    python bench/limit.py FOLDER

As many processes as there are processors take files, or parts of large ones, from one list. Nothing is
written, sorted, encrypted or remembered, and a large file is hashed in parts side by side, which no tool that
needs the hash of the whole can do. So this is what no tool written like ours can be quicker than.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
from collections.abc import Iterator

from isal import igzip_lib

PART = 4 << 20
LEVEL = 1
GROUP = 64


def main() -> int:
    """Go through the folder once, and print how many bytes there were and are."""
    parts = list(_parts(sys.argv[1]))
    groups = [parts[start : start + GROUP] for start in range(0, len(parts), GROUP)]
    if len(groups) < 8 * (os.cpu_count() or 1):
        groups = [[part] for part in parts]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        sizes = list(pool.imap_unordered(_work, groups))
    print(*map(sum, zip(*sizes, strict=True)))
    return 0


def _parts(top: str) -> Iterator[tuple[str, int]]:
    """Yield path and beginning of every part of at most `PART` bytes."""
    for folder, _, names in os.walk(top):
        for path in (os.path.join(folder, name) for name in names):
            if not os.path.islink(path):
                yield from ((path, start) for start in range(0, max(1, os.path.getsize(path)), PART))


def _work(parts: list[tuple[str, int]]) -> tuple[int, int]:
    before = after = 0
    for path, start in parts:
        descriptor = os.open(path, os.O_RDONLY)
        content = os.pread(descriptor, PART, start)
        os.close(descriptor)
        hashlib.sha256(content).digest()
        before += len(content)
        after += len(igzip_lib.compress(content, LEVEL))
    return before, after


if __name__ == "__main__":
    sys.exit(main())
