"""Names and actors."""

from __future__ import annotations

import pytest

from pinnacle_backup.model.accounts import Actor, is_name


@pytest.mark.parametrize("name", ["anna", "Anna.B-2", "a", "anna@example.org", "9to5", "x" * 64])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", " anna", "anna ", "an na", "-rf", ".", "anna\n", "änna", "a:b", "a/b", "<b>", "x" * 65, "a\0"],
)
def test_what_could_break_a_line_or_an_argument_is_no_name(name: str) -> None:
    assert not is_name(name)


def test_a_user_of_the_server_is_not_one_of_the_machine() -> None:
    assert Actor(kind="server", name="root").who == "server:root"
    assert Actor(kind="command", name="root").who == "command:root"
    assert Actor(kind="server", address="192.0.2.1").who == "server"
