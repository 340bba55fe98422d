"""Drills of a studio: which backup, where to, what is kept, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.app.create import CreateRequest, create_backup
from pinnacle_backup.app.drill import drill_backup, list_drills
from pinnacle_backup.app.drill_page import page
from pinnacle_backup.app.drill_reports import Reports, check_report, key_path
from pinnacle_backup.app.health import studio_health
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio as Opened
from pinnacle_backup.app.studio import open_studio
from pinnacle_backup.crypto.signing import SigningKey
from pinnacle_backup.errors import (
    BackupNotFound,
    ConfigError,
    DamagedError,
    PasswordError,
    RestoreError,
    StoreFull,
    UsageError,
)
from pinnacle_backup.model.drills import (
    FAILED,
    PROVEN,
    CheckResult,
    DrilledBackup,
    DrilledDatabase,
    DrillReport,
    DrillSeconds,
)
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import Problem
from pinnacle_backup.state.drills import Drills

from ...contract.faults import until
from ...studios import Studio, warm_up
from .command import Known

NOBODY = Known()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "studio")


def opened(studio: Studio, **attributes: Any) -> Opened:
    place = Place(
        str(studio.root), str(studio.root / "config.json"), {"PATH": os.environ["PATH"], "SECRET": "canary"}
    )
    found = open_studio(place, command="test", warn=lambda _: None)
    return replace(found, **attributes)


def back_up(here: Opened, kind: str = "full", passwords: Known = NOBODY, **request: Any) -> str:
    request = CreateRequest(type=kind, **request)
    return create_backup(here, request, passwords=passwords, progress=Silent()).backup.name


def drilled(here: Opened, name: str = "", passwords: Known = NOBODY, **options: Any) -> DrillReport:
    return drill_backup(here, name, passwords=passwords, progress=Silent(), **options)


def left_behind(place: Path) -> list[str]:
    return os.listdir(place / "drills-scratch")


def test_a_drill_proves_the_newest_backup_and_is_remembered(studio: Studio) -> None:
    """Report, page, record and run say the same; the folder is gone."""
    here = opened(studio)
    back_up(here)
    studio.change()
    name = back_up(here, "incremental")
    report = drilled(here)
    assert (report.outcome, report.backup.name, report.problems) == (PROVEN, name, ())
    assert report.recovery_seconds == report.seconds.recovery > 0
    assert report.id.startswith("drill_20")
    assert report.started_by == here.origin.user
    assert [database.path for database in report.databases] == ["app.db"]
    (record,) = list_drills(here)
    assert (record.id, record.outcome, record.backup) == (report.id, PROVEN, name)
    (run,) = here.runs.newest(1)
    assert (run.verb, run.outcome, run.facts.backup, run.facts.entries) == (
        "drill",
        "good",
        name,
        report.entries,
    )
    assert left_behind(studio.root / ".pinnacle") == []
    reports = Reports(here)
    found = reports.check(reports.find())
    assert (found.report, found.genuine, found.own) == (report, True, True)
    assert "Proven restorable" in Path(reports.path(report.id)).read_text()
    assert os.stat(reports.path(report.id)).st_mode & 0o077 == 0


def test_an_encrypted_backup_takes_its_password(studio: Studio) -> None:
    """A wrong one is an error and leaves no report; the right one leaves none of itself."""
    here = opened(studio)
    back_up(here, encrypt=True, passwords=Known("canary-password"))
    with pytest.raises(PasswordError):
        drilled(here, passwords=Known("wrong"))
    assert Reports(here).ids() == ()
    report = drilled(here, passwords=Known("canary-password"))
    assert report.outcome == PROVEN
    assert report.backup.encrypted
    for extension in (".json", ".html"):
        assert "canary" not in Path(Reports(here).path(report.id, extension)).read_text()


def test_what_nobody_can_open_is_passed_over_but_never_in_silence(studio: Studio) -> None:
    """Run, report, page and command say so; who gave a password, or named a backup, meant it."""
    here = opened(studio)
    own = back_up(here)
    locked = back_up(here, encrypt=True, passwords=Known("canary-password"))
    why = f"{locked} is under another password, so {own} is taken"
    report = drilled(here)
    assert (report.outcome, report.backup.name, report.passed_over) == (PROVEN, own, why)
    (run,) = here.runs.newest(1)
    assert (run.outcome, run.message, run.facts.backup) == ("warnings", why, own)
    assert why in Path(Reports(here).path(report.id)).read_text()
    ended = studio.run("drill")
    assert (ended.code, why in ended.err) == (1, True)
    for name, passwords in (("latest", NOBODY), ("", Known("wrong"))):
        with pytest.raises(PasswordError):
            drilled(here, name, passwords)


def test_a_failed_drill_leaves_a_report_and_a_failed_run(studio: Studio) -> None:
    """That name what is wrong; the newest proven one is still remembered."""
    here = opened(studio)
    name = back_up(here)
    proven = drilled(here)
    with (studio.backups / name).open("r+b") as file:
        file.seek(400_000)
        file.write(b"\xff" * 64)
    report = drilled(here)
    assert report.outcome == FAILED
    assert [problem.path for problem in report.problems] == ["uploads/large.bin"]
    (run,) = here.runs.newest(1)
    assert (run.outcome, run.exit_code) == ("failed", 13)
    assert "uploads/large.bin" in run.message
    drills = Drills(here.state)
    assert drills.newest().outcome == FAILED
    assert drills.newest_proven().id == proven.id
    text = Path(Reports(here).path(report.id)).read_text()
    assert "NOT proven restorable" in text
    assert "uploads/large.bin" in text


def test_which_backup_is_drilled(studio: Studio) -> None:
    """The newest that is complete; a random one by the studio's randomness; never what a restore saved."""
    here = opened(studio)
    with pytest.raises(BackupNotFound):
        drilled(here)
    first, second = back_up(here, name="first"), back_up(here, name="second")
    studio.change()
    broken = back_up(here, "incremental")
    assert drilled(here).backup.name == broken
    (studio.backups / second).unlink()
    assert drilled(here).backup.name == first
    assert drilled(here, "first").backup.name == first
    third = back_up(here, name="third")
    for number, name in enumerate((third, first)):
        lucky = opened(studio, randomness=lambda count, n=number: n.to_bytes(count))
        assert drilled(lucky, random=True).backup.name == name


