"""Whatever becomes ready first, the manifest stays in path order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.manifest_order import ManifestOrder
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.entry import Entry


@given(st.lists(st.integers(0, 5), max_size=12), st.randoms(use_true_random=False))
def test_entries_and_finished_lines_come_out_in_the_order_of_their_places(sizes, chance) -> None:
    """A size of 0 is one entry, any other so many lines at once."""
    written: list[bytes] = []
    order = ManifestOrder(
        lambda entry, _: written.append(entry.path.encode() + b"\n"),
        lambda lines: written.extend(lines.splitlines(keepends=True)),
        lambda _: None,
    )
    settlers = []
    for size in sizes:
        places = [order.reserve() for _ in range(size or 1)]
        lines = b"".join(b"%d\n" % place for place in places)
        settlers.append((size, places[0], lines))
    chance.shuffle(settlers)
    for size, place, lines in settlers:
        if size:
            order.settle_lines(place, size, lines)
        else:
            order.settle(place, Entry(path=str(place), type="fifo"))
    total = sum(size or 1 for size in sizes)
    assert written == [b"%d\n" % place for place in range(total)]


def test_a_place_that_nobody_settles_is_an_error_at_the_end() -> None:
    """What stands behind it would be missing from the manifest, and nobody would know."""
    order = ManifestOrder(lambda entry, base: None, lambda lines: None, lambda entry: None)
    order.reserve()
    order.settle(order.reserve(), None)
    with pytest.raises(PinnacleError, match="2 paths did not come into the manifest"):
        order.finish()
    order.settle(0, None)
    order.finish()
