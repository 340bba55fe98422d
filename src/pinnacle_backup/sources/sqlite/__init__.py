"""
SQLite databases: all of a studio at one instant, read in place while their writers go on.

``freeze`` is the way in. What it promises, and how, is in ``freeze.py`` and ``instant.py``.
"""

from __future__ import annotations

from pinnacle_backup.sources.sqlite.check import Judgement, check, judge
from pinnacle_backup.sources.sqlite.freeze import freeze
from pinnacle_backup.sources.sqlite.frozen import Frozen, FrozenDatabase
from pinnacle_backup.sources.sqlite.header import companions, database_of, is_database, page_size
from pinnacle_backup.sources.sqlite.replacement import obstacle, replace_content
from pinnacle_backup.sources.sqlite.rows import TooLong, Unreadable, table_changes

__all__ = [
    "Frozen",
    "FrozenDatabase",
    "Judgement",
    "TooLong",
    "Unreadable",
    "check",
    "companions",
    "database_of",
    "freeze",
    "is_database",
    "judge",
    "obstacle",
    "page_size",
    "replace_content",
    "table_changes",
]