def test_an_archive_elsewhere_is_drilled_where_it_lies(studio: Studio, tmp_path: Path) -> None:
    """A copy on another disk."""
    here = opened(studio)
    name = back_up(here)
    (tmp_path / "copy").mkdir()
    (studio.backups / name).rename(tmp_path / "copy" / name)
    assert drilled(here, str(tmp_path / "copy" / name)).outcome == PROVEN


def test_two_drills_of_one_second_leave_two_reports(studio: Studio) -> None:
    here = opened(studio)
    back_up(here)
    now = here.now()
    still = opened(studio, clock=lambda: now)
    ids = [drilled(still).id for _ in range(3)]
    assert ids[1:] == [f"{ids[0]}_2", f"{ids[0]}_3"]
    assert [Reports(here).check(report).report.id for report in sorted(ids)] == sorted(ids)


def test_old_reports_go_but_the_last_proof_stays(studio: Studio) -> None:
    studio.configure(drill={"keep_reports": 2})
    here = opened(studio)
    back_up(here)
    proven = drilled(here)
    studio.configure(drill={"keep_reports": 2, "checks": ["false"]})
    failed = []
    for minutes in range(1, 5):
        moment = here.now() + timedelta(minutes=minutes)
        failed.append(drilled(opened(studio, clock=lambda now=moment: now)).id)
    assert set(Reports(here).ids()) == {proven.id, *failed[-2:]}
    assert len(os.listdir(studio.root / ".pinnacle" / "drills")) == 6
    assert len(list_drills(here)) == 5
    with pytest.raises(UsageError):
        Reports(here).find("drill_")
    with pytest.raises(BackupNotFound):
        Reports(here).find(failed[0])


@pytest.mark.parametrize(
    ("directory", "backup"),
    [
        ("uploads/drills", {}),
        ("uploads", {}),
        ("link", {}),
        ("somewhere", {"databases": ["**/*.db"]}),
        ("data/drills", {"databases": ["data/**/*.db"]}),
    ],
)
def test_a_folder_that_is_backed_up_is_refused(
    studio: Studio, directory: str, backup: dict[str, Any]
) -> None:
    """By whatever name; the drill would be in the next backup."""
    os.symlink("uploads", studio.root / "link")
    (studio.root / "data").mkdir()
    studio.configure(drill={"directory": directory}, **backup)
    here = opened(studio)
    back_up(here)
    with pytest.raises(ConfigError, match=r"backup\.drill\.directory: .* lies in the source"):
        drilled(here)


