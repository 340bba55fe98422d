"""The list of backups."""

from __future__ import annotations

import io
import json
from datetime import datetime

import msgspec
import pytest

from pinnacle_backup.cli.backup_table import show_listing
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.text import width
from pinnacle_backup.model.queries import ListedBackups
from pinnacle_backup.model.results import Problem


@pytest.fixture
def listing(backup) -> ListedBackups:
    """Two full backups, each with what builds on it, and an orphan."""
    return ListedBackups(
        directory="/b",
        backups=(
            backup(9, base=8, encrypted=True),
            backup(5, base=77),
            backup(4, base=1),
            backup(8, encrypted=True, verified="2026-11-19T12:00:00.000000Z"),
            backup(3, base=1, pinned=True),
            backup(1, name="my_backup"),
        ),
    )


def _shown(listing: ListedBackups, now: datetime, terminal: int | None) -> list[str]:
    out = io.StringIO()
    show_listing(Output(out, io.StringIO(), width=terminal), listing, now=now)
    return out.getvalue().splitlines()


def test_an_incremental_stands_below_its_base(listing: ListedBackups, now: datetime) -> None:
    names = [
        line.split("  ")[0] or "+" + line.strip().split("  ")[0] for line in _shown(listing, now, None)[1:]
    ]
    assert names == [
        "my_backup.tar.gz",
        "+backup_20261119_030000_incremental.tar.gz",
        "+backup_20261119_040000_incremental.tar.gz",
        "+backup_20261119_050000_incremental.tar.gz",
        "backup_20261119_080000.tar.gz.enc",
        "+backup_20261119_090000_incremental.tar.gz.enc",
    ]


def test_a_missing_base_is_said(listing: ListedBackups, now: datetime) -> None:
    (orphan,) = [line for line in _shown(listing, now, None) if "_05" in line]
    assert "no base" in orphan


@pytest.mark.parametrize("terminal", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_name_is_whole(
    listing: ListedBackups, now: datetime, terminal: int
) -> None:
    lines = _shown(listing, now, terminal)
    assert max(width(line) for line in lines) <= terminal
    for info in listing.backups:
        assert any(info.name in line for line in lines)


def test_a_row_tells_what_a_person_chooses_by(listing: ListedBackups, now: datetime) -> None:
    title, *rows, _, total = _shown(listing, now, 120)
    assert title.split()[:2] == ["NAME", "TYPE"]
    (row,) = [row for row in rows if "_080000" in row]
    assert row.split("  ")[1:] != []
    for word in ("full", "1.6 GB", "412 MB", "12,345", "enc", "1 d ago"):
        assert word in row
    assert "pin" in next(row for row in rows if "_03" in row)
    assert total == "6 backups, 2.5 GB in /b"


def test_piped_rows_are_one_line_each_without_the_sum(listing: ListedBackups, now: datetime) -> None:
    assert len(_shown(listing, now, None)) == 1 + len(listing.backups)


def test_names_cannot_fake_lines_or_send_escapes(backup, now: datetime) -> None:
    evil = ListedBackups(
        directory="/b", backups=(msgspec.structs.replace(backup(1), name="a\033[2J\nb.tar.gz"),)
    )
    text = "\n".join(_shown(evil, now, 80))
    assert "\033" not in text
    assert "a\\x1b[2J\\nb.tar.gz" in text


def test_archives_that_cannot_be_used_are_named_and_the_exit_code_is_1(backup, now: datetime) -> None:
    out, err = io.StringIO(), io.StringIO()
    listing = ListedBackups(directory="/b", backups=(backup(1),), problems=(Problem("x.tar.gz", "cut off"),))
    assert show_listing(Output(out, err), listing, now=now) == 1
    assert err.getvalue() == "pinnacle-backup: warning: 1 archive cannot be used:\n    x.tar.gz: cut off\n"


def test_json_has_one_flat_object_for_each_backup(listing: ListedBackups, now: datetime) -> None:
    out = io.StringIO()
    show_listing(Output(out, io.StringIO(), as_json=True), listing, now=now)
    answer = json.loads(out.getvalue())
    assert answer["problems"] == []
    assert answer["backups"][0] == {
        "name": "backup_20261119_090000_incremental.tar.gz.enc",
        "format": 1,
        "repository": "0" * 32,
        "id": f"{9:032x}",
        "type": "incremental",
        "created": "2026-11-19T09:00:00.000000Z",
        "base": f"{8:032x}",
        "safety": False,
        "compression": "gzip",
        "entries": 12_345,
        "size": 1_600_000_000,
        "added": 3,
        "changed": 5,
        "deleted": 1,
        "references": [],
        "warnings": 0,
        "shrunk": False,
        "stored": 412_000_000,
        "encrypted": True,
        "pinned": False,
        "verified": "",
    }


def test_other_places_have_a_column_where_there_are_any(backup, now: datetime) -> None:
    listed = ListedBackups(
        directory="/b",
        backups=(backup(1), backup(2)),
        also_in={backup(1).name: ("cloud", "far")},
        only_in={"cloud": 3},
    )
    out = io.StringIO()
    show_listing(Output(out, io.StringIO(), width=200), listed, now=now)
    header, first, second, *_, more = out.getvalue().splitlines()
    assert header.endswith("ALSO IN")
    assert [line.endswith("cloud, far") for line in (first, second)].count(True) == 1
    assert more == "3 more backups in cloud: pinnacle-backup --repository cloud list"


def test_a_backup_that_lacks_an_archive_is_incomplete(listing: ListedBackups, now: datetime) -> None:
    lacking = [
        msgspec.structs.replace(info, totals=msgspec.structs.replace(info.totals, references=("f" * 32,)))
        if info.name == "my_backup.tar.gz"
        else info
        for info in listing.backups
    ]
    shown = _shown(msgspec.structs.replace(listing, backups=tuple(lacking)), now, None)
    incomplete = [line.strip().split("  ")[0] for line in shown if "incomplete" in line]
    assert incomplete == [
        "my_backup.tar.gz",
        "backup_20261119_030000_incremental.tar.gz",
        "backup_20261119_040000_incremental.tar.gz",
    ]


def test_what_builds_on_a_backup_is_listed_once_however_many_copies_that_has(
    listing: ListedBackups, now: datetime
) -> None:
    full = msgspec.structs.replace(listing.backups[5], name="copy.tar.gz")
    shown = _shown(msgspec.structs.replace(listing, backups=(*listing.backups, full)), now, None)
    assert sum("_030000_incremental" in line for line in shown) == 1
    assert sum("copy.tar.gz" in line for line in shown) == 1
