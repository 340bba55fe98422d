"""What commands say at their end, and how they exit."""

from __future__ import annotations

import io
import json
from datetime import datetime

import msgspec
import pytest

from pinnacle_backup.cli.cleaning import show_cleanup, show_cleanup_plan
from pinnacle_backup.cli.details import show_details
from pinnacle_backup.cli.differences import show_differences
from pinnacle_backup.cli.entries import entry_line
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import show_backup, show_plan, show_restore, show_verify
from pinnacle_backup.model.copies import CopyReport, MadeBackup
from pinnacle_backup.model.entry import DIRECTORY, FILE, SYMLINK, Entry
from pinnacle_backup.model.queries import BackupDetails, Difference
from pinnacle_backup.model.results import (
    CleanupPlan,
    CleanupReport,
    Problem,
    RestoreReport,
    Verdict,
    VerifyReport,
)


class Streams:
    """An output and what it was given."""

    def __init__(self, **options: object) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        self.output = Output(self._out, self._err, **options)

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()

    @property
    def object(self) -> dict[str, object]:
        (line,) = self.out.splitlines()
        return json.loads(line)


@pytest.fixture
def streams() -> Streams:
    return Streams()


def test_a_good_backup_is_one_line_and_exit_code_0(streams: Streams, backup) -> None:
    report = MadeBackup(backup=backup(1), read=1_600_000_000, sha256="ab", seconds=6.5)
    assert show_backup(streams.output, report) == 0
    assert streams.out == (
        "backup_20261119_010000.tar.gz made: 12,345 paths, 1.6 GB, stored as 412 MB (6.5 s, 246 MB/s)\n"
    )
    assert streams.err == ""


def test_sources_that_could_not_be_read_are_named_and_the_exit_code_is_1(streams: Streams, backup) -> None:
    problems = tuple(Problem(f"uploads/{n}", "permission denied") for n in range(25))
    report = MadeBackup(backup=backup(2, base=1), read=10, sha256="ab", seconds=0.1, warnings=problems)
    assert show_backup(streams.output, report) == 1
    assert "25 sources not read as it should be:" in streams.err
    assert "uploads/19: permission denied" in streams.err
    assert "and 5 more" in streams.err
    assert "3 added, 5 changed, 1 deleted" in streams.out


def test_a_place_that_could_not_be_reached_is_a_warning_and_another_is_said(streams: Streams, backup) -> None:
    copies = (
        CopyReport(place="cloud", problems=(Problem("cloud", "the server was not reached"),)),
        CopyReport(place="far", copied=("backup_1.tar.gz",), stored=2_000_000, seconds=2),
    )
    report = MadeBackup(backup=backup(1), read=7, sha256="ab", seconds=1, copies=copies)
    assert show_backup(streams.output, report) == 1
    assert "not copied to cloud: the server was not reached; `copy` brings it there" in streams.err
    assert "Copied it to far: 2.0 MB (2.0 s, 1.0 MB/s)" in streams.out


def test_quiet_says_nothing_of_a_good_backup(backup) -> None:
    streams = Streams(quiet=True)
    show_backup(streams.output, MadeBackup(backup=backup(1), read=1, sha256="ab", seconds=1))
    assert streams.out == streams.err == ""


def test_json_of_a_long_command_ends_with_its_result(backup) -> None:
    streams = Streams(as_json=True)
    problem = Problem("x", "changed while it was read")
    show_backup(
        streams.output, MadeBackup(backup=backup(1), read=7, sha256="ab", seconds=1, warnings=(problem,))
    )
    answer = streams.object
    assert (answer["type"], answer["exit_code"], answer["read"]) == ("result", 1, 7)
    assert answer["backup"]["name"] == "backup_20261119_010000.tar.gz"
    assert answer["warnings"] == [{"path": "x", "reason": "changed while it was read"}]
    assert streams.err == ""


def test_a_plan_tells_counts_bytes_time_and_the_first_paths_of_each_action(streams: Streams, plan) -> None:
    show_plan(streams.output, plan())
    text = streams.out
    assert "Restoring backup_20261119_010000.tar.gz into the studio /srv/studio" in text
    assert "5.3 MB to write, about 0.4 s" in text
    assert "12,335  unchanged" in text
    assert "uploads/4.png  700 kB  content differs" in text
    assert "uploads/5.png" not in text
    assert "and 2 more" in text


def test_a_plan_fits_80_columns(plan) -> None:
    streams = Streams(width=80)
    show_plan(streams.output, plan(target="/srv/studio"))
    assert max(len(line) for line in streams.out.splitlines()) <= 80


