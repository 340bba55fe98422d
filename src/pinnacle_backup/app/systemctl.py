"""The systemd of this machine, or of one user: where its units lie, and what it is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import PinnacleError

BOOTED: Final = "/run/systemd/system"
"""There while systemd runs; see sd_booted(3)."""

_SYSTEM_UNITS: Final = "/etc/systemd/system"
_LINGER: Final = "/var/lib/systemd/linger"


@dataclass(frozen=True, kw_only=True)
class Systemd:
    """
    One systemd.

    Attributes:
        units: The folder of its units.
        user: Whether it is one user's instead of the machine's.
        environ: The environment.
        booted: Is there while it runs.
    """

    units: str
    user: bool
    environ: Mapping[str, str]
    booted: str = BOOTED

    def runs(self) -> bool:
        """Tell whether there is a systemd to talk to."""
        return os.path.isdir(self.booted) and self._program() is not None

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``systemctl`` and return how it ended, in English."""
        whose = ["--user"] if self.user else []
        return subprocess.run(  # noqa: S603 - found below, and words of our own
            [self._program() or "systemctl", *whose, "--no-pager", "--no-ask-password", *words],
            env={**self.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def order(self, *words: str, hint: str = "") -> None:
        """
        Run ``systemctl``.

        Raises:
            PinnacleError: It failed: what it said first.
        """
        ended = self.ask(*words)
        if ended.returncode:
            said = [line for line in ended.stderr.splitlines() if line.strip()] or [
                f"exit code {ended.returncode}"
            ]
            raise PinnacleError(f"systemctl {' '.join(words)}: {one_line(said[0])}", hint=hint)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return what it knows of a unit; nothing where it cannot be asked."""
        ended = self.ask("show", unit, f"--property={','.join(properties)}")
        pairs = (line.partition("=") for line in ended.stdout.splitlines())
        return {key: value for key, _, value in pairs}

    def _program(self) -> str | None:
        return shutil.which("systemctl", path=self.environ.get("PATH"))


def of_the_machine(environ: Mapping[str, str]) -> Systemd:
    """Return the systemd of this machine."""
    return Systemd(units=_SYSTEM_UNITS, user=False, environ=environ)


def of_the_user(environ: Mapping[str, str]) -> Systemd:
    """Return the systemd of whoever runs this process."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Systemd(units=os.path.join(home, "systemd/user"), user=True, environ=environ)


def lingers(user: str) -> bool:
    """Tell whether the services of a user run while he is not logged in."""
    return os.path.exists(os.path.join(_LINGER, user))
