"""The passwords of a studio's backups."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pinnacle_backup.app.keys import add_password, change_password, list_keys, remove_password
from pinnacle_backup.errors import PasswordError, UsageError

from .command import Command, Known, password


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "studio")


def shown(command: Command) -> dict[str, list[tuple[int, str]]]:
    archives = list_keys(command.studio(), ())
    return {one.name: [(slot.number, slot.label) for slot in one.slots] for one in archives}


def check_sidecars(command: Command) -> None:
    names = [path.name for path in command.backups.glob("*.sha256")]
    assert len(names) == len(list(command.backups.glob("*.enc")))
    subprocess.run(["sha256sum", "--quiet", "-c", *names], cwd=command.backups, check=True)


def test_the_life_of_a_password(command: Command, tmp_path: Path) -> None:
    """Added for a colleague, changed, taken away: with two groups of backups that know nothing of each other."""
    for known in ("mine", "mine", "yours"):
        assert command("create", "--encrypt", password=known).returncode == 0
    first, second, other = sorted(shown(command))
    for name in ("hers", "next"):
        (tmp_path / name).write_text(f"{name}\n")

    ended = command("key", "add", "--label", "anna", "--new-file", str(tmp_path / "hers"), password="mine")
    assert ended.returncode == 1
    assert "2 backups have one more password" in ended.stdout
    assert other in ended.stderr
    assert shown(command) == {first: [(1, ""), (2, "anna")], second: [(1, ""), (2, "anna")], other: [(1, "")]}

    ended = command("key", "change", first, second, "--new-file", str(tmp_path / "next"), password="mine")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "2 backups have the new password" in ended.stdout
    assert command("export", first, "-o", "old.tar.gz", password="mine").returncode == 12
    assert command("export", first, "-o", "new.tar.gz", password="next").returncode == 0

    ended = command("key", "remove", "anna", password="next")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "2 backups have lost it" in ended.stdout
    archives = command.json("key", "list")["archives"]
    assert [(one["name"], [slot["number"] for slot in one["slots"]]) for one in archives] == [
        (other, [1]),
        (second, [3]),
        (first, [3]),
    ]
    assert command("key", "remove", "3", first, password="next").returncode == 3, "the last one stays"
    check_sidecars(command)
    assert command("verify", second, password="next").returncode == 0


def test_later_backups_have_all_passwords(command: Command) -> None:
    command("create", "--encrypt", password="mine")
    add_password(command.studio(), (), passwords=Known("mine"), new=password("hers"), label="anna")
    command("create", "--encrypt", password="hers")
    assert list(shown(command).values()) == [[(1, ""), (2, "anna")]] * 2


def test_a_person_is_asked_where_no_password_is_at_hand(command: Command) -> None:
    """For that of the newest of the backups, and again after a typing error."""
    command("create", "--encrypt", password="mine")
    (name,) = shown(command)
    person = Known(answers=("mien", "mine"))
    report = change_password(command.studio(), iter((name,)), passwords=person, new=password("next"))
    assert report.changed == (name,)
    assert person.asked == [f"of {name}"] * 2


def test_what_is_refused(command: Command) -> None:
    studio = command.studio()
    assert list_keys(studio, ()) == ()
    assert "No backup is encrypted" in command("key", "list").stdout
    with pytest.raises(UsageError, match="no backup is encrypted"):
        add_password(studio, (), passwords=Known("mine"), new=password("hers"))
    command("create", "--encrypt", password="mine")
    with pytest.raises(UsageError, match="one password is changed at a time"):
        change_password(studio, (), passwords=Known("mine", "yours"), new=password("next"))
    with pytest.raises(PasswordError, match="wrong password"):
        remove_password(studio, (), passwords=Known("wrong"), slot="1")
    with pytest.raises(UsageError, match="the new password is the old one"):
        change_password(studio, (), passwords=Known("mine"), new=password("mine"))
    command("create")
    with pytest.raises(UsageError, match="is not encrypted"):
        list_keys(studio, ("latest",))


def test_no_password_is_written_down(command: Command) -> None:
    command("create", "--encrypt", password="correct horse")
    add_password(
        command.studio(), (), passwords=Known("correct horse"), new=password("battery"), label="anna"
    )
    written = "".join(path.read_text() for path in (command.root / "logs").iterdir())
    assert "key add: started: anna" in written
    assert "key add: changed 1" in written
    assert "correct horse" not in written
    assert "battery" not in written
