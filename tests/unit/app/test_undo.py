"""What an undo restores: what the last restore in place saved, and those before it that broke off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinnacle_backup.app.undo import taken_back
from pinnacle_backup.model.runs import CANCELLED, FAILED, GOOD, KILLED, Run, RunFacts

from ...studios import Studio, warm_up


def restores(*runs: str) -> Iterator[Run]:
    """Yield runs, newest first, each written as: what it saved (- for nothing), what it restored, its end."""
    for number, words in enumerate(runs):
        safety, backup, outcome = words.split()
        code = "store-full" if outcome == FAILED else ""
        outcome = FAILED if outcome == "damaged" else outcome
        facts = RunFacts(safety=safety.removeprefix("-"), backup=backup)
        yield Run(id=100 - number, verb="restore", outcome=outcome, code=code, facts=facts)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], ""),
        ([f"s2 b {GOOD}", f"s1 a {GOOD}"], "s2"),
        ([f"s1 a {KILLED}"], "s1"),
        ([f"s2 a {GOOD}", f"s1 a {KILLED}"], "s2 s1"),
        ([f"s3 a {GOOD}", f"s2 a {CANCELLED}", f"s1 a {FAILED}"], "s3 s2 s1"),
        ([f"s3 a {KILLED}", f"s2 a {KILLED}", f"s1 a {GOOD}"], "s3 s2"),
        ([f"s2 b {GOOD}", f"s1 a {KILLED}"], "s2"),  # something else was restored
        ([f"s3 a {GOOD}", f"s2 b {GOOD}", f"s1 a {KILLED}"], "s3"),
        ([f"s2 a {GOOD}", "s1 a damaged"], "s2"),  # that one was carried out, but for what is damaged
        ([f"s2 s1 {GOOD}", f"s1 a {GOOD}"], "s2"),  # an undo is undone
        ([f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s1"),  # an undo goes on
        ([f"s3 s1 {KILLED}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s1"),
        ([f"s3 s2 {KILLED}", f"s2 a {GOOD}", f"s1 a {KILLED}"], "s2 s1"),
        ([f"s3 s1 {GOOD}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s3 s2"),
        ([f"s3 s2 {KILLED}", f"s2 s1 {KILLED}", f"s1 a {KILLED}"], "s1"),
        ([f"s2 gone {KILLED}", f"s1 a {GOOD}"], "s2"),
        ([f"- s1 {GOOD}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s2"),  # an undo that was killed at its end
        ([f"- s1 {KILLED}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s1"),
        ([f"- a {GOOD}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s1"),
        ([f"- s1 {GOOD}", f"s3 s1 {KILLED}", f"s2 s1 {KILLED}", f"s1 a {GOOD}"], "s3 s2"),
        ([f"- a {GOOD}", f"s1 a {KILLED}"], "s1"),
        ([f"- a {GOOD}"], ""),
    ],
)
def test_what_is_taken_back(runs: list[str], expected: str) -> None:
    assert " ".join(taken_back(list(restores(*runs)))) == expected


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    return Studio(tmp_path / "studio")


def restored_twice(studio: Studio) -> Path:
    """Restore the backup ``made`` over two versions of a page, and return the page."""
    page = studio.root / "encyclopedia/page.md"
    studio.good("create", "--name", "made")
    for words in ("first", "second"):
        page.write_text(words)
        studio.good("restore", "made")
    return page


def test_without_a_record_of_runs_the_newest_that_was_saved_is_taken_back(studio: Studio) -> None:
    page = restored_twice(studio)
    shutil.rmtree(studio.root / ".pinnacle")
    studio.good("undo")
    assert page.read_text() == "second"
    page.write_text("third")
    studio.good("restore", "made")
    studio.good("undo")
    assert page.read_text() == "third"


def test_an_earlier_restore_is_not_taken_back_in_place_of_the_last(studio: Studio) -> None:
    """What the last one saved was deleted: an undo of the one before would mix two states."""
    page = restored_twice(studio)
    newest = next(name for name, found in studio.listed().items() if found["safety"])
    studio.good("delete", newest, "--yes")
    ended = studio.run("undo")
    assert ended.code == 10, ended
    assert page.read_text() == "# A page\n"
