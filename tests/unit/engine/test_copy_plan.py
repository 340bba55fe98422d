"""What is copied, what is there, and what goes there."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pinnacle_backup.engine.copy_plan import needed_first, plan
from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.copies import COPY, DELETE, DIFFERS, LEFT_OUT, STAYS, THERE, CopyPlan
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.listing import Listing, listing_of

OURS, THEIRS = "1" * 32, "2" * 32


def backup(
    number: int,
    *references: int,
    base: int = 0,
    name: str = "",
    stored: int = 100,
    pinned: bool = False,
    studio: str = OURS,
) -> BackupInfo:
    header = BackupHeader(
        repository=studio,
        id=f"{number:032x}",
        type=INCREMENTAL if base else FULL,
        created=f"2026-11-{number:02}T00:00:00.000000Z",
        base=f"{base:032x}" if base else "",
    )
    totals = BackupTotals(references=tuple(f"{other:032x}" for other in references))
    return BackupInfo(
        name=name or f"{number}.tar.gz", header=header, totals=totals, stored=stored, pinned=pinned
    )


def listing(*backups: BackupInfo, problems: tuple[Problem, ...] = ()) -> Listing:
    return listing_of(backups, problems)


def fates(found: CopyPlan) -> dict[str, str]:
    return {planned.backup.name.removesuffix(".tar.gz"): planned.action for planned in found.backups}


def names(found: CopyPlan, action: str) -> list[str]:
    return [info.name.removesuffix(".tar.gz") for info in found.of(action)]


def test_what_is_missing_is_copied_and_what_is_there_is_not() -> None:
    found = plan(listing(backup(1), backup(2), backup(3)), listing(backup(2)))
    assert fates(found) == {"1": COPY, "2": THERE, "3": COPY}


def test_the_newest_come_first_each_after_what_it_needs() -> None:
    found = plan(listing(backup(1), backup(2), backup(3, base=1), backup(4, 2), backup(5, base=4)), listing())
    assert names(found, COPY) == ["2", "4", "5", "1", "3"]


@given(st.lists(st.sets(st.integers(1, 28), max_size=3), max_size=28))
def test_each_backup_comes_once_and_after_all_that_it_needs(needs: list[set[int]]) -> None:
    older = [{other for other in of_one if other < number} for number, of_one in enumerate(needs, 1)]
    backups = [backup(number, *references) for number, references in enumerate(older, 1)]
    order = list(needed_first(listing(*backups).backups))
    assert sorted(order, key=lambda info: info.header.id) == backups
    reach = Reach(backups)
    for place, info in enumerate(order):
        assert reach.needs(info) <= {other.header.id for other in order[:place]}


class Counted(tuple[str, ...]):
    """References that know how often somebody has gone through them."""

    times: int = 0

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return super().__iter__()


def test_needs_are_looked_through_once_however_many_backups_build_on_one_another() -> None:
    """With deduplication each hour's backup refers to nearly all before it, and a month has 720."""
    backups = []
    for number in range(1, 60):
        made = backup(number)
        references = Counted(f"{other:032x}" for other in range(1, number))
        backups.append(structs.replace(made, totals=BackupTotals(references=references)))
    order = list(needed_first(reversed(backups)))
    assert order == backups
    assert {info.totals.references.times for info in backups} == {1}


def test_needs_in_a_circle_are_followed_to_their_end() -> None:
    """No writer makes them; whoever can write to the place can."""
    circle = [backup(1, 3), backup(2, 1), backup(3, 2, 4), backup(5, 2)]
    reach = Reach(circle)
    found = [{int(other, 16) for other in reach.needs(info)} for info in circle]
    assert found == [{2, 3, 4}, {1, 3, 4}, {1, 2, 4}, {1, 2, 3, 4}]


def test_two_archives_of_one_backup_are_both_copied() -> None:
    found = plan(listing(backup(1), backup(1, name="again.tar.gz"), backup(2, base=1)), listing())
    assert sorted(names(found, COPY)[:2]) == ["1", "again"]
    assert names(found, COPY)[2] == "2"


