"""Manifests of which parts are damaged."""

from __future__ import annotations

from typing import Any

import pytest

from pinnacle_backup.engine.salvage import sound_entries
from pinnacle_backup.errors import PinnacleError


@pytest.fixture
def several_parts(archives: Any) -> Any:
    """An archive whose manifest has several parts, and few entries in each."""
    contents = [archives.folder(f"{n:03}", xattrs={"user.x": bytes([n]) * 90_000}) for n in range(48)]
    return archives, archives.add("full.tar.gz", contents)


@pytest.mark.parametrize("damaged", [(), (0,), (2,), (1, 2), (3, 5), "all", "last"])
def test_all_sound_parts_are_read(several_parts: Any, damaged: Any) -> None:
    """Whichever parts are damaged, the entries of all others come, in order, and each damage is told."""
    archives, info = several_parts
    reader = archives.opener()(info.header.id)
    index = reader.summary.index
    reader.close()
    assert len(index) >= 6
    parts = {"all": range(len(index)), "last": [len(index) - 1]}.get(damaged, damaged)
    for number in parts:
        archives.change(info.name, index[number].member + 20, b"\xff\xfe\xfd")
    reader = archives.opener()(info.header.id)
    told: list[PinnacleError] = []
    found = [entry.path for entry in sound_entries(reader, told.append)]
    firsts = [part.first.decode() for part in index] + ["999"]
    lost = [range(int(firsts[number]), min(int(firsts[number + 1]), 48)) for number in parts]
    expected = [f"{n:03}" for n in range(48) if not any(n in span for span in lost)]
    assert found == expected
    assert len({error.message for error in told}) == len(parts)
    reader.close()