def test_another_folder_is_used_and_left_as_it_was(studio: Studio, tmp_path: Path) -> None:
    """What others have there is theirs."""
    place = tmp_path / "big disk"
    (place / "drills-scratch" / "theirs").mkdir(parents=True)
    (place / "run-theirs").mkdir()
    studio.configure(
        drill={"directory": str(place), "checks": [f'case "$PWD" in {str(place)!r}/*) ;; *) exit 1;; esac']}
    )
    here = opened(studio)
    back_up(here)
    assert drilled(here).outcome == PROVEN
    assert sorted(os.listdir(place)) == ["drills-scratch", "run-theirs"]
    assert left_behind(place) == ["theirs"]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_check_that_fails_is_told_as_such_and_damage_as_damage(studio: Studio, damaged: bool) -> None:
    """Run, mail and health: what only a check of the studio's own complains of is no damage."""
    studio.configure(drill={"checks": ["exit 4", "true", "exit 5"]})
    here = opened(studio)
    name = back_up(here)
    if damaged:
        with (studio.backups / name).open("r+b") as file:
            file.seek(400_000)
            file.write(b"\xff" * 64)
    report = drilled(here)
    assert (report.outcome, report.problem_count, report.came_back_whole) == (
        FAILED,
        2 + damaged,
        not damaged,
    )
    (run,) = here.runs.newest(1)
    assert (run.outcome, run.exit_code, run.code) == (
        "failed",
        *((13, "") if damaged else (2, "check-failed")),
    )
    assert ("came back whole" in run.hint) == (not damaged)
    shown = Path(Reports(here).path(report.id)).read_text()
    assert ("NOT proven restorable" in shown) == damaged
    assert ("Restored whole, but an own check failed" in shown) == (not damaged)
    told = [check.sentence for check in studio_health(here).bad]
    assert any(f"{name} is damaged" in sentence for sentence in told) == damaged
    assert any("check 1: exit 4: ended with exit code 4" in sentence for sentence in told) == (not damaged)


def test_checks_see_no_secret_and_reports_tell_none(studio: Studio) -> None:
    """Neither the environment's nor the configuration's."""
    secrets = {"encryption": {"key": "canary-key-0815"}}
    studio.configure(
        drill={"checks": ["env; cat config.json; echo canary-key-0815"]}, paths=["config.json"], **secrets
    )
    here = opened(studio)
    back_up(here)
    report = drilled(here)
    assert report.outcome == PROVEN
    (check,) = report.checks
    assert {line.partition("=")[0] for line in check.output.splitlines() if "=" in line} <= {
        "PATH", "HOME", "LANG", "PWD", "SHLVL", "_", "OLDPWD", "DRILL_FOLDER", "DRILL_BACKUP",
    }  # fmt: skip
    for extension in (".json", ".html"):
        assert "canary" not in Path(Reports(here).path(report.id, extension)).read_text()


def test_a_killed_drill_leaves_a_folder_that_the_next_one_removes(studio: Studio) -> None:
    """Also where folders in it may not be written to."""
    warm_up()
    (studio.root / "uploads" / "sub").chmod(0o555)
    studio.configure(
        drill={"checks": ["touch ../../../reached; sleep 1000 & echo $! > ../../../child; wait"]}
    )
    here = opened(studio)
    back_up(here)
    pid = studio.start("drill")
    reached = studio.root / ".pinnacle" / "child"
    for _ in range(600):
        if reached.exists() and reached.read_text():
            break
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.kill(int(reached.read_text()), signal.SIGKILL)
    assert len(left_behind(studio.root / ".pinnacle")) == 1
    studio.configure()
    assert drilled(opened(studio)).outcome == PROVEN
    assert left_behind(studio.root / ".pinnacle") == []


def test_a_drill_that_is_stopped_leaves_nothing(studio: Studio) -> None:
    """Neither its folder nor what a check has started."""
    warm_up()
    studio.configure(drill={"checks": ["sleep 1000 & echo $! > ../../../child; wait"]})
    here = opened(studio)
    back_up(here)
    pid = studio.start("drill")
    child = studio.root / ".pinnacle" / "child"
    for _ in range(600):
        if child.exists() and child.read_text():
            break
        time.sleep(0.05)
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert left_behind(studio.root / ".pinnacle") == []
    status = Path(f"/proc/{child.read_text().strip()}/stat")
    until(lambda: not status.exists() or ") Z " in status.read_text())
    assert here.runs.newest(1)[0].outcome == "cancelled"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a memory disk of that size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount, and not everywhere")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_too_little_room_is_said_before_anything_is_written(studio: Studio, tmp_path: Path) -> None:
    """With how much it takes and how much is free; nothing is left behind, and no report says anything."""
    place = tmp_path / "disk"
    with small_disk(place, "5m"):
        studio.configure(drill={"directory": str(place)})
        here = opened(studio)
        back_up(here)
        with pytest.raises(StoreFull, match=r"a drill of backup_\S+ needs [\d,]+ bytes, [\d,]+ are free"):
            drilled(here)
        assert left_behind(place) == []
        assert list_drills(here) == ()


