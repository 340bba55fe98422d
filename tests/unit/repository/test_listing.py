"""Questions to a list of backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pinnacle_backup.errors import BackupNotFound, DamagedError, FormatError, UsageError
from pinnacle_backup.model.backup import BackupHeader, BackupInfo
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.listing import Listing, created_at, listing_of

from .support import backup_id, header, info

START = datetime(2024, 1, 1, tzinfo=UTC)


def listing(*backups: BackupInfo, broken: tuple[str, ...] = ()) -> Listing:
    return listing_of(backups, [Problem(name, "it is damaged") for name in broken])


def with_id(backup: BackupInfo, identity: str) -> BackupInfo:
    return replace(backup, header=replace(backup.header, id=identity))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_newest_comes_first() -> None:
    found = listing(info(2), info(1), info(3), info(3, name="a"))

    assert [i.name for i in found.backups] == ["backup_3.tar.gz", "a", "backup_2.tar.gz", "backup_1.tar.gz"]


@pytest.mark.parametrize("created", ["", "yesterday", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z"])
def test_header_without_a_time_is_refused(created: str) -> None:
    with pytest.raises(FormatError, match="no valid time"):
        created_at(BackupHeader(repository="", id="\x1b", type="full", created=created))


class TestFind:
    def test_by_name_with_or_without_extension(self) -> None:
        found = listing(info(1, name="mine.tar.gz"), info(2, name="other.tar.zst.enc"))

        for reference in ("mine.tar.gz", "mine"):
            assert found.find(reference).name == "mine.tar.gz"
        for reference in ("other.tar.zst.enc", "other.tar.zst", "other"):
            assert found.find(reference).name == "other.tar.zst.enc"

    def test_exact_name_goes_before_one_with_extension(self) -> None:
        found = listing(info(1, name="a.tar.gz"), info(2, name="a.tar.gz.enc"))

        assert found.find("a.tar.gz").header.id == backup_id(1)
        with pytest.raises(UsageError, match=r"several backups: a\.tar\.gz\.enc, a\.tar\.gz"):
            found.find("a")

    def test_by_the_first_digits_of_its_id(self) -> None:
        found = listing(
            *(with_id(info(1, name=f"{digit}.tar.gz"), f"12345{digit}".ljust(32, "0")) for digit in "ab")
        )

        assert found.find("12345a".ljust(32, "0")).name == "a.tar.gz"
        assert found.find("12345b").name == "b.tar.gz"
        with pytest.raises(BackupNotFound):
            found.find("12345")

    def test_digits_that_fit_several(self) -> None:
        with pytest.raises(UsageError, match="several"):
            listing(info(1), info(2)).find("0" * 20)

    def test_copies_of_one_backup_are_no_doubt(self) -> None:
        found = listing(info(1, name="copy.tar.gz"), info(1, name="a.tar.gz"))

        assert found.find(backup_id(1)).name == "a.tar.gz"
        assert found.by_id(backup_id(1)).name == "a.tar.gz"

    def test_latest_is_the_newest_that_is_no_safety_backup(self) -> None:
        assert listing(info(1), info(2), info(3, safety=True)).find("latest").header.id == backup_id(2)
        with pytest.raises(BackupNotFound, match="no backup yet") as caught:
            listing(info(3, safety=True)).find("latest")
        assert "create" in caught.value.hint

    def test_nearest_names_are_told(self) -> None:
        found = listing(info(1, name="before_update.tar.gz"), info(2, name="weekly.tar.gz"))

        with pytest.raises(BackupNotFound, match="'befor_update'") as caught:
            found.find("befor_update")
        assert caught.value.hint == "did you mean before_update.tar.gz?"

    def test_archive_that_cannot_be_read_is_not_called_missing(self) -> None:
        found = listing(info(1), broken=("mine.tar.gz",))

        for reference in ("mine", "mine.tar.gz"):
            with pytest.raises(DamagedError, match=r"mine\.tar\.gz cannot be read: it is damaged"):
                found.find(reference)

    @given(st.text(max_size=40))
    def test_any_other_text_is_refused_in_one_line(self, text: str) -> None:
        with pytest.raises((BackupNotFound, UsageError, DamagedError)) as caught:
            listing(info(1), info(2), broken=("x.tar.gz",)).find(text + "?")
        assert caught.value.message.isprintable()


class TestAt:
    def test_newest_state_not_after_the_instant(self) -> None:
        found = listing(info(10), info(20, base=10), info(30), info(40, safety=True))

        assert found.at(at(25)).header.id == backup_id(20)
        assert found.at(at(20)).header.id == backup_id(20)
        assert found.at(at(19.999)).header.id == backup_id(10)
        assert found.at(at(1000)).header.id == backup_id(30)

    def test_zone_of_the_instant_counts(self) -> None:
        zone = datetime.fromisoformat("2024-01-01T01:00:20+01:00")

        assert listing(info(10), info(20), info(30)).at(zone).header.id == backup_id(20)

    def test_nothing_so_early(self) -> None:
        with pytest.raises(BackupNotFound) as caught:
            listing(info(10), info(20)).at(at(5))
        assert "2024-01-01T00:00:10" in caught.value.hint

    def test_state_whose_parts_are_missing_is_passed_over(self) -> None:
        found = listing(info(10), info(20, base=9), info(30, 8))

        assert found.at(at(100)).header.id == backup_id(10)


class TestNeeds:
    def test_base_and_its_references_are_needed(self) -> None:
        found = listing(info(1), info(2, 1), info(3, base=2))
        incremental = found.by_id(backup_id(3))

        assert found.needs(incremental) == {backup_id(1), backup_id(2)}
        assert not found.missing(incremental)
        assert [i.header.id for i in found.dependents(backup_id(1))] == [backup_id(3), backup_id(2)]

    def test_content_of_another_does_not_need_what_that_one_needs(self) -> None:
        found = listing(info(1), info(2, base=1), info(3, 2))

        assert found.needs(found.by_id(backup_id(3))) == {backup_id(2)}

    def test_base_is_found_or_its_absence_is_damage(self) -> None:
        found = listing(info(1), info(2, base=1), info(3, base=9), broken=("x.tar.gz",))

        assert found.base_of(found.by_id(backup_id(1))) is None
        assert found.base_of(found.by_id(backup_id(2))) == found.by_id(backup_id(1))
        with pytest.raises(DamagedError, match=backup_id(9)) as caught:
            found.base_of(found.by_id(backup_id(3)))
        assert "x.tar.gz" in caught.value.hint

    def test_unknown_id(self) -> None:
        with pytest.raises(BackupNotFound, match=backup_id(7)):
            listing(info(1)).by_id(backup_id(7))


def test_header_of_tests_is_a_valid_one() -> None:
    assert created_at(header(3661)) == at(3661)
