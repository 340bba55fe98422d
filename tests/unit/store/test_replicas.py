"""The same objects in several places: whatever fails, and when, as long as one place has it all."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pinnacle_backup.errors import DamagedError, ObjectNotFound, StoreError
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.replicas import Replicas

from ...contract.faults import Faults, FaultyStore, fail_store

DATA = bytes(range(256)) * 40


@pytest.fixture
def places(tmp_path: Path) -> tuple[LocalStore, LocalStore]:
    """Two folders that hold the same object."""
    made = LocalStore(str(tmp_path / "one")), LocalStore(str(tmp_path / "two"))
    for store in made:
        store.put("object", DATA)
    return made


def read_all(*stores: Store) -> bytes:
    source = Replicas(stores).open("object")
    try:
        return b"".join(source.read_at(offset, 512) for offset in range(0, source.size, 512))
    finally:
        source.close()


def test_the_first_that_has_it_is_read(places: tuple[LocalStore, LocalStore]) -> None:
    one, two = places
    two.delete("object")
    assert read_all(one, two) == read_all(two, one) == DATA


@pytest.mark.parametrize("nth", range(1, 22))
def test_whichever_request_fails_the_next_place_takes_over(
    places: tuple[LocalStore, LocalStore], nth: int
) -> None:
    one, two = places
    assert read_all(FaultyStore(one, Faults(nth, fail_store)), two) == DATA


def test_one_that_broke_off_is_not_gone_on_with(
    places: tuple[LocalStore, LocalStore], tmp_path: Path
) -> None:
    """Another length is another object."""
    one, two = places
    (tmp_path / "two/object").write_bytes(DATA[:100])
    with pytest.raises(StoreError, match="injected"):
        read_all(FaultyStore(one, Faults(5, fail_store)), two)


def test_the_error_is_that_of_the_first(places: tuple[LocalStore, LocalStore]) -> None:
    one, two = places
    two.delete("object")
    with pytest.raises(StoreError, match="injected into read"):
        read_all(FaultyStore(one, Faults(5, fail_store)), two)
    one.delete("object")
    with pytest.raises(ObjectNotFound):
        read_all(one, two)


def test_a_range_that_is_not_inside_is_asked_of_nobody_else(places: tuple[LocalStore, LocalStore]) -> None:
    source = Replicas(places).open("object")
    with pytest.raises(DamagedError):
        source.read_at(len(DATA), 1)
    assert source.read_at(0, 4) == DATA[:4]
    source.close()


def test_workers_get_it_too(places: tuple[LocalStore, LocalStore]) -> None:
    assert pickle.loads(pickle.dumps(Replicas(places))).open("object").read_at(0, 4) == DATA[:4]
