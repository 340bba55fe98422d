"""The command ``drill``: with and without its sub-commands, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinnacle_backup.cli.commands.drill import command

from ..studios import Studio, warm_up


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "first")
    return studio


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("words", "parsed"),
    [
        ([], ["run"]),
        (["latest"], ["run", "latest"]),
        (["--random"], ["run", "--random"]),
        (["--json", "--random"], ["--json", "run", "--random"]),
        (["--root", "list", "first"], ["--root", "list", "run", "first"]),
        (["--root=list", "show"], ["--root=list", "show"]),
        (["list"], ["list"]),
        (["-q", "check", "x"], ["-q", "check", "x"]),
        (["run", "list"], ["run", "list"]),
        (["--help"], ["--help"]),
        (["--decrypt", "list"], ["run", "--decrypt", "list"]),
        (["--json"], ["--json", "run"]),
    ],
)
def test_drill_alone_is_drill_run(monkeypatch, words: list[str], parsed: list[str]) -> None:
    """A backup's name or an option of ``run`` follows; what is a command stays one."""
    import click

    seen: list[list[str]] = []
    monkeypatch.setattr(click.Group, "parse_args", lambda self, ctx, args: seen.append(list(args)) or [])
    command.parse_args(click.Context(command, help_option_names=["-h", "--help"]), list(words))
    assert seen == [parsed]


def test_a_proven_drill_from_beginning_to_end(studio: Studio) -> None:
    """Drill, list, show, check."""
    said = studio.good("drill")
    assert said.startswith("first.tar.gz is proven restorable: restored in ")
    page = Path(said.splitlines()[-1].removeprefix("Report: "))
    assert page.is_file()
    listed = studio.good("drill", "list")
    titles = ["ID", "ENDED", "(UTC)", "AGE", "OUTCOME", "RECOVERY", "BACKUP"]
    assert listed.splitlines()[0].split() == titles
    assert page.stem in listed
    shown = studio.good("drill", "show")
    assert "first.tar.gz is proven restorable" in shown
    assert str(page) in shown
    assert studio.good("drill", "show", page.stem) == shown
    checked = studio.good("drill", "check", str(page.with_suffix(".json")))
    assert "is genuine: signed with this studio's key" in checked
    assert studio.good("drill", "--quiet", "first") == ""


def test_what_programs_get(studio: Studio) -> None:
    """One object a line; the last one is the result."""
    result = lines(studio.good("drill", "--random", "--json"))[-1]
    assert (result["type"], result["exit_code"], result["outcome"]) == ("result", 0, "proven")
    assert result["backup"]["name"] == "first.tar.gz"
    assert result["recovery_seconds"] > 0
    (drill,) = lines(studio.good("drill", "list", "--json"))[-1]["drills"]
    assert drill["id"] == result["id"]
    shown = lines(studio.good("--json", "drill", "show"))[-1]
    assert shown["report"]["id"] == result["id"]
    assert (shown["genuine"], shown["own"]) == (True, True)
    assert shown["page"].endswith(f"{result['id']}.html")


def test_a_failed_drill(studio: Studio) -> None:
    """Exit code 13; what is wrong goes to stderr, and quiet does not silence it."""
    with (studio.backups / "first.tar.gz").open("r+b") as file:
        file.seek(400_000)
        file.write(b"\xff" * 64)
    for words in (("drill",), ("drill", "-q")):
        ended = studio.run(*words)
        assert ended.code == 13, ended
        assert ended.out.startswith("first.tar.gz is NOT proven restorable\n")
        assert "uploads/large.bin" in ended.err


def test_a_check_of_ones_own_that_fails_is_no_damage(studio: Studio) -> None:
    """Exit code 2; what failed goes to stderr, and nothing says that the backup is damaged."""
    studio.configure(drill={"checks": ["echo no; exit 4"]})
    for words in (("drill",), ("drill", "-q")):
        ended = studio.run(*words)
        assert ended.code == 2, ended
        assert ended.out.startswith("first.tar.gz came back whole, but a check of your own failed\n")
        assert "check 1: echo no; exit 4: ended with exit code 4" in ended.err
    shown = studio.run("drill", "show")
    assert shown.code == 0
    assert "0 of 1 passed" in shown.out
    assert "failed in" in shown.out
    told = studio.run("status").out
    assert "damaged" not in told
    assert "the last drill failed" in told
    assert "first.tar.gz: check 1: echo no; exit 4: ended with exit code 4" in told


def test_reports_that_are_not_what_they_were(studio: Studio, tmp_path: Path) -> None:
    """13 for a changed one, 1 for one of another studio."""
    page = Path(studio.good("drill").splitlines()[-1].removeprefix("Report: "))
    report = page.with_suffix(".json")
    (studio.root / ".pinnacle" / "signing.key").unlink()
    other = studio.run("drill", "check", str(report))
    assert other.code == 1
    assert "not signed with this studio's key" in other.out
    report.write_text(report.read_text().replace("proven", "failed"))
    changed = studio.run("drill", "check", str(report))
    assert changed.code == 13
    assert "is NOT genuine" in changed.out
    assert studio.run("drill", "show").code == 13
    assert studio.run("drill", "check", str(tmp_path / "nothing")).code == 2
    assert studio.run("drill", "check", str(studio.root / "config.json")).code == 13


def test_slips(studio: Studio) -> None:
    """One clear line each."""
    assert studio.run("drill", "no-such-backup").code == 10
    assert studio.run("drill", "first", "--random").code == 3
    assert studio.run("drill", "show").code == 10
    assert "There was no drill yet" in studio.good("drill", "list")
