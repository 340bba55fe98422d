"""
obstore, for whichever process asks.

Its threads do not live on in a forked child, where a call to it would wait for them forever. A child thus
loads it once more, from a file that the loader does not know yet: with threads of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ExtensionFileLoader
from types import ModuleType
from typing import Any, Final

from pinnacle_backup.errors import StoreError

_NAME: Final = "obstore._obstore"

# By process id: what parents loaded is kept, for to end it is as little possible here as to use it.
_loaded: Final[dict[int, ModuleType]] = {}


def obstore_here() -> Any:
    """
    Return obstore as it is loaded for this process. The caller sees to it that no other thread is in here.

    Raises:
        StoreError: It cannot be loaded.
    """
    pid = os.getpid()
    if pid not in _loaded:
        try:
            _loaded[pid] = _once_more() if _loaded else importlib.import_module(_NAME)
        except (ImportError, OSError) as error:
            raise StoreError(f"obstore cannot be loaded: {error}", hint="install it again") from error
    return _loaded[pid]


def _once_more() -> ModuleType:
    origin = sys.modules[_NAME].__file__
    assert origin is not None
    copy = os.memfd_create("obstore")
    try:
        _fill(copy, origin)
        path = f"/proc/self/fd/{copy}"
        loader = ExtensionFileLoader(_NAME, path)
        spec = importlib.util.spec_from_file_location(_NAME, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    finally:
        os.close(copy)
    return module


def _fill(copy: int, origin: str) -> None:
    with open(origin, "rb") as source:
        while os.sendfile(copy, source.fileno(), None, 1 << 30):
            pass
