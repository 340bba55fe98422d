"""Results as JSON values."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.app.plain import plain
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import from_bytes
from pinnacle_backup.model.results import Problem, VerifyReport


def test_all_attributes_are_there_whether_or_not_they_have_their_default() -> None:
    report = VerifyReport(name="a", entries=1, size=2, databases=0, archives=("a",), seconds=0.5)
    assert plain(report) == {
        "name": "a", "entries": 1, "size": 2, "databases": 0, "archives": ["a"], "seconds": 0.5, "problems": []
    }  # fmt: skip
    assert plain({"x": (Problem("p", "r"),)}) == {"x": [{"path": "p", "reason": "r"}]}


def test_a_path_that_is_not_utf8_stands_exactly_in_base64() -> None:
    fields = plain(Entry(path=from_bytes(b"a\xff"), type=FILE, size=1))
    assert fields["path"] == "a\\xff"
    assert fields["path_base64"] == "Yf8="
    assert "path_base64" not in plain(Entry(path="ä", type=FILE))


@given(st.binary(min_size=1))
def test_every_path_becomes_valid_json_in_utf8(path: bytes) -> None:
    text = json.dumps(plain(Entry(path=from_bytes(path), type=FILE)), ensure_ascii=False)
    assert json.loads(text.encode("utf-8"))["type"] == "file"
