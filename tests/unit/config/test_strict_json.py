"""Doubtful JSON is refused, with the place."""

from __future__ import annotations

import json

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.config.strict_json import SIZE_LIMIT, decode, parse
from pinnacle_backup.errors import ConfigError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@hypothesis.settings(deadline=None)
@given(json_values)
def test_all_that_json_writes_is_read(value: object):
    assert parse(json.dumps(value), "x") == value


@hypothesis.settings(deadline=None)
@given(st.binary())
def test_any_bytes_give_a_value_or_our_error(content: bytes):
    error = None
    try:
        parse(decode(content, "x"), "x")
    except ConfigError as caught:
        error = caught

    assert error is None or (str(error).isprintable() and str(error).startswith("x: "))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "c.json: line 1, column 1: expecting value"),
        (b'{\n  "a": 1\n  "b": 2}', "c.json: line 3, column 3: expecting ',' delimiter"),
        (b'{"a": tru}', "c.json: line 1, column 7: expecting value"),
        (b"{} {}", "c.json: line 1, column 4: extra data"),
        (b'{"a": 1, "b": 2, "a": 1}', 'c.json: the key "a" stands twice in one object'),
        (b'{"x": [{"\\n": 1, "\\n": 2}]}', 'c.json: the key "\\n" stands twice in one object'),
        (b"NaN", "c.json: NaN is not a number"),
        (b"[-Infinity]", "c.json: -Infinity is not a number"),
        (b"1e999", "c.json: 1e999 is too large a number"),
        (b"9" * 5000, "c.json: 99999999999999999999... is too large a number"),
        (b"[" * 200_000, "c.json: nested too deeply"),
        (b'{\n"a": "\xff"}', "c.json: line 2: not UTF-8 text"),
        (b" " * (SIZE_LIMIT + 1), "c.json: larger than 1 MiB, so hardly a configuration"),
    ],
)
def test_what_is_refused_and_how(content: bytes, message: str):
    with pytest.raises(ConfigError) as caught:
        parse(decode(content, "c.json"), "c.json")
    assert str(caught.value) == message


def test_a_byte_order_mark_is_no_fault():
    assert parse(decode(b"\xef\xbb\xbf{}", "x"), "x") == {}


def test_the_same_key_in_two_objects_is_no_fault():
    assert parse('[{"a": 1}, {"a": {"a": 2}}]', "x") == [{"a": 1}, {"a": {"a": 2}}]
