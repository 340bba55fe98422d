"""What the tests of the configuration share: a studio root whose config.json a test writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pinnacle_backup.config.load import load
from pinnacle_backup.config.schema import Configuration

Loader = Callable[..., Configuration]


@pytest.fixture
def studio(tmp_path: Path) -> Loader:
    """Write the document as config.json (private unless told), and load it."""

    def loader(
        document: object, environ: Mapping[str, str] | None = None, *, mode: int = 0o600
    ) -> Configuration:
        path = tmp_path / "config.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        path.chmod(mode)
        return load(str(path), environ or {})

    return loader
