"""
From a ``config.json`` to a checked configuration.

The studio owns the file: top-level keys that are not ours are left alone unless they look like slips.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.schema import SECTIONS, Configuration
from pinnacle_backup.config.secrets import Secret, missing_in, secrets_in
from pinnacle_backup.config.strict_json import SIZE_LIMIT, decode, parse
from pinnacle_backup.config.values import Values
from pinnacle_backup.errors import ConfigError

FILE_NAME: Final = "config.json"

_NEAR_MISS: Final = 0.8
"""Similarity from which an unknown top-level key is taken for a slip."""


def find_root(start: str) -> str:
    """
    Return the studio root: the nearest folder with a ``config.json``, from ``start`` upwards.

    Raises:
        ConfigError: No folder on the way has one.
    """
    folder = os.path.abspath(start)
    while not os.path.isfile(os.path.join(folder, FILE_NAME)):
        above = os.path.dirname(folder)
        if above == folder:
            raise ConfigError(
                f"no {FILE_NAME} in {one_line(os.path.abspath(start))} or above it",
                hint=f"run the command in the studio root, the folder with {FILE_NAME}",
            )
        folder = above
    return folder


def load(path: str, environ: Mapping[str, str]) -> Configuration:
    """
    Return the configuration of the file, with what the environment adds.

    Args:
        path: The file; relative paths in it count from its folder, the studio root.
        environ: Variables of the environment.

    Raises:
        ConfigError: The file cannot be read or is wrong; one line that says where.
    """
    content, exposed = _read(path)
    root = os.path.dirname(os.path.abspath(path))
    return interpret(content, name=os.path.basename(path), root=root, environ=environ, exposed=exposed)


def interpret(
    content: bytes, *, name: str, root: str, environ: Mapping[str, str], exposed: bool = False
) -> Configuration:
    """
    Return the configuration that the content of a file stands for.

    Args:
        name: What error messages call the file.
        root: The studio root, absolute.
        exposed: Whether every user of the machine can read the content.

    Raises:
        ConfigError: It is wrong; one line that says where.
    """
    values = values_of(content, name=name, root=root, environ=environ)
    configuration = _checked(values)
    values.warnings.extend(missing.fault.message for missing in missing_in(configuration))
    values.warnings.extend(f"{name}: {fault}" for fault in _idle_jobs(configuration))
    if exposed:
        values.warnings.extend(_literal_secrets(configuration, values))
    return msgspec.structs.replace(configuration, warnings=tuple(values.warnings), files=tuple(values.files))


def values_of(content: bytes, *, name: str, root: str, environ: Mapping[str, str]) -> Values:
    """
    Return the values that the content of a file stands for, and where each came from; not checked yet.

    Raises:
        ConfigError: It is no object, or a value cannot be had.
    """
    values = Values(_ours(document(content, name), name), name=name, root=root, environ=environ)
    values.resolve()
    values.override()
    return values


def document(content: bytes, name: str) -> dict[str, Any]:
    """
    Return the JSON object that a file holds, ours and the studio's sections alike.

    Raises:
        ConfigError: It holds something else.
    """
    everything = parse(decode(content, name), name)
    if not isinstance(everything, dict):
        raise ConfigError(f"{name}: expected an object with the sections {', '.join(SECTIONS)}")
    return everything


def _read(path: str) -> tuple[bytes, bool]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ConfigError(f"{one_line(path)}: not a file")
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            return file.read(SIZE_LIMIT + 1), bool(mode & stat.S_IROTH)
    except OSError as error:
        raise ConfigError(f"{one_line(path)}: cannot be read: {error.strerror}") from None


def _ours(everything: dict[str, Any], name: str) -> dict[str, Any]:
    for key, value in everything.items():
        if key not in SECTIONS and (meant := _slip_of(key, value)):
            raise ConfigError(f"{name}: {one_line(key, limit=60)}: unknown section; did you mean {meant}?")
    return {key: everything[key] for key in SECTIONS if key in everything}


def _slip_of(key: str, value: object) -> str:
    """Return the section that the key is a slip of: spelt almost like it, and holding one of its keys."""
    for section in SECTIONS:
        alike = difflib.SequenceMatcher(None, key.lower(), section).ratio() >= _NEAR_MISS
        if alike and isinstance(value, dict) and not value.keys().isdisjoint(_keys(section)):
            return section
    return ""


def _keys(section: str) -> Iterable[str]:
    fields: tuple[str, ...] = getattr(Configuration(), section).__struct_fields__
    return fields


def _checked(values: Values) -> Configuration:
    try:
        configuration = msgspec.convert(values.data, Configuration, dec_hook=_secret)
        _require_names(values.data)
    except msgspec.ValidationError as error:
        from pinnacle_backup.config.faults import explain  # noqa: PLC0415 - it takes time that few errors cost

        raise explain(error, values) from None
    except UnicodeEncodeError:
        raise ConfigError(
            f"{values.name}: holds half a surrogate pair (\\ud800 to \\udfff), which is no text"
        ) from None
    return configuration


def _require_names(data: object) -> None:
    """Raise UnicodeEncodeError where a text could not even be the name of a file."""
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, str):
            os.fsencode(value)
        elif isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value


def _secret(_type: type, value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode("utf-8")
    return Secret(value)


def _idle_jobs(configuration: Configuration) -> Iterator[str]:
    """Yield what is wrong with jobs that could only fail: better told now than at night."""
    backup = configuration.backup
    places = backup.copy_to or backup.destinations or configuration.cloud_storage.enabled
    for number, job in enumerate(backup.schedule.jobs):
        if job.run == "copy" and job.enabled and not places:
            where = f"backup.schedule.jobs[{number}]"
            yield f'{where}: "{job.name}" has no place to copy to: set backup.copy_to'


def _literal_secrets(configuration: Configuration, values: Values) -> list[str]:
    literal = [path for path, _ in secrets_in(configuration) if values.origin(path) is None]
    if not literal:
        return []
    return [f"{values.name}: every user of this machine can read {', '.join(literal)} in it; chmod 600 it"]
