"""The trailer: five fields, one encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.archive import trailer
from pinnacle_backup.archive.members import CODECS
from pinnacle_backup.archive.trailer import Trailer
from pinnacle_backup.errors import FormatError

NUMBERS = st.integers(0, 2**64 - 1)
HASHES = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@given(st.builds(Trailer, NUMBERS, NUMBERS, NUMBERS, HASHES, HASHES))
def test_a_trailer_comes_back_as_it_was(codec, wanted) -> None:
    data = wanted.encode(codec)
    assert len(data) == trailer.trailer_size(codec)
    assert trailer.decode(data, codec) == wanted


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("length", [0, 87, 89])
def test_a_payload_of_another_length_is_refused(codec, length) -> None:
    with pytest.raises(FormatError):
        trailer.decode(codec.wrap_trailer(bytes(length)), codec)
