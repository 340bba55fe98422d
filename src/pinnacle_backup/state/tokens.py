"""Keys for programs. Only their SHA-256 is here."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pinnacle_backup.model.accounts import Token, User
from pinnacle_backup.model.permissions import weaker
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.sessions import SEEN_EVERY
from pinnacle_backup.state.users import COLUMNS as USER_COLUMNS
from pinnacle_backup.state.users import user_of

_COLUMNS: Final = (
    "token.id, token.name, token.role, token.maker, token.created, token.expires, token.last_used"
)
_WIDTH: Final = len(_COLUMNS.split(", "))
_FROM: Final = "FROM token LEFT JOIN user ON user.id = token.user"


class Tokens:
    """The tokens of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, digest: str, *, name: str, role: str, owner: User | None, maker: str, times: tuple[str, str]
    ) -> Token:
        """
        Record a token.

        Args:
            digest: SHA-256 of its secret.
            name: What it is for.
            role: What it may.
            owner: Whose it is; None for nobody's, made on the command line.
            maker: Who made it, in words.
            times: When it was made and when it expires.
        """
        created, expires = times
        values = (digest, name, role, owner.id if owner else None, maker, created, expires)
        query = (
            "INSERT INTO token (digest, name, role, user, maker, created, expires) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        number = self._database.write(lambda db: int(db.execute(query, values).lastrowid or 0))
        return _token((number, name, role, maker, created, expires, ""), owner)

    def find(self, digest: str, now: datetime) -> tuple[User | None, Token] | None:
        """Return the token of that digest and whose it is; None where it has expired or he is locked out."""
        rows = self._database.read(
            f"SELECT {_COLUMNS}, {USER_COLUMNS} {_FROM} WHERE token.digest = ? "
            "AND (token.expires = '' OR token.expires > ?) AND (token.user IS NULL OR NOT user.disabled)",
            (digest, iso(now)),
        )
        return _with_owner(rows[0]) if rows else None

    def touch(self, token: Token, now: datetime) -> None:
        """Remember that a token is in use, but not more often than it has to be known."""
        if not token.last_used or datetime.fromisoformat(token.last_used) <= now - SEEN_EVERY:
            query = "UPDATE token SET last_used = ? WHERE id = ?"
            self._database.write(lambda db: db.execute(query, (iso(now), token.id)))

    def all(self, *, user: int = 0) -> list[Token]:
        """Return all tokens, expired ones included, the newest first; only a user's where one is named."""
        rows = self._database.read(
            f"SELECT {_COLUMNS}, {USER_COLUMNS} {_FROM} WHERE ? = 0 OR token.user = ? ORDER BY token.id DESC",
            (user, user),
        )
        return [_with_owner(row)[1] for row in rows]

    def remove(self, token: int, *, user: int = 0) -> Token | None:
        """Remove a token, only one of a user where one is named, and return it; None where there is none."""
        rows = self._database.read(
            f"SELECT {_COLUMNS}, {USER_COLUMNS} {_FROM} WHERE token.id = ? AND (? = 0 OR token.user = ?)",
            (token, user, user),
        )
        if not rows:
            return None
        query = "DELETE FROM token WHERE id = ?"
        is_gone = self._database.write(lambda db: db.execute(query, (token,)).rowcount == 1)
        return _with_owner(rows[0])[1] if is_gone else None


def _with_owner(row: tuple[object, ...]) -> tuple[User | None, Token]:
    owner = None if row[_WIDTH] is None else user_of(row[_WIDTH:])
    return owner, _token(row[:_WIDTH], owner)


def _token(row: tuple[object, ...], owner: User | None) -> Token:
    number, name, role, maker, created, expires, last_used = row
    return Token(
        id=int(str(number)),
        name=str(name),
        role=weaker(str(role), owner.role) if owner else str(role),
        created=str(created),
        expires=str(expires),
        last_used=str(last_used),
        owner=owner.name if owner else str(maker),
    )
