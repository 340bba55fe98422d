"""
Compiled templates, kept beside the package as Python keeps its own modules: compiling them takes a second.

Whoever can write there can change the program itself, so what lies there is believed as much.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

_FOLDER: Final = Path(__file__).parent / "__pycache__"


class CompiledTemplates(FileSystemBytecodeCache):
    """
    Keeps what was compiled where that can be written; where it cannot, each process compiles for itself.

    Args:
        settings: What the result depends on besides Jinja and the template; another text, another result.
        folder: Where.
    """

    def __init__(self, settings: str, folder: Path = _FOLDER) -> None:
        known = hashlib.sha256(f"{jinja2.__version__} {sys.implementation.cache_tag} {settings}".encode())
        super().__init__(os.fspath(folder), f"template-{known.hexdigest()[:12]}-%s")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what is there, if it is sound."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - a file that was cut raises whatever pickle comes upon
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, if that is possible and wanted."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)