def test_a_name_that_is_taken_is_a_problem_and_never_a_copy() -> None:
    here = listing(backup(1, name="a.tar.gz"), backup(2), backup(3))
    broken = (Problem("3.tar.gz", "it is cut off"),)
    found = plan(here, listing(backup(9, name="a.tar.gz"), backup(2, stored=99), problems=broken))
    assert fates(found) == {"a": DIFFERS, "2": DIFFERS, "3": DIFFERS}
    reasons = {planned.reason for planned in found.backups}
    assert reasons == {
        "another backup has its name there",
        "has 99 bytes there, 100 here",
        "cannot be read there: it is cut off",
    }


def test_a_name_that_another_studio_has_taken_says_what_to_do() -> None:
    found = plan(listing(backup(1, name="a.tar.gz")), listing(backup(2, name="a.tar.gz", studio=THEIRS)))
    (planned,) = found.backups
    assert planned.action == DIFFERS
    assert "a prefix of its own" in planned.reason.replace("folder or ", "")


def test_what_would_not_stay_there_is_not_brought_but_what_is_there_is_looked_after() -> None:
    unwanted = {"1.tar.gz": "old", "2.tar.gz": "old"}
    found = plan(listing(backup(1), backup(2), backup(3)), listing(backup(2)), unwanted=unwanted)
    assert fates(found) == {"1": LEFT_OUT, "2": THERE, "3": COPY}


def test_nothing_goes_unless_it_is_asked_for() -> None:
    found = plan(listing(backup(1), backup(2)), listing(backup(1), backup(2), backup(3)))
    assert names(found, STAYS) == ["3"]
    assert not found.suspended


def test_what_is_no_longer_here_goes_dependents_first() -> None:
    there = [backup(n) for n in (1, 2, 3, 5)] + [backup(4, base=3)]
    found = plan(listing(backup(1), backup(2), backup(5)), listing(*there), delete=True)
    assert names(found, DELETE) == ["4", "3"]


def test_what_is_pinned_needed_or_of_another_studio_stays() -> None:
    here = listing(backup(1), backup(2), backup(6, base=5), backup(7), backup(8), problems=())
    there = listing(*here.backups, backup(3, pinned=True), backup(4, studio=THEIRS), backup(5), backup(9))
    found = plan(here, there, delete=True)
    assert names(found, DELETE) == ["9"]
    reasons = {planned.backup.name: planned.reason for planned in found.backups if planned.action == STAYS}
    assert reasons == {
        "3.tar.gz": "pinned there",
        "4.tar.gz": "of another studio",
        "5.tar.gz": "needed there by 6.tar.gz",
    }


def test_more_than_half_goes_only_with_consent() -> None:
    here, there = listing(backup(1)), listing(*(backup(number) for number in range(1, 4)))
    found = plan(here, there, delete=True)
    assert not found.of(DELETE)
    assert found.suspended == "2 of 3 backups there would go, more than half: add --yes if they may"
    assert len(plan(here, there, delete=True, despite_half=True).of(DELETE)) == 2
    assert len(plan(here, listing(backup(1), backup(2)), delete=True).of(DELETE)) == 1


def test_the_backups_of_others_do_not_count_for_the_half() -> None:
    others = [backup(number, studio=THEIRS) for number in range(10, 20)]
    found = plan(listing(backup(1)), listing(backup(2), backup(3), *others), delete=True)
    assert found.suspended
    assert not found.of(DELETE)


def test_where_backups_here_may_be_lost_nothing_goes_whatever_was_agreed() -> None:
    there = listing(backup(1), backup(2), backup(3))
    empty = plan(listing(), there, delete=True, despite_half=True)
    damaged = (Problem("3.tar.gz", "damaged"),)
    unread = plan(listing(backup(1), backup(2), problems=damaged), there, delete=True, despite_half=True)
    for found in (empty, unread):
        assert found.suspended
        assert not found.of(DELETE)
    assert unread.damaged == damaged
