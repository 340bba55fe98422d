"""Where a page leads to from each check: what a person does about it."""

from __future__ import annotations

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


_SAID: Final[Mapping[str, str]] = {
    "give it with --decrypt, --password-file or PINNACLE_PASSWORD": "give the password that it was made with",
    "run cleanup with --despite-shrink": "say so on the page of backups",
    "restore with --target to another folder": "restore to another folder",
    "a time with --at": "a time",
}
"""What hints say of options of the command line: how a page says it."""


def on_page(text: str) -> str:
    """Return a hint as a page says it, which has no options."""
    for words, said in _SAID.items():
        text = text.replace(words, said).replace(sentence(words), sentence(said))
    return text


def place_of(check: Check) -> tuple[str, str]:
    """Return words and address of the page where something can be done; empty where there is none."""
    return _PLACES.get(check.name, ("", "")) if check.level != OK else ("", "")


def sentence(text: str) -> str:
    """Return an answer as a sentence of its own: with a capital letter, unless a name stands first."""
    return f"{text[:1].upper()}{text[1:]}" if text.partition(" ")[0].isalpha() else text
