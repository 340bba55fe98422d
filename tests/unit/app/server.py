"""A studio with a clock of its own and accounts, as the server has them: cheap hashes, each of them counted."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pinnacle_backup.app.accounts import add_user
from pinnacle_backup.app.auditing import list_events
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.sessions import Login, log_in
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.crypto.password import Argon2Parameters
from pinnacle_backup.model.accounts import Actor, Session, User
from pinnacle_backup.model.runs import Origin

from ...canaries import canary

CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
ADMIN = Actor(kind="server", name="admin", address="192.0.2.1")
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
PASSWORD = canary("password-of-anna")
WRONG = canary("password-that-is-wrong")


class Counted(LoginPasswords):
    """Counts what it computes."""

    def __init__(self, parameters: Argon2Parameters = CHEAP) -> None:
        super().__init__(parameters)
        self.checked: list[bool] = []
        self.hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)

    def matches(self, stored: str, password: str) -> bool:
        found = super().matches(stored, password)
        self.checked.append(found)
        return found


class Server:
    """
    A studio.

    Attributes:
        root: Its folder.
        now: The time there.
        studio: Open.
        hasher: For passwords.
    """

    def __init__(self, root: Path, *, user: str = "root", kind: str = "command") -> None:
        root.mkdir(exist_ok=True)
        if not (root / "config.json").exists():
            (root / "config.json").write_text("{}")
        self.root = root
        self.now = datetime(2026, 11, 22, 14, 3, 22, tzinfo=UTC)
        place = Place(str(root), str(root / "config.json"), {})
        origin = Origin(kind=kind, user=user)
        opened = open_studio(place, command="test", warn=lambda _: None, origin=origin)
        self.studio: Studio = replace(opened, clock=lambda: self.now)
        self.hasher = Counted()

    def later(self, **how_much: float) -> None:
        """Let time go by."""
        self.now += timedelta(**how_much)

    def add(self, name: str = "anna", role: str = "administrator", password: str = PASSWORD) -> User:
        """Add a user."""
        return add_user(self.studio, self.hasher, name, role, Secret(password), by=ADMIN)

    def log_in(
        self, name: str = "anna", password: str = PASSWORD, address: str = HOME, **more: Any
    ) -> tuple[str, Session]:
        """Log in."""
        login = Login(name=name, password=Secret(password), address=address, **more)
        return log_in(self.studio, self.hasher, login)

    def audited(self) -> list[tuple[str, str, str, str]]:
        """Return who did what to what with which outcome, oldest first."""
        return [
            (event.who, event.action, event.object, event.outcome)
            for event in list_events(self.studio, 1000)[::-1]
        ]

    def kept(self) -> bytes:
        """Return all bytes that are kept: the database as it is on the disk, and the logs."""
        self.studio.state.close()
        files = [*(self.root / ".pinnacle").glob("state.db*"), *(self.root / "logs").glob("*")]
        return b"".join(path.read_bytes() for path in files)

    def tamper(self, *statements: str) -> None:
        """Do what somebody can do who owns the file."""
        self.studio.state.close()
        with sqlite3.connect(self.root / ".pinnacle" / "state.db") as db:
            for statement in ("DROP TRIGGER audit_stays", "DROP TRIGGER audit_is_true", *statements):
                db.execute(statement)
        db.close()