def test_a_restore_that_failed_for_some_paths_names_them_and_exits_with_2(streams: Streams, plan) -> None:
    problem = Problem("uploads/1.png", "permission denied")
    report = RestoreReport(
        plan=plan(), restored=9, removed=0, nbytes=10, seconds=0.1, safety="s.tar.gz", problems=(problem,)
    )
    assert show_restore(streams.output, report) == 2
    assert "uploads/1.png: permission denied" in streams.err
    assert "pinnacle-backup undo" in streams.out


def test_verify_says_good_or_damaged(streams: Streams) -> None:
    good = VerifyReport(
        name="a.tar.gz", entries=10, size=10**9, databases=2, archives=("a.tar.gz", "b.tar.gz"), seconds=2
    )
    assert show_verify(streams.output, good) == 0
    assert "a.tar.gz is good: 10 paths, 1.0 GB, 2 databases read back (2.0 s, 500 MB/s)" in streams.out
    assert "b.tar.gz" in streams.out
    damaged = msgspec.structs.replace(good, problems=(Problem("x", "SHA-256 differs"),))
    assert show_verify(streams.output, damaged) == 13
    assert "x: SHA-256 differs" in streams.err


@pytest.mark.parametrize("width", [None, 80, 160])
def test_cleanup_gives_every_reason(width: int | None, backup, now: datetime) -> None:
    streams = Streams(width=width)
    cleanup = CleanupPlan(
        verdicts=(
            Verdict(
                backup=backup(2), keep=True, reasons=("the newest good full backup", "younger than 30 days")
            ),
            Verdict(backup=backup(1), keep=False, reasons=("older than 30 days",)),
        )
    )
    show_cleanup_plan(streams.output, cleanup, now)
    for words in (
        "keep",
        "delete",
        "the newest good full backup",
        "younger than 30 days",
        "1 backup to delete, 412 MB",
    ):
        assert words in streams.out


def test_a_suspended_cleanup_says_why(streams: Streams, backup, now: datetime) -> None:
    verdict = Verdict(backup=backup(1), keep=True, reasons=("cleanup is suspended",))
    show_cleanup_plan(
        streams.output, CleanupPlan(verdicts=(verdict,), suspended="half of the files are gone"), now
    )
    assert "nothing is deleted: half of the files are gone" in streams.err
    assert "Nothing to delete." in streams.out


def test_cleanup_that_could_not_delete_exits_with_2(streams: Streams) -> None:
    report = CleanupReport(
        plan=CleanupPlan(verdicts=()), removed=("a",), freed=7, problems=(Problem("b", "read-only"),)
    )
    assert show_cleanup(streams.output, report) == 2
    assert "1 backup deleted, 7 B freed" in streams.out


def test_details_tell_what_a_backup_needs(streams: Streams, backup, now: datetime) -> None:
    details = BackupDetails(
        backup=backup(2, base=1, encrypted=True), path="/b/x", sha256="ab", needs=("full.tar.gz",)
    )
    show_details(streams.output, details, now)
    assert "needs      full.tar.gz" in streams.out
    assert "More is readable with the password" in streams.out


def test_entries_look_as_in_ls(streams: Streams) -> None:
    lines = [
        entry_line(streams.output, entry)
        for entry in (
            Entry(path="uploads", type=DIRECTORY, mode=0o755),
            Entry(path="a\nb", type=FILE, mode=0o4755, size=1234, uid=33, gid=33, mtime_ns=-(10**18)),
            Entry(path="link", type=SYMLINK, mode=0o777, target="../x\033"),
            Entry(path="far", type=FILE, mtime_ns=10**21),
        )
    ]
    assert lines[0].startswith("drwxr-xr-x          0:0       -  1970-01-01")
    assert lines[0].endswith("  uploads/")
    assert lines[1].startswith("-rwsr-xr-x        33:33  1.2 kB  1938-04-24")
    assert lines[1].endswith("a\\nb")
    assert lines[2].endswith("link -> ../x\\x1b")
    assert "@1000000000000" in lines[3]


def test_differences_are_marked_and_counted(streams: Streams) -> None:
    def file(path: str, size: int) -> Entry:
        return Entry(path=path, type=FILE, size=size)

    differences = [
        Difference(path="a", change="added", after=file("a", 5)),
        Difference(path="b", change="removed", before=file("b", 6)),
        Difference(path="c", change="content", before=file("c", 7), after=file("c", 8)),
        Difference(
            path="d", change="metadata", before=file("d", 7), after=file("d", 7), reason="mode 0644 to 0600"
        ),
    ]
    assert show_differences(streams.output, differences) == 0
    assert streams.out.splitlines() == [
        "+ a  5 B",
        "- b  6 B",
        "~ c  7 B -> 8 B",
        ". d  mode 0644 to 0600",
        "1 added, 1 removed, 1 changed, 1 with other metadata",
    ]
