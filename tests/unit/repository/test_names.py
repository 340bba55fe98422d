"""Names of archives: the guide's, the user's own, and never one twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.errors import UsageError
from pinnacle_backup.repository.names import (
    archive_name,
    archive_of,
    check_custom,
    is_archive_name,
    is_companion_name,
    parse,
    pin_name,
    sidecar_name,
    spellings,
    without_extension,
)
from pinnacle_backup.store.base import PARTIAL, check_name

MOMENT = datetime(2023, 12, 1, 2, 0, 0, tzinfo=UTC)

moments = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59))
types = st.sampled_from(["full", "incremental"])
compressions = st.sampled_from(["gzip", "zstd"])
customs = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,199}\Z").filter(lambda name: name != "latest")


@pytest.mark.parametrize(
    ("kind", "custom", "encrypted", "compression", "expected"),
    [
        ("full", None, False, "gzip", "backup_20231201_020000.tar.gz"),
        ("full", None, True, "gzip", "backup_20231201_020000.tar.gz.enc"),
        ("incremental", None, False, "gzip", "backup_20231201_020000_incremental.tar.gz"),
        ("incremental", None, True, "zstd", "backup_20231201_020000_incremental.tar.zst.enc"),
        ("full", "my_backup", False, "gzip", "my_backup.tar.gz"),
        ("incremental", "my_backup", False, "zstd", "my_backup.tar.zst"),
        ("full", "my_backup.tar.gz", True, "gzip", "my_backup.tar.gz.enc"),
        ("full", "v1.2-rc.3", False, "gzip", "v1.2-rc.3.tar.gz"),
    ],
)
def test_names_are_those_of_the_guide(
    kind: str, custom: str | None, encrypted: bool, compression: str, expected: str
) -> None:
    assert archive_name(MOMENT, kind, custom=custom, encrypted=encrypted, compression=compression) == expected


@pytest.mark.parametrize(
    ("kind", "custom", "taken", "expected"),
    [
        ("full", None, {"backup_20231201_020000.tar.gz"}, "backup_20231201_020000_2.tar.gz"),
        (
            "full",
            None,
            {"backup_20231201_020000.tar.gz", "backup_20231201_020000_2.tar.gz"},
            "backup_20231201_020000_3.tar.gz",
        ),
        (
            "incremental",
            None,
            {"backup_20231201_020000_incremental.tar.gz"},
            "backup_20231201_020000_2_incremental.tar.gz",
        ),
        ("full", None, {"backup_20231201_020000.tar.zst.enc"}, "backup_20231201_020000_2.tar.gz"),
        ("full", "mine", {"mine.tar.gz.enc"}, "mine_2.tar.gz"),
        ("full", "mine", {"mine.tar.gz.pin"}, "mine_2.tar.gz"),
        ("full", "mine", {"mine.tar.zst.sha256"}, "mine_2.tar.gz"),
        ("full", "mine", {"mine", "mine.txt", "mine_3.tar.gz"}, "mine.tar.gz"),
    ],
)
def test_taken_name_gets_a_number(kind: str, custom: str | None, taken: set[str], expected: str) -> None:
    assert archive_name(MOMENT, kind, custom=custom, taken=taken) == expected


@given(moments, types, st.none() | customs, st.booleans(), compressions, st.integers(0, 4))
def test_no_two_archives_share_a_name_without_extension(
    moment: datetime, kind: str, custom: str | None, encrypted: bool, compression: str, others: int
) -> None:
    taken: set[str] = set()
    for number in range(others):
        taken.add(archive_name(moment, kind, custom=custom, encrypted=bool(number % 2), taken=taken))
    name = archive_name(
        moment, kind, custom=custom, encrypted=encrypted, compression=compression, taken=taken
    )

    assert len({without_extension(other) for other in taken | {name}}) == others + 1
    assert is_archive_name(name)
    for stored in (name, sidecar_name(name), pin_name(name)):
        assert check_name(stored) == stored
        assert len((stored + PARTIAL).encode()) <= 255


@given(moments, types, st.booleans(), compressions, st.integers(0, 3))
def test_name_tells_what_it_was_made_of(
    moment: datetime, kind: str, encrypted: bool, compression: str, others: int
) -> None:
    taken: set[str] = set()
    for _ in range(others + 1):
        name = archive_name(moment, kind, encrypted=encrypted, compression=compression, taken=taken)
        taken.add(name)
    found = parse(name)

    assert found is not None
    assert found.created == moment.replace(microsecond=0, fold=0)
    assert (found.type, found.encrypted, found.compression) == (kind, encrypted, compression)
    assert found.number == others + 1
    assert found.stem + found.extension == name


@given(st.text(max_size=30))
def test_any_text_is_refused_or_makes_a_name_that_leads_nowhere_else(text: str) -> None:
    name = ""
    with suppress(UsageError):
        name = archive_name(MOMENT, "full", custom=text)
    if not name:
        return
    assert check_name(name) == name
    assert name.isascii()
    assert archive_name(MOMENT, "full", custom=name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        ".hidden",
        "-rf",
        "_x",
        "../x",
        "a/b",
        "a\0",
        "a\n",
        "ä",
        "\u0661",
        "latest",
        "latest.tar.gz",
        ".tar.gz",
        "x.partial",
        "x.sha256",
        "x.pin",
        "x.lock",
        "x.enc",
        "x.tar",
        "x" * 201,
    ],
)
def test_own_names_that_will_not_do(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a backup") as caught:
        check_custom(name)
    assert "my_backup" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["", ".tar.gz", "..tar.gz", "a.tar", "a.gz", "a.tar.gz.partial", "a.tar.gz.sha256", "a.enc"]
)
def test_what_is_no_archive(name: str) -> None:
    assert not is_archive_name(name)
    assert parse(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "downloaded_backup.tar.gz",
        "backup_20231301_020000.tar.gz",
        "backup_20231201_020000_0.tar.gz",
        "backup_2023.tar.gz",
        "backup_20231201_020000_incremental_2.tar.gz",
    ],
)
def test_names_that_are_not_ours_say_nothing_of_the_time(name: str) -> None:
    found = parse(name)

    assert found is not None
    assert (found.created, found.type, found.number) == (None, "", 1)


def test_companions_are_told_from_archives() -> None:
    for companion in (sidecar_name("a.tar.gz"), pin_name("a.tar.gz")):
        assert is_companion_name(companion)
        assert not is_archive_name(companion)
        assert archive_of(companion) == "a.tar.gz"
    assert not is_companion_name("a.txt.sha256")
    assert not is_companion_name("a.tar.gz")


def test_people_may_leave_out_the_extension() -> None:
    assert "a.tar.gz" in spellings("a")
    assert "a.tar.zst.enc" in spellings("a")
    assert "a.tar.gz.enc" in spellings("a.tar.gz")
    assert spellings("a")[0] == "a"
