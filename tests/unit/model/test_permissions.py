"""Who may do what."""

from __future__ import annotations

import itertools

import pytest

from pinnacle_backup.model import permissions
from pinnacle_backup.model.permissions import (
    ADMINISTRATOR,
    OPERATOR,
    PERMISSIONS,
    ROLES,
    VIEWER,
    is_within,
    may,
    weaker,
)

WORKING = {"look", "tokens", "back_up", "verify", "drill", "pin", "cancel"}


def allowed(role: str) -> set[str]:
    return {action for action in PERMISSIONS if may(role, action)}


def test_each_role_may_just_this() -> None:
    assert allowed(VIEWER) == {"look", "tokens"}
    assert allowed(OPERATOR) == WORKING
    assert allowed(ADMINISTRATOR) == set(PERMISSIONS)


@pytest.mark.parametrize("action", sorted(set(PERMISSIONS) - WORKING))
def test_what_destroys_reveals_or_rules_is_for_administrators(action: str) -> None:
    assert [role for role in ROLES if may(role, action)] == [ADMINISTRATOR]


def test_who_may_less_may_nothing_that_the_other_may_not() -> None:
    for role, limit in itertools.product(ROLES, ROLES):
        assert is_within(role, limit) is (allowed(role) <= allowed(limit))
        assert weaker(role, limit) == (role if allowed(role) <= allowed(limit) else limit)


@pytest.mark.parametrize("role", ["", "root", "Administrator", "administrator ", "superuser"])
def test_a_role_that_nobody_knows_may_nothing(role: str) -> None:
    assert allowed(role) == set()
    assert not any(is_within(role, known) or is_within(known, role) for known in ROLES)
    assert not any(may(weaker(role, known), "back_up") for known in ROLES if known == VIEWER)


def test_an_action_that_is_not_in_the_table_opens_no_door() -> None:
    with pytest.raises(KeyError):
        may(ADMINISTRATOR, "restore")


def test_every_action_has_a_name_to_write_it_by() -> None:
    named = {value for name, value in vars(permissions).items() if name.isupper() and isinstance(value, str)}
    assert named - set(ROLES) == set(PERMISSIONS)
