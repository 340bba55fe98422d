"""
A studio that lives: uploads come, logs grow and rotate, rows change, files are renamed and deleted.

What happens is drawn from a generator seeded by day and hour: the same on every machine.
"""

from __future__ import annotations

import os
import random
import shutil

from data import MIB, SEED, log_blocks, make_database, random_blocks, text, update_rows, write

UPLOADS, LOGS, DATABASE = "uploads", "logs", "studio.db"
LOG_NAMES = ("access", "application", "worker", "errors")
KEPT_LOGS = 5
FOLDERS = 24
SHARE_OF_ROWS = 0.01
DAILY_UPLOADS = 0.03
DAILY_LOGS = 0.05
RENAMED, DELETED = 0.01, 0.005
_LARGEST = 2 * MIB


def make(folder: str, size: int) -> None:
    """Make a studio: half uploads, a quarter logs, a quarter a database."""
    for number in range(FOLDERS):
        os.makedirs(os.path.join(folder, UPLOADS, f"{number:02}"))
    _upload(folder, size // 2, "first", random.Random(SEED))
    os.makedirs(os.path.join(folder, LOGS))
    for place, name in enumerate(LOG_NAMES):
        for age in range(KEPT_LOGS):
            write(_log(folder, name, age), log_blocks(size // 80, SEED + 10 * place + age))
    make_database(os.path.join(folder, DATABASE), size // 4)


def hour(folder: str, size: int, day: int, number: int, hours: int) -> None:
    """Let an hour go by, of `hours` a day: uploads come and logs grow."""
    chance = random.Random(f"{SEED} {day} {number}")
    _upload(folder, int(size * DAILY_UPLOADS / hours), f"{day}-{number}", chance)
    for name in LOG_NAMES:
        with open(_log(folder, name, 0), "ab") as file:
            share = int(size * DAILY_LOGS / 4 / hours / len(LOG_NAMES))
            file.writelines(log_blocks(share, chance.getrandbits(32)))


def night(folder: str, day: int) -> None:
    """Let a night go by: logs rotate, rows change, uploads are renamed and deleted."""
    for name in LOG_NAMES:
        for age in reversed(range(1, KEPT_LOGS)):
            os.replace(_log(folder, name, age - 1), _log(folder, name, age))
        write(_log(folder, name, 0), iter([]))
    update_rows(os.path.join(folder, DATABASE), SHARE_OF_ROWS, SEED + day)
    chance = random.Random(f"{SEED} {day} night")
    files = _uploads(folder)
    chance.shuffle(files)
    renamed, deleted = (max(1, round(share * len(files))) for share in (RENAMED, DELETED))
    for path in files[:renamed]:
        os.rename(path, os.path.join(os.path.dirname(path), f"renamed-{day}-{os.path.basename(path)}"))
    for path in files[renamed : renamed + deleted]:
        os.unlink(path)


def again(pristine: str, folder: str) -> None:
    """Begin anew with a copy of the studio as it was made."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pristine, folder)


def _upload(folder: str, size: int, name: str, chance: random.Random) -> None:
    """Add files of this size together, most of them small; two of three do not compress, as pictures."""
    number = 0
    while size > 0:
        length = min(size, _LARGEST, int(chance.lognormvariate(10.8, 1.2)) + 1)
        picture = chance.random() < 2 / 3
        ending = "png" if picture else "txt"
        place = os.path.join(folder, UPLOADS, f"{chance.randrange(FOLDERS):02}", f"{name}-{number}.{ending}")
        blocks = random_blocks(length, chance.getrandbits(32)) if picture else [text(chance, length).encode()]
        write(place, iter(blocks))
        size, number = size - length, number + 1


def _uploads(folder: str) -> list[str]:
    top = os.path.join(folder, UPLOADS)
    return sorted(os.path.join(place, name) for place, _, names in os.walk(top) for name in names)


def _log(folder: str, name: str, age: int) -> str:
    return os.path.join(folder, LOGS, f"{name}.log" + (f".{age}" if age else ""))
