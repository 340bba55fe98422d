"""What a browser says of itself, in the few words that people know it by."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.model.paths import printable

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)
_LONGEST: Final = 60


def browser_words(agent: str) -> str:
    """Return ``Firefox on Windows``; what is not known as it says itself, cut short."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if not browser:
        return printable(agent[:_LONGEST]) or "an unknown program"
    return f"{browser} on {system}" if system else browser
