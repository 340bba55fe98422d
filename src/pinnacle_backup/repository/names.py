"""
What archives are called. Pure: no file is touched.

``backup_YYYYMMDD_HHMMSS.tar.gz`` in local time, ``_incremental`` before the extension, ``_2`` and so on where
a name is taken, or a name of the user's own. The extension tells compression (``.tar.gz``, ``.tar.zst``) and
encryption (``.enc``). All else that is to know stands in the archive, never in its name.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime
from itertools import count
from typing import Final

import msgspec

from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.base import PARTIAL

LATEST: Final = "latest"
"""What people say for the newest backup; no backup has this name."""

SIDECAR: Final = ".sha256"
PIN: Final = ".pin"
CUSTOM_BYTES: Final = 200

_EXTENSIONS: Final = {
    ".tar.gz": ("gzip", False),
    ".tar.zst": ("zstd", False),
    ".tar.gz.enc": ("gzip", True),
    ".tar.zst.enc": ("zstd", True),
}
_RESERVED: Final = (PARTIAL, SIDECAR, PIN, ".lock", ".enc", ".tar")
_INCREMENTAL: Final = "_incremental"
_DATED: Final = re.compile(r"backup_(\d{8}_\d{6})(?:_([1-9]\d{0,8}))?(_incremental)?", re.ASCII)
_CUSTOM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class ArchiveName(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a name says.

    Attributes:
        stem: The name without its extension.
        extension: ``.tar.gz`` and the like.
        compression: ``gzip`` or ``zstd``.
        encrypted: Whether it ends in ``.enc``.
        created: Local time; None where the name is the user's own.
        number: 2 and more where others of that second came before.
        type: ``full`` or ``incremental``; empty where the name is the user's own.
    """

    stem: str
    extension: str
    compression: str
    encrypted: bool
    created: datetime | None = None
    number: int = 1
    type: str = ""


def archive_name(
    created_local: datetime,
    type: str,  # noqa: A002 - the word of the format
    *,
    custom: str | None = None,
    encrypted: bool = False,
    compression: str = "gzip",
    taken: Container[str] = (),
) -> str:
    """
    Return a name that no other archive has, with whatever extension.

    Args:
        created_local: Local time of the backup.
        type: ``full`` or ``incremental``.
        custom: The user's own name, with or without extension.
        encrypted: Whether the archive is.
        compression: ``gzip`` or ``zstd``.
        taken: All names in the store.

    Raises:
        UsageError: The user's own name will not do.
    """
    extension = next(e for e, meaning in _EXTENSIONS.items() if meaning == (compression, encrypted))
    if custom is not None:
        stem, suffix = check_custom(custom), ""
    else:
        stem, suffix = f"backup_{_digits(created_local)}", _INCREMENTAL if type == INCREMENTAL else ""
    candidates = (f"{stem}_{number}{suffix}" if number > 1 else stem + suffix for number in count(1))
    return next(c for c in candidates if not _is_taken(c, taken)) + extension


def check_custom(name: str) -> str:
    """
    Return the user's own name without extension.

    Raises:
        UsageError: It will not do as the name of an archive.
    """
    stem = name
    while any(stem.endswith(extension) for extension in _EXTENSIONS):
        stem = _split(stem)[0]
    reason = _objection(stem)
    if reason:
        shown = printable(name[:CUSTOM_BYTES])
        raise UsageError(f"{shown!r} cannot be the name of a backup: {reason}", hint="for example: my_backup")
    return stem


def parse(name: str) -> ArchiveName | None:
    """Return what the name of an archive says; None where it is not one."""
    if not is_archive_name(name):
        return None
    stem, extension = _split(name)
    compression, encrypted = _EXTENSIONS[extension]
    plain = ArchiveName(stem=stem, extension=extension, compression=compression, encrypted=encrypted)
    match = _DATED.fullmatch(stem)
    created = _time(match[1]) if match else None
    if match is None or created is None:
        return plain
    return msgspec.structs.replace(
        plain,
        created=created,
        number=int(match[2] or 1),
        type=INCREMENTAL if match[3] else FULL,
    )


def is_archive_name(name: str) -> bool:
    """Tell whether an object of this name ought to be an archive."""
    return not name.startswith(".") and bool(_split(name)[0])


def is_companion_name(name: str) -> bool:
    """Tell whether an object of this name is the sidecar or the pin of an archive."""
    return name.endswith((SIDECAR, PIN)) and is_archive_name(archive_of(name))


def archive_of(companion: str) -> str:
    """Return the name of the archive that a sidecar or a pin belongs to."""
    return companion.removesuffix(SIDECAR if companion.endswith(SIDECAR) else PIN)


def sidecar_name(name: str) -> str:
    """Return the name of an archive's sidecar."""
    return name + SIDECAR


def pin_name(name: str) -> str:
    """Return the name of the object that says that an archive stays."""
    return name + PIN


def spellings(reference: str) -> tuple[str, ...]:
    """Return the names that a person may mean, who may have left out the extension or its ``.enc``."""
    return (reference, *(reference + extension for extension in (*_EXTENSIONS, ".enc")))


def without_extension(name: str) -> str:
    """Return the name of an archive without its extension."""
    return _split(name)[0] or name


def _split(name: str) -> tuple[str, str]:
    for extension in _EXTENSIONS:
        if name.endswith(extension):
            return name.removesuffix(extension), extension
    return "", ""


def _is_taken(stem: str, taken: Container[str]) -> bool:
    ends = ("", SIDECAR, PIN)  # a pin that was left behind must not pin another backup
    return any(stem + extension + end in taken for extension in _EXTENSIONS for end in ends)


def _objection(stem: str) -> str:
    if not _CUSTOM.fullmatch(stem):
        return "it takes letters a-z, digits, '.', '_' and '-', a letter or a digit first"
    if len(stem) > CUSTOM_BYTES:
        return f"it is longer than {CUSTOM_BYTES} characters"
    if stem.endswith(_RESERVED):
        return f"it may not end in {', '.join(_RESERVED)}"
    return f"{LATEST!r} stands for the newest backup" if stem == LATEST else ""


def _digits(time: datetime) -> str:
    return f"{time.year:04}{time:%m%d_%H%M%S}"


def _time(digits: str) -> datetime | None:
    try:
        return datetime.strptime(digits, "%Y%m%d_%H%M%S")  # noqa: DTZ007 - names carry local time, without zone
    except ValueError:
        return None
