"""Where a page leads to from each check: what a person does about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pinnacle_backup.model.health import OK, Check

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "backup": ("Create backup", "/backups?create"),
    "damage": ("Runs", "/runs"),
    "runs": ("Runs", "/runs"),
    "archives": ("Backups", "/backups"),
    "cleanup": ("Backups", "/backups"),
    "verify": ("Backups", "/backups"),
    "drill": ("Drills", "/drills"),
    "space": ("Settings", "/settings"),
    "configuration": ("Settings", "/settings"),
    "logs": ("Settings", "/settings"),
    "scheduler": ("Schedule", "/schedule"),
    "notifications": ("Notifications", "/notifications"),
    "copies": ("Destinations", "/destinations"),
}
"""By the name of a check: words and address of the page."""

TITLES: Final[Mapping[str, str]] = {
    "backup": "Newest backup",
    "damage": "Damage",
    "runs": "Runs",
    "archives": "Archives",
    "cleanup": "Cleanup",
    "verify": "Read back",
    "drill": "Drill",
    "space": "Room",
    "configuration": "Configuration",
    "logs": "Logs",
    "record": "Record",
    "scheduler": "Scheduler",
    "notifications": "Messages",
    "copies": "Copies",
}
"""By the name of a check: what it is about."""


_GIVE_IT: Final = "give the password that it was made with"
_SAID: Final = tuple(
    (re.compile(words, re.IGNORECASE), said)
    for words, said in (
        (r"give it with --decrypt, --password-file or PINNACLE_PASSWORD", _GIVE_IT),
        (r"add --password-file FILE, or set PINNACLE_PASSWORD_FILE", _GIVE_IT),
        (r"run cleanup with --despite-shrink", "say so on the page of backups"),
        (r"restore with --target to another folder", "restore to another folder"),
        (r"a time with --at", "a time"),
        (
            r"pinnacle-backup create; why it was not made: pinnacle-backup runs",
            "make one; the runs tell why it was not",
        ),
        (r"what is damaged: pinnacle-backup runs show (\d+)", r"run \1 tells what is damaged"),
        (r"pinnacle-backup runs show (\d+); pinnacle-backup runs cancel \1", r"look at run \1, or cancel it"),
        (r"pinnacle-backup runs show (\d+)", r"look at run \1"),
        (r"pinnacle-backup runs (lists|shows)", r"the list of runs shows"),
        (r"pinnacle-backup runs", "look at the runs"),
        (r"pinnacle-backup create", "make a backup"),
        (r"make one with `create`", "make one"),
        (r"`list` shows", "the list of backups shows"),
        (r"`unpin` it", "unpin it"),
        (r"`verify` tells", "verifying tells"),
        (r"pinnacle-backup verify latest", "verify the newest backup"),
        (
            r"what failed: pinnacle-backup drill show; once more: pinnacle-backup drill",
            "its report tells why; run another",
        ),
        (r"pinnacle-backup drill", "run a drill"),
        (r"pinnacle-backup cleanup", "cleanup"),
        (r"pinnacle-backup copy --to (?=\S)", "copy the backups to "),
        (r"start it on the dashboard, or: pinnacle-backup schedule [-a-z ]+", "press Start Scheduler"),
        (r"pinnacle-backup schedule --resume", "press Resume"),
        (r"(?=pinnacle-backup schedule --start-scheduler --daemon, )", "on its machine: "),
        (r"pinnacle-backup notify test", "send a test message"),
        (r"^pinnacle-backup config check$", "look at the settings"),
        (r"pinnacle-backup (user|token) list shows", r"the page of users shows"),
    )
)
"""
What hints say in words of the command line, and how a page says it; the longer first.

Who has a page before them may have no command line at hand; what is meant is done on the pages, too.
"""


def on_page(text: str) -> str:
    """Return a hint as a page says it, which has buttons and no options."""
    shown = text
    for words, said in _SAID:
        shown = words.sub(said, shown)
    return f"{shown[:1].upper()}{shown[1:]}" if text[:1].isupper() else shown


def place_of(check: Check) -> tuple[str, str]:
    """Return words and address of the page where something can be done; empty where there is none."""
    return _PLACES.get(check.name, ("", "")) if check.level != OK else ("", "")


def sentence(text: str) -> str:
    """Return an answer as a sentence of its own: with a capital letter, unless a name stands first."""
    return f"{text[:1].upper()}{text[1:]}" if text.partition(" ")[0].isalpha() else text
