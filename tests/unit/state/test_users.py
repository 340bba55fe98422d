"""Users, and that one who may everything always stays."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.model.accounts import User
from pinnacle_backup.model.permissions import ADMINISTRATOR, OPERATOR, ROLES, VIEWER
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.second_factors import SecondFactors
from pinnacle_backup.state.sessions import Sessions
from pinnacle_backup.state.tokens import Tokens
from pinnacle_backup.state.users import Users


@pytest.fixture
def users(database: Database) -> Users:
    return Users(database)


def test_a_user_comes_back_as_he_was_added(users: Users, now: datetime) -> None:
    added = users.add("Anna", OPERATOR, "hash", now)
    assert added == User(id=1, name="Anna", role=OPERATOR, created=iso(now))
    assert users.get("Anna") == users.get("aNNA") == added
    assert users.password(added.id) == "hash"
    later = now + timedelta(hours=1)
    users.set_last_login(added.id, later)
    users.set_password(added.id, "another")
    assert users.get("anna").last_login == iso(later)
    assert users.password(added.id) == "another"


def test_a_name_is_taken_whether_in_capitals_or_not(users: Users, now: datetime) -> None:
    users.add("anna", VIEWER, "", now)
    assert users.add("ANNA", ADMINISTRATOR, "", now) is None
    assert [user.role for user in users.all()] == [VIEWER]


def test_nobody_has_neither_role_nor_password(users: Users) -> None:
    assert users.get("anna") is None
    assert users.password(0) == users.password(7) == ""
    assert users.all() == []


def test_the_first_administrator_is_made_once(users: Users, now: datetime) -> None:
    users.add("viewer", VIEWER, "", now)
    assert not users.has_administrator()
    assert users.add_first("anna", "", now).role == ADMINISTRATOR
    assert users.has_administrator()
    assert users.add_first("eve", "", now) is None
    assert users.get("eve") is None


def test_the_last_administrator_stays(users: Users, now: datetime) -> None:
    anna, bert = users.add("anna", ADMINISTRATOR, "", now), users.add("bert", ADMINISTRATOR, "", now)
    assert users.disable(bert.id)
    for change in (users.disable, users.remove, lambda user: users.set_role(user, OPERATOR)):
        assert not change(anna.id)
        assert users.get("anna") == anna
    users.enable(bert.id)
    assert users.remove(anna.id)
    assert not users.remove(bert.id)


def test_where_there_is_no_administrator_others_may_still_go(users: Users, now: datetime) -> None:
    anna = users.add("anna", VIEWER, "", now)
    assert users.set_role(anna.id, OPERATOR)
    assert users.disable(anna.id)
    assert users.remove(anna.id)


CHANGES = st.tuples(
    st.sampled_from(["role", "disable", "enable", "remove"]), st.integers(1, 4), st.sampled_from(ROLES)
)


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(CHANGES, max_size=20))
def test_no_changes_leave_a_studio_without_an_administrator(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, str]]
) -> None:
    database = Database(str(tmp_path_factory.mktemp("state") / "state.db"), warn=pytest.fail)
    database.run(lambda db: db.execute("PRAGMA synchronous = OFF"))
    users, now = Users(database), datetime.fromisoformat("2026-11-22T14:00:00Z")
    for number, role in enumerate((ADMINISTRATOR, ADMINISTRATOR, OPERATOR, VIEWER), 1):
        users.add(f"user{number}", role, "", now)
    for change, user, role in changes:
        if change == "role":
            users.set_role(user, role)
        else:
            {"disable": users.disable, "enable": users.enable, "remove": users.remove}[change](user)
        assert any(user.role == ADMINISTRATOR and not user.disabled for user in users.all())
    database.close()


def test_with_a_user_goes_all_that_is_his(database: Database, users: Users, now: datetime) -> None:
    users.add("admin", ADMINISTRATOR, "", now)
    anna = users.add("anna", VIEWER, "", now)
    Sessions(database).begin("digest", anna, now, address="", agent="")
    Tokens(database).add("d", name="t", role=VIEWER, owner=anna, maker="server:anna", times=(iso(now), ""))
    SecondFactors(database).begin(anna.id, b"secret")
    assert SecondFactors(database).confirm(anna.id, 1, ["a", "b"])
    assert users.get("anna").totp
    assert users.remove(anna.id)
    tables = ("session", "token", "totp", "recovery_code")
    rows = itertools.chain(*(database.read(f"SELECT * FROM {table}") for table in tables))
    assert list(rows) == []
    assert users.add("anna", VIEWER, "", now).id > anna.id, "numbers are never given again"
