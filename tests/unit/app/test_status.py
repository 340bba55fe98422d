"""One sentence that says the worst fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pinnacle_backup.app.status import verdict
from pinnacle_backup.config.schema import Backup, Configuration
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.listing import Listing

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def _backup(
    hours: float, *, base: str = "", verified: float | None = None, **attributes: object
) -> BackupInfo:
    def iso(ago: float) -> str:
        return (NOW - timedelta(hours=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    header = BackupHeader(
        repository="0" * 32, id=f"{int(hours * 60):032x}", type=INCREMENTAL if base else FULL, created=iso(hours),
        base=base, safety=bool(attributes.pop("safety", False)),
    )  # fmt: skip
    totals = BackupTotals(entries=10, shrunk=bool(attributes.pop("shrunk", False)))
    checked = "" if verified is None else iso(verified)
    return BackupInfo(name=f"b{hours}.tar.gz", header=header, totals=totals, stored=1, verified=checked)


@pytest.mark.parametrize(
    ("listing", "level", "words"),
    [
        (Listing(()), "bad", "there is no backup yet"),
        (Listing((_backup(1, base="f" * 32),)), "bad", "no backup is complete"),
        (Listing((_backup(1, safety=True), _backup(200, verified=1))), "bad", "8 days old"),
        (Listing((_backup(27, verified=1),)), "bad", "1 day old"),
        (Listing((_backup(25, verified=1),)), "good", "Protected: the newest backup is 1 day old"),
        (Listing((_backup(3, shrunk=True, verified=1),)), "warning", "suspiciously little"),
        (Listing((_backup(3, verified=1),), (Problem("x.tar.gz", "cut off"),)), "warning", "x.tar.gz"),
        (Listing((_backup(3),)), "warning", "no backup was ever verified; the newest backup is 3 hours old"),
        (Listing((_backup(3), _backup(900, verified=800))), "warning", "nothing was verified for 33 days"),
        (Listing((_backup(0.001, verified=0),)), "good", "less than a minute"),
    ],
)
def test_the_worst_fact_comes_first(listing: Listing, level: str, words: str) -> None:
    found, sentence = verdict(listing, Configuration(), NOW)
    assert found == level
    assert words in sentence


def test_switched_off_is_not_protected() -> None:
    configuration = msgspec.structs.replace(Configuration(), backup=Backup(enabled=False))
    assert verdict(Listing((_backup(1, verified=0),)), configuration, NOW)[0] == "bad"
