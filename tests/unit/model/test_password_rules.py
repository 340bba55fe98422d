"""Which passwords an account may have."""

from __future__ import annotations

import pytest

from pinnacle_backup.model.common_passwords import COMMON
from pinnacle_backup.model.password_rules import objection


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "xk3nvz81qp",
        "Ein Satz, den keiner errät",
        "пароль который длинный",
        "x y" * 300 + "abc",
    ],
)
def test_long_ones_that_nobody_guesses_first_are_fine(password: str) -> None:
    assert objection("anna", password) == ""


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short1234", "at least 10 characters"),
        ("", "at least 10 characters"),
        ("x1y2z3" * 200, "at most 1,024 bytes"),
        ("aAaAaAaAaAaA", "5 different"),
        ("1212121212121", "5 different"),
        ("1234567890", "commonest"),
        ("Password2026!", "commonest"),
        ("!!P@ssw0rd!!", "commonest"),
        ("PASSWORDPASSWORD", "commonest"),
        ("qwertyuiop[]", "commonest"),
        ("UltraPinnacleStudio1", "commonest"),
        ("Administrator1", "commonest"),
        ("1q2w3e4r5t6y", "commonest"),
        ("Sommerhaus", "name of the user"),
        ("sommerhaus2026", "name of the user"),
        ("...SommerHaus!", "name of the user"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, reason: str) -> None:
    assert reason in objection("Sommerhaus@example.org", password)


def test_the_whole_address_is_refused_as_well() -> None:
    assert "name of the user" in objection("anna@example.org", "Anna@example.org")


def test_no_common_password_is_allowed() -> None:
    assert len(COMMON) > 400
    assert [word for word in COMMON if not objection("anna", word) and len(word) >= 10] == []
