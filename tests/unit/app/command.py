"""The guide's command line as a process, in a studio of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.config.secrets import Password, Secret
from pinnacle_backup.errors import PasswordError

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "backup_restore.py"


class Command:
    """
    Runs commands.

    Attributes:
        root: The studio.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("logs", "uploads", "encyclopedia"):
            (root / folder).mkdir(parents=True)
        (root / "config.json").write_text('{"backup": {"paths": ["uploads"], "workers": 1}}')
        (root / "uploads" / "a.txt").write_text("hello")

    def __call__(self, *args: str, password: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command; the password is in the environment, as in scripts."""
        environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PINNACLE_PASSWORD": password}
        return subprocess.run(
            [sys.executable, str(SCRIPT), *args],
            capture_output=True,
            text=True,
            cwd=self.root,
            env=environ,
            check=False,
        )

    def json(self, *args: str, password: str = "") -> dict[str, Any]:
        """Run one command that succeeds, and return what it says to programs."""
        ended = self(*args, "--json", password=password)
        assert ended.returncode in (0, 1), ended.stderr
        return dict(json.loads(ended.stdout.splitlines()[-1]))

    def studio(self) -> Studio:
        """Open the studio in this process."""
        place = Place(str(self.root), str(self.root / "config.json"), {})
        return open_studio(place, command="test", warn=lambda _: None)

    @property
    def backups(self) -> Path:
        """Where the backups lie."""
        return self.root / "backups"


class Known:
    """Passwords that were given; nobody can be asked for another, unless answers are there."""

    def __init__(self, *passwords: str, answers: tuple[str, ...] = ()) -> None:
        self._passwords = passwords
        self.answers = list(answers)
        self.asked: list[str] = []

    def given(self, key: object) -> tuple[Password, ...]:
        return tuple(password(text) for text in self._passwords)

    def ask(self, purpose: str, *, twice: bool = False) -> Password:
        self.asked.append(purpose)
        if not self.answers:
            raise PasswordError("nobody is there")
        return password(self.answers.pop(0))


def password(text: str) -> Password:
    """Return a password."""
    return Password(Secret(text), "a test")