def test_a_disk_that_others_fill_meanwhile_says_nothing_against_the_backup(
    studio: Studio, tmp_path: Path
) -> None:
    """The drill stops with one line, and what it has restored is removed."""
    place = tmp_path / "disk"

    class Filler(Silent):
        def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
            if name == "restore":
                with suppress(OSError), open(place / "filler", "wb", buffering=0) as file:
                    while True:
                        file.write(bytes(1 << 20))

    with small_disk(place, "72m"):
        studio.configure(drill={"directory": str(place)})
        here = opened(studio)
        back_up(here)
        with pytest.raises(RestoreError, match="No space left on device") as caught:
            drill_backup(here, passwords=NOBODY, progress=Filler())
        assert "backup.drill.directory" in caught.value.hint
        assert left_behind(place) == []
        assert list_drills(here) == ()


def _tampered(document: dict[str, Any]) -> dict[str, Any]:
    document["report"]["recovery_seconds"] = 0.5
    return document


def _forged(document: dict[str, Any]) -> dict[str, Any]:
    from base64 import b64encode

    from pinnacle_backup.app.drill_reports import canonical

    key = SigningKey.new()
    document["report"]["outcome"] = PROVEN
    signature = key.sign(canonical(document["report"]))
    return document | {
        "signature": b64encode(signature).decode(),
        "public_key": b64encode(key.public).decode(),
    }


@pytest.mark.parametrize(
    ("change", "genuine", "own"), [(dict, True, True), (_tampered, False, True), (_forged, True, False)]
)
def test_what_was_done_to_a_report_is_told(
    studio: Studio, tmp_path: Path, change: Callable[[Any], Any], genuine: bool, own: bool
) -> None:
    """Laying it out anew changes nothing, any other value does, and another key is another key."""
    here = opened(studio)
    back_up(here)
    report = drilled(here)
    document = json.loads(Path(Reports(here).path(report.id, ".json")).read_text())
    file = tmp_path / "report.json"
    file.write_text(json.dumps(change(document), indent=3, ensure_ascii=False))
    found = check_report(str(file), key_path(here))
    assert (found.genuine, found.own) == (genuine, own)
    assert check_report(str(file), None).own is None
    assert check_report(str(file), str(tmp_path / "no key")).own is None


def test_openssl_says_the_same(studio: Studio, tmp_path: Path) -> None:
    """By the commands of the documentation."""
    guide = Path(__file__).resolve().parents[3] / "docs" / "design" / "drill-report.md"
    commands = guide.read_text().split("```bash\n")[1].split("```")[0]
    if subprocess.run(["openssl", "version"], capture_output=True, check=False).returncode:
        pytest.skip("openssl is not installed")
    here = opened(studio)
    back_up(here)
    file = Reports(here).path(drilled(here).id, ".json")
    script = "\n".join(commands.splitlines()[1:])
    said = subprocess.run(
        ["/bin/sh", "-c", f"FILE={file}\n{script}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Verified Successfully" in said.stdout
    assert json.loads(Path(file).read_text())["fingerprint"] in said.stdout


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"report": {}, "signature": "", "public_key": "", "fingerprint": ""}',
        b'{"report": 1, "report": 2}',
        b"\xff" * 10,
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    with pytest.raises(DamagedError, match="is no report"):
        check_report(str(file), None)


class _Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_page_shows_names_and_does_not_obey_them() -> None:
    """Whatever files, databases and commands are called, and whatever checks print."""
    evil = "<script src=//x>alert(1)</script>\"'><img onerror=x> $style \N{RIGHT-TO-LEFT OVERRIDE}"
    report = DrillReport(
        id="drill_20261122_140322", studio=evil, host=evil, program="p", started_by=evil,
        started="2026-11-22T14:03:22.000000Z", ended="2026-11-22T14:04:22.000000Z",
        backup=DrilledBackup(name=evil, id="0", type="full", created="2026-11-22T02:00:00.000000Z", stored=1),
        data_age_seconds=1, recovery_seconds=1.0, seconds=DrillSeconds(), entries=1, nbytes=1, owners_compared=True,
        databases=(DrilledDatabase(path=evil, integrity=(evil,), foreign_keys=None),),
        checks=(CheckResult(command=evil, exit_code=1, seconds=1.0, output=evil.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "")),),
        problems=(Problem(evil, evil),), problem_count=300, outcome=FAILED,
    )  # fmt: skip
    text = page(report, SigningKey.new().public, "c2lnbmF0dXJl")
    tags = _Tags()
    tags.feed(text)
    assert tags.tags.isdisjoint({"script", "img", "a", "link", "iframe"})
    assert not any(name.startswith("on") for name in tags.attributes)
    assert "&lt;script src=//x&gt;" in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "And 299 more" in text
    assert "http" not in text.replace("http-equiv", "")
