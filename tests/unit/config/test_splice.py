"""One value changes; every other character of the document stays."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.config.splice import splice

keys = st.sampled_from(["a", "b", "c", 'odd "key" {', "é\n"])
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
documents = st.dictionaries(
    keys,
    st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=6),
    max_size=4,
)
layouts: st.SearchStrategy[Callable[[Any], str]] = st.sampled_from(
    [
        json.dumps,
        lambda value: json.dumps(value, indent=2),
        lambda value: json.dumps(value, indent="\t", ensure_ascii=False) + "\n",
        lambda value: json.dumps(value, separators=(",", ":")),
        lambda value: json.dumps(value, indent=4, separators=(" , ", " :  ")).replace("\n", "\r\n"),
    ]
)


def changed(document: Any, path: list[str], value: object) -> Any:
    """Return the document with the value set, done the plain way."""
    result = place = copy.deepcopy(document)
    for key in path[:-1]:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[path[-1]] = value
    return result


@hypothesis.settings(deadline=None)
@given(documents, layouts, st.lists(keys, min_size=1, max_size=3), leaves | documents)
def test_the_result_is_the_document_with_that_value(
    document: object, layout: Callable[[Any], str], path: list[str], value: object
):
    after = splice(layout(document), path, value)

    assert json.loads(after) == changed(document, path, value)
    assert list(json.loads(after)) == list(changed(document, path, value))


@hypothesis.settings(deadline=None)
@given(documents, layouts, st.lists(keys, min_size=1, max_size=3), leaves)
def test_setting_a_value_twice_is_setting_it_once(
    document: object, layout: Callable[[Any], str], path: list[str], value: object
):
    once = splice(layout(document), path, value)

    assert splice(once, path, value) == once


BEFORE = """{
  "app": {"port": 8080.10, "tags": ["a",   "b"]},
  "backup": {
    "enabled": true,
    "schedule": {
      "daily": "02:00"
    },
    "keep": {}
  }
}
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("backup.schedule.daily", "03:00", '"02:00"', '"03:00"'),
        ("backup.enabled", False, "true", "false"),
        (
            "backup.schedule.weekly",
            True,
            '"daily": "02:00"\n',
            '"daily": "02:00",\n      "weekly": true\n',
        ),
        ("backup.keep.daily", 3, '"keep": {}', '"keep": {\n      "daily": 3\n    }'),
        (
            "logs.paths",
            ["x"],
            '    "keep": {}\n  }\n',
            '    "keep": {}\n  },\n  "logs": {\n    "paths": [\n      "x"\n    ]\n  }\n',
        ),
        ("app.tags", "ü", '["a",   "b"]', '"ü"'),
        ("app.tags", "\udcff", '["a",   "b"]', '"\\udcff"'),
    ],
)
def test_nothing_else_moves(path: str, value: object, old: str, new: str):
    assert BEFORE.count(old) == 1

    assert splice(BEFORE, path.split("."), value) == BEFORE.replace(old, new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"a": {"b": 1}}'),
        ("{ }\n", '{"a": {"b": 1}}\n'),
        ("{\n}\n", '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ('{"x":1}', '{"x":1,"a":{"b": 1}}'),
        ('{"a":[1,{"a":2}]}', '{"a":{"b": 1}}'),
        ('{"a":{}}', '{"a":{"b": 1}}'),
    ],
)
def test_small_documents(before: str, after: str):
    assert splice(before, ["a", "b"], 1) == after


def test_a_path_has_at_least_one_key():
    with pytest.raises(ValueError, match="empty"):
        splice("{}", [], 1)
