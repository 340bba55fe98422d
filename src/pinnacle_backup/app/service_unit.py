"""
The text of the systemd unit: every line with its reason, every path in systemd's own notation.

Pure text: nothing here looks at the machine. See systemd.service(5), systemd.exec(5) and, for the notation,
systemd.syntax(7).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable

SUFFIX: Final = ".service"
_MARK: Final = "# studio: "
_SERVES: Final = "# serves: "
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}\Z")


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the unit has to say.

    Attributes:
        name: How systemd calls it, without its ending.
        root: The studio root, absolute.
        command: The words that run it; the first one is an absolute path.
        serve: The options of the server that it is; None for the scheduler alone.
        user: Whether it belongs to one user instead of the machine.
    """

    name: str
    root: str
    command: tuple[str, ...]
    serve: tuple[str, ...] | None = None
    user: bool = False

    @property
    def file_name(self) -> str:
        """Name of the unit file."""
        return self.name + SUFFIX


def text_of(unit: Unit) -> str:
    """
    Return the unit file.

    Raises:
        UsageError: systemd has no notation for a folder like this one.
    """
    _check(unit.root, *unit.command)
    serves = unit.serve is not None
    return _TEMPLATE.format(
        mark=_mark(unit),
        description=_plain(f"Backups {'and pages ' if serves else ''}of {printable(unit.root)}"),
        meant="serve --stop" if serves else "schedule --stop-scheduler",
        kill=_KILL_SERVER if serves else _KILL_SCHEDULER,
        after=_OF_THE_USER if unit.user else _OF_THE_MACHINE,
        command=_command(unit.command),
        # The last slash keeps a blank or a backslash at the end of the name: systemd drops it, and only it.
        root=_plain(unit.root.rstrip("/") + "/"),
        name=unit.name,
        target="default.target" if unit.user else "multi-user.target",
    )


def studio_of(text: str) -> str | None:
    """Return the studio root that a unit file was written for; None where it is not one of ours."""
    root = _marked(text, _MARK)
    return root if isinstance(root, str) else None


def serve_options_of(text: str) -> tuple[str, ...] | None:
    """Return the options of the server that a unit file starts; None where it starts the scheduler alone."""
    options = _marked(text, _SERVES)
    return tuple(str(option) for option in options) if isinstance(options, list) else None


def _mark(unit: Unit) -> str:
    serves = [] if unit.serve is None else [_SERVES + json.dumps(unit.serve)]
    return "\n".join([_MARK + json.dumps(unit.root), *serves])


def _marked(text: str, mark: str) -> object:
    """Return the value behind a mark; None where there is none."""
    line = next((line for line in text.splitlines() if line.startswith(mark)), "")
    try:
        return json.loads(line.removeprefix(mark))
    except ValueError:
        return None


def names_for(root: str) -> tuple[str, str]:
    """Return a name that people recognise, and one that no other studio has."""
    folder = re.sub(r"[^a-z0-9_]+", "-", root.rstrip("/").rpartition("/")[2].lower()).strip("-")[:60]
    plain = f"pinnacle-backup-{folder or 'studio'}"
    return plain, f"{plain}-{hashlib.sha256(root.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"


def checked_name(name: str) -> str:
    """
    Return the name without its ending.

    Raises:
        UsageError: systemd would not take it.
    """
    name = name.removesuffix(SUFFIX)
    if not _NAME.match(name):
        raise UsageError(
            f'--name: expected letters, digits, "-", "_" and ".", found "{printable(name)}"',
            hint="for example --name pinnacle-backup",
        )
    return name


def _check(*paths: str) -> None:
    """Refuse what no line of a unit file can name: WorkingDirectory= knows no escapes but ``%%``."""
    for path in paths:
        if not path.isprintable():
            raise UsageError(
                f"{printable(path)}: systemd cannot use a path with such characters in it",
                hint="run it without: pinnacle-backup schedule --start-scheduler --daemon",
            )


def _plain(text: str) -> str:
    """Return the text for a setting that is taken as it stands, but for specifiers."""
    return text.replace("%", "%%")


def _command(words: Sequence[str]) -> str:
    """Return the command line, quoted; what systemd cannot say of a program's path, ``env`` can be told."""
    if set(words[0]) & set("'\"\\$"):
        words = ("/usr/bin/env", *words)
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    r"""Return the word in quotes where it needs them: ``\`` and ``"`` escaped, ``%`` and ``$`` doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w/.:=@%+,-]+", word) else f'"{escaped}"'


_OF_THE_MACHINE: Final = """\
# The schedule is in local time, so the clock should be right; mails and pings need the network.
Wants=network-online.target
After=network-online.target time-sync.target
"""
_OF_THE_USER: Final = ""

_KILL_SCHEDULER: Final = """\
# The scheduler alone is told to stop, and stops its backup in order; what is left then is killed.
KillMode=mixed
"""
_KILL_SERVER: Final = """\
# The server alone is told to stop, and stops its scheduled backup in order. What people have started goes on
# to its end; when the machine stops, systemd tells it, too.
KillMode=process
"""

_TEMPLATE: Final = """\
# Written by `pinnacle-backup service install`, which also replaces it: changes of your own belong into
# `systemctl edit {name}`, where they stay.
{mark}

[Unit]
Description={description}
{after}# Try again for ever: a scheduler that gives up is the failure that backups are for.
StartLimitIntervalSec=0

[Service]
# It says itself when it works, what it does, and every few seconds that it is alive.
Type=notify
ExecStart={command}
WorkingDirectory={root}
# Variables that config.json asks for ({{"$env": NAME}}); the file may be missing. Mode 600.
EnvironmentFile=-%E/{name}.env
# Names of files are UTF-8, whatever the language of the machine.
Environment=PYTHONUTF8=1

# After a crash, a kill or a wrong configuration; not after `{meant}`, which means it
# (130: it was told to stop).
Restart=on-failure
RestartSec=30
SuccessExitStatus=130
# One that hangs is ended and started again.
WatchdogSec=5min
{kill}TimeoutStopSec=2min

# The studio comes first. Not IOSchedulingClass=idle: on a busy disk such a backup would never end.
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
# When memory is short: rather a backup than the studio, and one lost worker does not end the service.
OOMScoreAdjust=300
OOMPolicy=continue

# What it writes is nobody else's to read, and no core dump holds a password.
UMask=0077
LimitCORE=0
# Nothing that it starts gains rights, changes real-time priorities or talks to devices by sockets.
NoNewPrivileges=yes
RestrictRealtime=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Left out on purpose: ProtectSystem=, ProtectHome=, PrivateTmp= and PrivateDevices= would hide or lock
# folders, and sources, backups and drills may lie in any; RestrictSUIDSGID= and fewer capabilities would
# keep a restore from giving files back their modes, owners and attributes.

# Its lines in the journal.
SyslogIdentifier={name}

[Install]
WantedBy={target}
"""
