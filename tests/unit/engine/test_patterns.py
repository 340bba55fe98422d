"""Patterns for paths."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.patterns import PathPattern, clean, is_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("config.json", ["config.json"], ["a/config.json", "configxjson"]),
        ("./uploads/", ["uploads"], ["uploads/a"]),
        ("*.png", ["a.png", ".png"], ["a/b.png", "a.pngx"]),
        (
            "uploads/**/*.png",
            ["uploads/a.png", "uploads/x/y/a.png"],
            ["a.png", "uploads/a.jpg", "xuploads/a.png"],
        ),
        ("uploads/**", ["uploads/a", "uploads/a/b"], ["uploads"]),
        ("**", ["a", "a/b"], []),
        ("**/logs", ["logs", "a/logs", "a/b/logs"], ["xlogs", "logs/a"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("a?c", ["abc", "a\nc", "aéc"], ["ac", "a/c"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
        ("[!a-c]x", ["dx"], ["ax", "/x"]),
        ("[]x]", ["]", "x"], ["[]x]"]),
        ("[^a]", ["^", "a"], ["b"]),
        ("[z-a]", ["z", "-", "a"], ["m"]),
        ("[", ["["], ["a"]),
        ("[!]", ["[!]"], ["!"]),
        ("a[*]", ["a*"], ["ab"]),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)"]),
        ("*\udcff", ["x\udcff"], ["x"]),
        ("a\\*", ["a\\b"], ["a*"]),
    ],
)
def test_meaning(pattern: str, matching: list[str], others: list[str]) -> None:
    """What each sign matches, and what it does not."""
    compiled = PathPattern(pattern)
    assert [path for path in matching if not compiled.matches(path)] == []
    assert [path for path in others if compiled.matches(path)] == []


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("a/b/*.png", "a/b"), ("a/b*/c", "a"), ("*", ""), ("a/b", "a/b"), ("a/[x]/b", "a"), ("**/a", "")],
)
def test_the_fixed_folder(pattern: str, folder: str) -> None:
    """The part before the first special sign tells where to look."""
    assert PathPattern(pattern).folder == folder


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_any_text_is_a_pattern_and_a_plain_path_matches_itself(text: str) -> None:
    """No text breaks the translation; without special signs it means itself."""
    pattern = PathPattern(text)
    re.compile(pattern._regex.pattern)
    if not is_pattern(text):
        assert pattern.matches(clean(text))


@given(st.text("ab*?[]!-/", max_size=8), st.text("ab*[!-/", max_size=6))
def test_a_match_lies_in_the_fixed_folder(pattern: str, path: str) -> None:
    """What lies outside that folder never matches, so it need not be read."""
    compiled = PathPattern(pattern)
    if compiled.matches(path):
        assert not compiled.folder or path == compiled.folder or path.startswith(compiled.folder + "/")
