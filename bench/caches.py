"""Cold caches: nothing of the data, the backups or the programs is in memory when a command starts."""

from __future__ import annotations

import os

_ALL = "/proc/sys/vm/drop_caches"


def drop(*folders: str) -> str:
    """
    Have the kernel forget what it has read, and say in words how much of it.

    Where this process may not drop everything, only the contents of the files below `folders` go: names,
    sizes and times stay in memory.
    """
    os.sync()  # only what is on the disk can be dropped
    try:
        with open(_ALL, "w", encoding="ascii") as file:
            file.write("3")
    except OSError:
        _drop_contents(folders)
        return "contents of files only"
    return "everything"


def _drop_contents(folders: tuple[str, ...]) -> None:
    for top in folders:
        for folder, _, names in os.walk(top):
            for path in (os.path.join(folder, name) for name in names):
                if not os.path.islink(path):
                    _drop_content(path)


def _drop_content(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
