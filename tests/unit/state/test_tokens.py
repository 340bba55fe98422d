"""Tokens: what they may is never more than what their owner may now."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pinnacle_backup.model.accounts import Token, User
from pinnacle_backup.model.permissions import ADMINISTRATOR, OPERATOR, VIEWER
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.tokens import Tokens
from pinnacle_backup.state.users import Users


@pytest.fixture
def anna(database: Database, now: datetime) -> User:
    Users(database).add("admin", ADMINISTRATOR, "", now)
    return Users(database).add("anna", OPERATOR, "", now)


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database)


def add(
    tokens: Tokens, now: datetime, owner: User | None = None, expires: str = "", digest: str = "d"
) -> Token:
    maker = "command:root"
    return tokens.add(digest, name="ci", role=OPERATOR, owner=owner, maker=maker, times=(iso(now), expires))


def test_a_token_leads_to_its_owner(tokens: Tokens, anna: User, now: datetime) -> None:
    token = add(tokens, now, anna)
    assert token == Token(id=1, name="ci", role=OPERATOR, created=iso(now), owner="anna")
    assert tokens.find("d", now) == (anna, token)
    assert tokens.find("D", now) is None
    assert tokens.find("", now) is None


def test_one_of_the_command_line_is_nobodys(tokens: Tokens, now: datetime) -> None:
    owner, token = tokens.find("d", now) or (None, add(tokens, now))
    assert (owner, token.owner) == (None, "command:root")
    assert tokens.find("d", now) == (None, token)


def test_a_token_expires(tokens: Tokens, anna: User, now: datetime) -> None:
    ends = now + timedelta(days=1)
    add(tokens, now, anna, iso(ends))
    assert tokens.find("d", ends - timedelta(microseconds=1)) is not None
    assert tokens.find("d", ends) is None
    assert len(tokens.all()) == 1, "it is still listed"


def test_it_falls_with_its_owner_and_does_not_rise(
    database: Database, tokens: Tokens, anna: User, now: datetime
) -> None:
    add(tokens, now, anna)
    for role, is_then in ((VIEWER, VIEWER), (ADMINISTRATOR, OPERATOR), (OPERATOR, OPERATOR)):
        Users(database).set_role(anna.id, role)
        assert tokens.find("d", now)[1].role == tokens.all()[0].role == is_then


def test_it_sleeps_while_its_owner_is_locked_out(
    database: Database, tokens: Tokens, anna: User, now: datetime
) -> None:
    add(tokens, now, anna)
    Users(database).disable(anna.id)
    assert tokens.find("d", now) is None
    Users(database).enable(anna.id)
    assert tokens.find("d", now) is not None


def test_it_is_known_to_a_minute_when_it_was_used(tokens: Tokens, now: datetime) -> None:
    add(tokens, now)
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        moment = now + timedelta(seconds=seconds)
        tokens.touch(tokens.find("d", moment)[1], moment)
        assert tokens.find("d", moment)[1].last_used == iso(now + timedelta(seconds=noted))


def test_only_ones_own_are_removed_where_an_owner_is_named(tokens: Tokens, anna: User, now: datetime) -> None:
    others, hers = add(tokens, now), add(tokens, now, anna, digest="e")
    assert [token.id for token in tokens.all()] == [hers.id, others.id]
    assert tokens.all(user=anna.id) == [hers]
    assert tokens.remove(others.id, user=anna.id) is None
    assert tokens.remove(hers.id, user=anna.id) == hers
    assert tokens.remove(others.id) == others
    assert tokens.remove(others.id) is None
    assert tokens.all() == []
