"""The pages: one module a noun, found by its name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def modules() -> list[ModuleType]:
    """Return all modules with routes, each with its ``router``."""
    return [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
