"""Compiled templates are used again, and only where they are what would be compiled now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from pinnacle_backup.web.compiled import CompiledTemplates


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that were compiled."""
    names: list[str] = []
    compiling = Environment.compile

    def compile_(self: Environment, source: str, name: str, *rest: object) -> object:
        names.append(name)
        return compiling(self, source, name, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", compile_)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return names


def rendered(folder: Path, source: str = "Hello {{ name }}", settings: str = "") -> str:
    cache = CompiledTemplates(settings, folder)
    return (
        Environment(loader=DictLoader({"a": source}), bytecode_cache=cache).get_template("a").render(name="x")
    )


def test_the_second_process_compiles_nothing(tmp_path: Path, compiled: list[str]) -> None:
    assert [rendered(tmp_path), rendered(tmp_path)] == ["Hello x"] * 2
    assert compiled == ["a"]


def test_another_template_and_other_settings_are_compiled(tmp_path: Path, compiled: list[str]) -> None:
    rendered(tmp_path)
    assert rendered(tmp_path, "Bye {{ name }}") == "Bye x"
    assert rendered(tmp_path, "Bye {{ name }}", settings="other") == "Bye x"
    assert compiled == ["a"] * 3


@pytest.mark.parametrize("length", [0, 2, 20, 40])
def test_a_file_that_was_cut_is_made_again(tmp_path: Path, compiled: list[str], length: int) -> None:
    """As a power cut may leave it."""
    rendered(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:length])
    assert [rendered(tmp_path), rendered(tmp_path)] == ["Hello x"] * 2
    assert compiled == ["a"] * 2


def test_where_nothing_can_be_written_each_compiles_for_itself(tmp_path: Path, compiled: list[str]) -> None:
    assert [rendered(tmp_path / "none"), rendered(tmp_path / "none")] == ["Hello x"] * 2
    assert compiled == ["a"] * 2


def test_nothing_is_written_where_python_shall_write_nothing(
    tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    rendered(tmp_path)
    assert compiled == ["a"]
    assert not list(tmp_path.iterdir())
