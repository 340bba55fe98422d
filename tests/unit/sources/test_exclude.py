"""Patterns of .gitignore."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from pinnacle_backup.errors import ConfigError
from pinnacle_backup.sources.exclude import Excluder


def test_no_patterns_exclude_nothing():
    assert not Excluder(())
    assert not Excluder(("", "# a comment"))
    assert not Excluder(()).excludes("a", folder=False)


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "expected"),
    [
        ("*.log", "logs/app.log", False, True),
        ("*.log", "logs/app.log.1", False, False),
        ("cache/", "a/cache", True, True),
        ("cache/", "a/cache", False, False),
        ("/build", "build", True, True),
        ("/build", "a/build", True, False),
        ("a/*/c", "a/b/c", False, True),
        ("a/*/c", "a/b/b/c", False, False),
        ("a/**/c", "a/b/b/c", False, True),
        ("a[0-9]", "a5", False, True),
        (r"\#x", "#x", False, True),
        (r"\(\?P<x>", "(?P<x>", False, True),
        ("*", "\udcff\n", False, True),
    ],
)
def test_what_a_pattern_means(pattern: str, path: str, folder: bool, expected: bool):
    assert Excluder([pattern]).excludes(path, folder=folder) == expected


def test_the_last_match_decides():
    excluder = Excluder(["*.log", "!keep.log", "secret/keep.log"])

    assert excluder.excludes("a.log", folder=False)
    assert not excluder.excludes("b/keep.log", folder=False)
    assert excluder.excludes("secret/keep.log", folder=False)


def test_nonsense_is_a_configuration_error():
    with pytest.raises(ConfigError, match=r"backup\.exclude"):
        Excluder(["a", "!"])


PART = st.sampled_from(["a", "b", "ab", "*", "**", "?", "[ab]", "a*", "*.x", "(", ".", "a.x"])
PATTERN = st.builds(
    lambda negated, anchored, parts, folder: "!" * negated + "/" * anchored + "/".join(parts) + "/" * folder,
    st.booleans(),
    st.booleans(),
    st.lists(PART, min_size=1, max_size=3),
    st.booleans(),
)


@given(
    st.lists(PATTERN, max_size=4),
    st.lists(st.sampled_from(["a", "b", "ab", "a.x", "("]), min_size=1, max_size=3),
)
@settings(deadline=None)
def test_the_quick_way_decides_as_pathspec_does(patterns: list[str], parts: list[str]):
    path = "/".join(parts)
    spec = GitIgnoreSpec.from_lines(patterns)
    excluder = Excluder(patterns)

    assert excluder.excludes(path, folder=False) == spec.match_file(path)
    assert excluder.excludes(path, folder=True) == spec.match_file(path + "/")
