"""The settings as a form: which belong together, and how each is called and asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from pinnacle_backup.model.settings import SettingValue

_CODE: Final = re.compile(r"`([^`]*)`")
_WORDS: Final = {
    "smtp": "SMTP", "tls": "TLS", "ssl": "SSL", "url": "URL", "urls": "URLs", "ca": "CA", "id": "ID",
}  # fmt: skip

_TITLES: Final = {
    "backup.enabled": "Make backups",
    "backup.incremental.enabled": "Incremental backups",
    "backup.incremental.retention_days": "Incremental backups stay",
    "backup.retention_days": "Full backups stay",
    "backup.encryption.enabled": "Encrypt every backup",
    "backup.encryption.key": "Password",
    "notifications.enabled": "Tell somebody",
    "notifications.smtp.enabled": "Send e-mail",
    "cloud_storage.enabled": "Copy every backup to the cloud",
    "cloud_storage.upload_kib_per_second": "Upload limit",
    "cloud_storage.download_kib_per_second": "Download limit",
    "cloud_storage.retention_days": "Full backups stay there",
    "backup.destinations": "More destinations",
    "backup.primary": "Make backups straight in",
}
"""Where the key alone would not say it."""


@dataclass(frozen=True)
class Group:
    """
    Settings on one page.

    Attributes:
        key: In its address.
        title: Of its tab.
        parts: Each with a title, a sentence, and the beginnings of its settings' paths.
    """

    key: str
    title: str
    parts: tuple[tuple[str, str, tuple[str, ...]], ...]


_CLOUD: Final = (
    "enabled", "provider", "bucket", "prefix", "region", "endpoint_url", "access_key", "secret_key",
)  # fmt: skip

GROUPS: Final = (
    Group(
        "backup",
        "Backup",
        (
            (
                "What is backed up",
                "Paths count from the studio root, one a line.",
                ("backup.",),
            ),
            (
                "Where to",
                "Where backups lie, and what is kept beside them.",
                ("backup.directory", "backup.copy_to", "backup.state_directory", "backup.metrics_file"),
            ),
            (
                "How",
                "The defaults suit almost everybody.",
                ("backup.compression", "backup.deduplicate", "backup.workers", "backup.incremental.enabled"),
            ),
        ),
    ),
    Group(
        "retention",
        "Retention",
        (
            (
                "How long backups stay",
                "Pinned backups stay, and the newest one, whatever stands here.",
                ("backup.retention_days", "backup.incremental.retention_days"),
            ),
            ("Longer", "Of each period the last full backup stays.", ("backup.keep.",)),
            (
                "Safety",
                "What starts a cleanup, and what stops one.",
                ("backup.shrink_guard_percent", "backup.cleanup_below_percent_free"),
            ),
        ),
    ),
    Group(
        "encryption",
        "Encryption",
        (
            (
                "Encryption",
                "AES-256. Without the password there is no restore: print it, lock it away.",
                ("backup.encryption.",),
            ),
        ),
    ),
    Group(
        "schedule",
        "Schedule",
        (
            ("By itself", "What happens when nobody is there.", ("backup.schedule.",)),
            ("Drills", "Restores for practice, which prove that backups are good.", ("backup.drill.",)),
        ),
    ),
    Group(
        "notifications",
        "Notifications",
        (
            (
                "Who is told",
                "Each thing is told once, when it changes.",
                ("notifications.enabled", "notifications.events."),
            ),
            ("By mail", "The mail server that messages go through.", ("notifications.smtp.",)),
            ("Otherwise", "Chat, push, and services that expect a sign of life.", ("notifications.",)),
        ),
    ),
    Group(
        "cloud",
        "Cloud",
        (
            (
                "Cloud storage",
                "A second place for every backup: a bucket at a provider of S3, at Google or Azure.",
                tuple(f"cloud_storage.{key}" for key in _CLOUD),
            ),
            ("Fine points", "What most buckets do not need.", ("cloud_storage.",)),
            ("More places", "Further buckets and folders.", ("backup.destinations", "backup.primary")),
        ),
    ),
    Group("logs", "Logs", (("Log files", "What is written down, and for how long.", ("logging.",)),)),
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """
    One setting as a form asks for it.

    Attributes:
        setting: It.
        title: Of its field.
        hint: What it means.
        text: Its value as a field holds it.
        options: What it can be, each with its words; empty where that cannot be listed.
        note: Where its value comes from, unless from the file or by default.
    """

    setting: SettingValue
    title: str
    hint: str
    text: str
    options: tuple[tuple[str, str], ...]
    note: str


def group_of(key: str) -> Group | None:
    """Return the group of a key; None where there is none."""
    return next((group for group in GROUPS if group.key == key), None)


def parts_of(group: Group, settings: Iterable[SettingValue]) -> list[tuple[str, str, list[Field]]]:
    """Return the parts of a group with their fields; each setting stands where it is named first."""
    by_place: dict[tuple[str, int], list[Field]] = {}
    for setting in settings:
        place = _place(setting.path)
        by_place.setdefault(place, []).append(field_of(setting))
    return [
        (title, sentence, by_place.get((group.key, number), []))
        for number, (title, sentence, _) in enumerate(group.parts)
    ]


def _place(path: str) -> tuple[str, int]:
    """Return group and part of a setting; a more exact beginning wins, a new setting lands with the first."""
    places = [
        (len(start), group.key, number)
        for group in GROUPS
        for number, (_, _, starts) in enumerate(group.parts)
        for start in starts
        if path.startswith(start)
    ]
    return max(places)[1:] if places else (GROUPS[0].key, 0)


def field_of(setting: SettingValue) -> Field:
    """Return a setting as a form asks for it."""
    return Field(
        setting=setting,
        title=_title(setting.path),
        hint=_hint(setting.description) + _default(setting),
        text=_text(setting),
        options=tuple((choice, choice) for choice in setting.choices),
        note=_note(setting),
    )


def _title(path: str) -> str:
    if path in _TITLES:
        return _TITLES[path]
    words = path.rpartition(".")[2].split("_")
    text = " ".join(_WORDS.get(word, word) for word in words)
    return text[:1].upper() + text[1:]


def _hint(description: str) -> Markup:
    pieces = _CODE.split(description)
    marked = (
        Markup("<code>{}</code>").format(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces)
    )
    return Markup("").join(marked)


def _default(setting: SettingValue) -> Markup:
    """Return what the default is, where something else is in force."""
    if setting.secret or setting.value == setting.default or isinstance(setting.default, list):
        return Markup("")
    return Markup(" Default: <code>{}</code>.").format(
        json.dumps(setting.default, ensure_ascii=False).strip('"')
    )


def _text(setting: SettingValue) -> str:
    value = setting.value
    if setting.secret or value is None:
        return ""
    if isinstance(value, list) and setting.items == "text":
        return "\n".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _note(setting: SettingValue) -> str:
    if setting.locked:
        return f"Set by {setting.source} in the environment of the server, and changed only there."
    return (
        f"Comes from {setting.source}; what is typed here takes its place."
        if setting.source.startswith("$")
        else ""
    )
