"""Archives in a bucket that are read as a whole and by their members, but come over the network once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pinnacle_backup.engine.drill_room import with_reserve
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.store.fetching import END, begin_file, fetching, following


@dataclass(frozen=True)
class Fetched:
    """
    Two ways to the same archives. Whoever reads one as a whole begins before those who read its members.

    Attributes:
        whole: Opens them for one who reads all bytes in order, of each archive once.
        members: Opens them for those who read here and there.
        files: What is written meanwhile: archives as they are stored.
    """

    whole: OpenByName
    members: OpenByName
    files: tuple[str, ...] = ()

    def close(self) -> None:
        """Remove the files."""
        for path in self.files:
            with suppress(OSError):  # the folder is going to be removed, too
                os.unlink(path)


def fetch_once(opener: OpenByName, sizes: Mapping[str, int], folder: str, *, besides: int) -> Fetched:
    """
    Return ways to archives that fetch once what lies far away, as far as there is room for it.

    Args:
        opener: Opens them where they lie.
        sizes: How large they are, by backup.
        folder: For temporary files.
        besides: Bytes that others may write there in the meantime.
    """
    files = []
    for backup, size in sizes.items():
        path = _path(folder, backup)
        if size > END and opener.is_far(backup) and _has_room(folder, besides + size) and begin_file(path):
            files.append(path)
            besides += size
    if not files:
        return Fetched(opener, opener)
    whole, members = (opener.through(partial(_way, folder, how)) for how in (fetching, following))
    return Fetched(whole, members, tuple(files))


def _way(
    folder: str,
    how: Callable[[str, Callable[[], ByteSource]], ByteSource],
    backup: str,
    opening: Callable[[], ByteSource],
) -> ByteSource:
    return how(_path(folder, backup), opening)


def _path(folder: str, backup: str) -> str:
    return os.path.join(folder, f"{backup}.fetched")


def _has_room(folder: str, nbytes: int) -> bool:
    status = os.statvfs(folder)
    return with_reserve(nbytes) <= status.f_bavail * status.f_frsize
