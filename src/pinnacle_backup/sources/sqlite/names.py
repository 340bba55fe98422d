"""Which databases there are behind the paths: symbolic and hard links name one database twice."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.sqlite.header import pending


@dataclass(frozen=True)
class Target:
    """
    One database.

    Attributes:
        file: The path to open it by; its log and journal, if any, lie beside this one.
        names: The paths that were asked for and lead to it.
    """

    file: bytes
    names: tuple[str, ...]


def resolve(paths: Iterable[str]) -> tuple[list[Target], list[Problem]]:
    """
    Return each database once, in the one order in which every process takes their locks, and what is none.

    To read a hard-linked database through a name that its log does not lie beside would be to read it torn.
    """
    names: dict[tuple[int, int], dict[str, bytes]] = {}
    problems = []
    for path in paths:
        real = os.path.realpath(to_bytes(path))
        try:
            status = os.stat(real)
        except OSError as error:
            problems.append(Problem(printable(path), f"cannot be read ({error.strerror})"))
            continue
        if stat.S_ISREG(status.st_mode):
            names.setdefault((status.st_dev, status.st_ino), {})[path] = real
        else:
            problems.append(Problem(printable(path), "is not a file"))
    targets = []
    for found in names.values():
        if file := _with_log(set(found.values())):
            targets.append(Target(file, tuple(found)))
        else:
            problems += [
                Problem(printable(p), "has several names, each with a log of its own") for p in found
            ]
    return sorted(targets, key=lambda target: target.file), problems


def _with_log(files: set[bytes]) -> bytes:
    candidates = [file for file in files if pending(file)] or [min(files)]
    return candidates[0] if len(candidates) == 1 else b""
