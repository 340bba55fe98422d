"""
Data to back up: real small files of this machine, large files of three kinds, many tiny files, a database.

Everything but the small files is the same on every machine: contents come from a seeded generator.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice, zip_longest

MIB = 1 << 20
SEED = 20261122
SMALL = MIB
PER_FOLDER = 100
ROW_BYTES = 390
WORDS = (
    *("archive", "backup", "chunk", "content", "database", "digest", "entry", "folder", "index", "ledger"),
    *("manifest", "member", "page", "path", "query", "record", "repository", "restore", "retention", "rule"),
    *("signal", "source", "store", "studio", "table", "thread", "upload", "verify", "window", "year"),
)


def prepare(folder: str, recipe: dict[str, int | str], make: Callable[[str], None]) -> None:
    """Make a data set in `folder` unless the very same recipe has been made there before."""
    marker = folder.rstrip("/") + ".recipe.json"
    if os.path.exists(marker):
        with open(marker, encoding="utf-8") as file:
            if json.load(file) == recipe:
                return
        os.unlink(marker)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    make(folder)
    with open(marker, "w", encoding="utf-8") as file:
        json.dump(recipe, file)


def make_small(folder: str, count: int) -> None:
    """Copy `count` real files of at most 1 MiB, in turn from Python's folder, /usr/share and /usr/lib."""
    roots = [sys.base_prefix, "/usr/share", "/usr/lib"]
    for number, (place, source) in enumerate(islice(_turns(roots), count)):
        target = os.path.join(folder, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)
        os.chmod(target, os.stat(target).st_mode | 0o200)
        if number % 10_000 == 0:
            _say(f"  {number:,} files")


def _turns(roots: list[str]) -> Iterator[tuple[str, str]]:
    """Yield places and sources, one of each root in turn; all over again where they are too few."""
    again = 0
    while True:
        found = [_small_files(root, f"{again}-{number}") for number, root in enumerate(roots)]
        yield from (pair for turn in zip_longest(*found) for pair in turn if pair is not None)
        again += 1


def _small_files(root: str, name: str) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        for path in (os.path.join(folder, file) for file in sorted(files)):
            if _is_small_file(path):
                yield os.path.join(name, os.path.relpath(path, root)), path


def _is_small_file(path: str) -> bool:
    return not os.path.islink(path) and os.path.isfile(path) and os.path.getsize(path) <= SMALL


def make_large(folder: str, size: int) -> None:
    """Make `size` bytes: a third random, a third log lines, a third one SQLite database."""
    third = size // 3
    write(os.path.join(folder, "images.bin"), random_blocks(third, SEED))
    for number in range(4):
        write(os.path.join(folder, f"application-{number}.log"), log_blocks(third // 4, SEED + number))
    make_database(os.path.join(folder, "studio.db"), third)


def make_notes(folder: str, count: int = 20) -> None:
    """Make a folder of small texts, of which one, or all, are restored out of much else."""
    chance = random.Random(SEED)
    os.makedirs(folder)
    for number in range(count):
        write(os.path.join(folder, f"{number:02}.txt"), iter([text(chance, 5000).encode()]))


def make_tiny(folder: str, count: int) -> None:
    """Make `count` files of a line each, a hundred to a folder."""
    for number in range(count):
        if number % PER_FOLDER == 0:
            group = number // PER_FOLDER
            place = os.path.join(folder, f"{group // PER_FOLDER:04}", f"{group % PER_FOLDER:02}")
            os.makedirs(place)
        write(os.path.join(place, f"{number:08}.txt"), iter([f"This is file {number}.\n".encode()]))


def make_database(path: str, size: int) -> None:
    """Make a SQLite database of about `size` bytes with rows of words and numbers, as applications have."""
    chance = random.Random(SEED)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA page_size = 4096")
        database.execute(
            "CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT, views INTEGER)"
        )
        rows = (
            (text(chance, 30), text(chance, ROW_BYTES - 40), chance.randrange(10**6))
            for _ in range(_rows(size))
        )
        database.executemany("INSERT INTO articles (title, body, views) VALUES (?, ?, ?)", rows)


def update_rows(path: str, share: float, seed: int = SEED + 1) -> None:
    """Give this share of a database's rows, anywhere in it, another body of the same length."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(path)) as database, database:
        (count,) = database.execute("SELECT count(*) FROM articles").fetchone()
        chosen = chance.sample(range(1, count + 1), round(count * share))
        rows = ((text(chance, ROW_BYTES - 40), row) for row in chosen)
        database.executemany("UPDATE articles SET body = ? WHERE id = ?", rows)


def _rows(size: int) -> int:
    return size // ROW_BYTES


def text(chance: random.Random, length: int) -> str:
    """Return words with a number among every four, `length` characters long."""
    words = chance.choices(WORDS, k=length // 6)
    for place in range(0, len(words), 4):
        words[place] = str(chance.getrandbits(32))
    return " ".join(words)[:length]


def random_blocks(size: int, seed: int) -> Iterator[bytes]:
    """Yield bytes that nothing compresses."""
    chance = random.Random(seed)
    for start in range(0, size, MIB):
        yield chance.randbytes(min(MIB, size - start))


def log_blocks(size: int, seed: int) -> Iterator[bytes]:
    """Yield lines as a web server logs them."""
    chance = random.Random(seed)
    clock, written = 1_760_000_000.0, 0
    while written < size:
        lines = []
        for _ in range(min(5000, (size - written) // 60 + 1)):
            clock += chance.random()
            lines.append(f"{clock:.3f} {_log_line(chance)}\n")
        block = "".join(lines).encode()[: size - written]
        written += len(block)
        yield block


def _log_line(chance: random.Random) -> str:
    level = chance.choice(("INFO", "INFO", "INFO", "WARNING"))
    path = "/".join(chance.choices(WORDS, k=3))
    return (
        f"{level} [{chance.randrange(64):02}] GET /{path}/{chance.randrange(100_000)} 200 "
        f"{chance.randrange(10**6)} {chance.getrandbits(64):016x}"
    )


def write(path: str, blocks: Iterator[bytes]) -> None:
    """Write a file."""
    with open(path, "wb") as file:
        file.writelines(blocks)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
