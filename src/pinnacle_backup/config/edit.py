"""Changes settings in a ``config.json``: checked first, all or nothing, everything else untouched."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pinnacle_backup.config.load import document, interpret
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.schema import SECTIONS, Configuration
from pinnacle_backup.config.splice import splice
from pinnacle_backup.config.strict_json import SIZE_LIMIT, decode
from pinnacle_backup.config.values import is_override
from pinnacle_backup.errors import ConfigError


def update(path: str, changes: Mapping[str, object], environ: Mapping[str, str]) -> Configuration:
    """
    Write changed settings into the file and return the configuration that it now stands for.

    The file is replaced as a whole and at once; a reader sees the old or the new one. Two updates at the same
    time happen one after the other. ``PINNACLE_...`` variables are left aside: they would hide a wrong value.

    Args:
        path: The file; where it is a symbolic link, the file it leads to is replaced.
        changes: New JSON values by JSON path: ``{"backup.schedule.weekly_cleanup": False}``.
        environ: Variables of the environment, for what the file refers to.

    Raises:
        ConfigError: The file with the changes would be wrong, or it cannot be written. Nothing was changed.
    """
    target, name = os.path.realpath(path), os.path.basename(path)
    referred = _without_overrides(environ)
    try:
        with _locked(os.path.dirname(target)) as folder, open(target, "rb") as file:
            status = os.fstat(file.fileno())
            before = file.read(SIZE_LIMIT + 1)
            root = os.path.dirname(os.path.abspath(path))
            after = _changed(before, changes, name)
            configuration = interpret(after, name=name, root=root, environ=referred)
            if after != before:
                _replace(target, after, status, folder)
    except OSError as error:
        raise ConfigError(f"{one_line(path)}: cannot be changed: {error.strerror}") from None
    return configuration


def tried(path: str, changes: Mapping[str, object], environ: Mapping[str, str]) -> Configuration:
    """
    Return the configuration that the file would stand for with these changes; nothing is written.

    Raises:
        ConfigError: See ``update``.
    """
    name, root = os.path.basename(path), os.path.dirname(os.path.abspath(path))
    try:
        with open(path, "rb") as file:
            before = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        before = b"{}"
    except OSError as error:
        raise ConfigError(f"{one_line(path)}: cannot be read: {error.strerror}") from None
    return interpret(
        _changed(before, changes, name), name=name, root=root, environ=_without_overrides(environ)
    )


def _without_overrides(environ: Mapping[str, str]) -> dict[str, str]:
    return {variable: text for variable, text in environ.items() if not is_override(variable)}


def _changed(content: bytes, changes: Mapping[str, object], name: str) -> bytes:
    document(content, name)  # splice relies on its being one
    text = decode(content, name)
    for path, value in changes.items():
        if path.split(".")[0] not in SECTIONS:
            raise ConfigError(f"{name}: {one_line(path, limit=100)}: no setting of the backup system")
        text = splice(text, path.split("."), value)
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return mark + text.encode("utf-8")


@contextmanager
def _locked(folder: str) -> Iterator[int]:
    """Hold the folder's lock, which dies with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(target: str, content: bytes, status: os.stat_result, folder: int) -> None:
    """Put the content in the place of the file, with its mode and owner, durably."""
    partial = f"{target}.partial"
    if os.path.lexists(partial):
        os.unlink(partial)  # of an update that was killed; ours is the only one now
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            os.fsync(descriptor)
        os.replace(partial, target)
    except BaseException:
        os.unlink(partial)
        raise
    os.fsync(folder)
