"""Places and people for the tests of the file seam."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.removal import remove_tree

NOBODY = 65534
EXCHANGE = 2


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder that every user can reach."""
    path = Path(tempfile.mkdtemp(prefix="pinnacle-test-"))
    path.chmod(0o777)
    yield path
    with DirectoryCache.open(str(path.parent)) as folders:  # shutil.rmtree fails below a thousand levels
        remove_tree(folders, path.name)


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which root is an ordinary user."""

    @contextmanager
    def context() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        groups = os.getgroups()
        os.setgroups([])
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    return context


@pytest.fixture
def exchange() -> Callable[[Path, Path], None]:
    """Return what swaps two names at once (renameat2, RENAME_EXCHANGE)."""
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2

    def swap(first: Path, second: Path) -> None:
        if renameat2(-100, os.fsencode(first), -100, os.fsencode(second), EXCHANGE):
            raise OSError(ctypes.get_errno(), "renameat2")

    return swap
