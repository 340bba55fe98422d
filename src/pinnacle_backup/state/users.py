"""Who can log in, with which role. No secret is here but the hashes of passwords."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from pinnacle_backup.model.accounts import User
from pinnacle_backup.model.permissions import ADMINISTRATOR
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso

COLUMNS: Final = (
    "user.id, user.name, user.role, user.created, user.last_login, "
    "EXISTS (SELECT 1 FROM totp WHERE totp.user = user.id AND totp.confirmed), user.disabled"
)
"""What ``user_of`` makes a user of."""

_RULES: Final = "role = ? AND NOT disabled"


class Users:
    """The users of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, role: str, password: str, now: datetime) -> User | None:
        """Add a user, with the hash of his password; None where the name is taken."""
        return self._database.write(lambda db: _add(db, name, role, password, now))

    def add_first(self, name: str, password: str, now: datetime) -> User | None:
        """Add an administrator where there is none; None where there is one, or where the name is taken."""

        def work(db: sqlite3.Connection) -> User | None:
            return None if _rules(db) else _add(db, name, ADMINISTRATOR, password, now)

        return self._database.write(work)

    def get(self, name: str) -> User | None:
        """Return the user of a name, whether in capitals or not."""
        rows = self._database.read(f"SELECT {COLUMNS} FROM user WHERE name = ?", (name,))  # noqa: S608
        return user_of(rows[0]) if rows else None

    def all(self) -> list[User]:
        """Return all users by name."""
        query = f"SELECT {COLUMNS} FROM user ORDER BY name"  # noqa: S608 - a text of this module
        return [user_of(row) for row in self._database.read(query)]

    def has_administrator(self) -> bool:
        """Tell whether there is an administrator who can log in."""
        return self._database.run(_rules)

    def password(self, user: int) -> str:
        """Return the hash of a user's password."""
        rows = self._database.read("SELECT password FROM user WHERE id = ?", (user,))
        return str(rows[0][0]) if rows else ""

    def set_password(self, user: int, password: str) -> None:
        """Keep another hash."""
        query = "UPDATE user SET password = ? WHERE id = ?"
        self._database.write(lambda db: db.execute(query, (password, user)))

    def set_last_login(self, user: int, now: datetime) -> None:
        """Remember a login."""
        query = "UPDATE user SET last_login = ? WHERE id = ?"
        self._database.write(lambda db: db.execute(query, (iso(now), user)))

    def set_role(self, user: int, role: str) -> bool:
        """Give a user another role; false where nobody would be left who may everything."""
        return self._unless_last(lambda db: db.execute("UPDATE user SET role = ? WHERE id = ?", (role, user)))

    def enable(self, user: int) -> None:
        """Let a user log in again."""
        query = "UPDATE user SET disabled = 0 WHERE id = ?"
        self._database.write(lambda db: db.execute(query, (user,)))

    def disable(self, user: int) -> bool:
        """Let a user in no more; false where nobody would be left who may everything."""
        return self._unless_last(lambda db: db.execute("UPDATE user SET disabled = 1 WHERE id = ?", (user,)))

    def remove(self, user: int) -> bool:
        """Remove a user with all his sessions and tokens; false where he is the last administrator."""
        return self._unless_last(lambda db: db.execute("DELETE FROM user WHERE id = ?", (user,)))

    def _unless_last(self, change: Callable[[sqlite3.Connection], object]) -> bool:
        """Do what takes an administrator away, unless none would be left; in one transaction."""

        def work(db: sqlite3.Connection) -> bool:
            before = _rules(db)
            db.execute("SAVEPOINT change")
            change(db)
            allowed = _rules(db) or not before
            if not allowed:
                db.execute("ROLLBACK TO change")
            return allowed

        return self._database.write(work)


def user_of(row: tuple[object, ...]) -> User:
    """Return the user of a row of ``COLUMNS``."""
    values = dict(zip(User.__struct_fields__, row, strict=True))
    values |= {"totp": bool(values["totp"]), "disabled": bool(values["disabled"])}
    return msgspec.convert(values, User)


def _rules(db: sqlite3.Connection) -> bool:
    query = f"SELECT 1 FROM user WHERE {_RULES} LIMIT 1"  # noqa: S608 - a text of this module
    return db.execute(query, (ADMINISTRATOR,)).fetchone() is not None


def _add(db: sqlite3.Connection, name: str, role: str, password: str, now: datetime) -> User | None:
    if db.execute("SELECT 1 FROM user WHERE name = ?", (name,)).fetchone() is not None:
        return None
    values = (name, role, password, iso(now))
    cursor = db.execute("INSERT INTO user (name, role, password, created) VALUES (?, ?, ?, ?)", values)
    return User(id=int(cursor.lastrowid or 0), name=name, role=role, created=iso(now))
