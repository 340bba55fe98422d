"""What the tests of the format share: the golden archives, and byte sources in memory."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pinnacle_backup.errors import DamagedError


class Memory:
    """Bytes that can be read at any place."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > len(self.data):
            raise DamagedError("the file is too short")
        return self.data[offset : offset + length]

    def close(self) -> None: ...


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    """Makes byte sources of bytes."""
    return Memory


@pytest.fixture(scope="session")
def golden() -> ModuleType:
    """How the golden archives were made, and where they lie."""
    path = Path(__file__).with_name("golden") / "build.py"
    spec = importlib.util.spec_from_file_location("golden_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["golden_build"] = module
    spec.loader.exec_module(module)
    return module
