"""
What the settings are set to, and where each value came from.

Three places: the file itself, ``{"$env": ...}`` and ``{"$file": ...}`` in it, and ``PINNACLE_...`` variables,
which win. Nothing is checked here but that a value can be had; the schema checks the result.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import MissingSecret, read_secret_file
from pinnacle_backup.config.settings import OBJECT, TEXT, Setting, settings
from pinnacle_backup.config.strict_json import parse
from pinnacle_backup.errors import ConfigError

ENVIRONMENT: Final = "$env"
FILE: Final = "$file"

_NEEDED_LATE: Final = ("notifications.", "backup.encryption.key", "cloud_storage.", "backup.destinations")
"""
What tells people how it went must not keep backups from being made, nor from being restored. Without the
password or the keys to a bucket all can be done that does not take them; what does fails with the reason.
"""
_DEEPEST: Final = 8
"""Parts of a path; no setting lies deeper, so what does is left to the check of the schema."""


class Origin(NamedTuple):
    """
    Where a value came from, if not from the configuration file itself.

    Attributes:
        label: In words, for an error message.
        shown: Whether an error message may show the value.
    """

    label: str
    shown: bool


class Values:
    """
    The values of one configuration on their way from the file to the schema.

    Attributes:
        name: What error messages call the file.
        data: Our sections, by key.
        warnings: One line for each secret that everybody can read.
        files: Those that values come from.
    """

    def __init__(self, data: dict[str, Any], *, name: str, root: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.data = data
        self.warnings: list[str] = []
        self.files: list[str] = []
        self._root = root
        self._environ = environ
        self._origins: dict[str, Origin] = {}

    @cached_property
    def known(self) -> dict[str, Setting]:
        """All settings by path; made when first needed, for most commands never do."""
        return settings()

    def setting(self, path: str) -> Setting | None:
        """Return the setting at the path of a value; None where the schema has none."""
        return self.known.get(re.sub(r"\[\d+\]", "[]", path))

    def origin(self, path: str) -> Origin | None:
        """Return where the value at the path, or a section around it, came from; None for the file itself."""
        while path:
            if path in self._origins:
                return self._origins[path]
            path = path.rpartition(".")[0]
        return None

    def resolve(self) -> None:
        """
        Put what they refer to in the place of all ``$env`` and ``$file``.

        Raises:
            ConfigError: A variable is not set, or a file cannot be used, and more than a message needs it.
        """
        self.data = {key: self._resolved(value, key) for key, value in self.data.items()}

    def override(self) -> None:
        """
        Set what ``PINNACLE_SECTION__KEY`` variables say.

        Raises:
            ConfigError: A variable stands for no setting.
        """
        for variable in sorted(filter(is_override, self._environ)):
            setting = self._named(variable)
            self._origins = {p: o for p, o in self._origins.items() if not p.startswith(setting.path + ".")}
            self._origins[setting.path] = Origin(variable, shown=not setting.secret)
            self._put(setting.path, _from_text(setting, self._environ[variable]))

    def _resolved(self, value: object, path: str) -> Any:
        if path.count(".") + path.count("[") >= _DEEPEST:
            return value
        if isinstance(value, list):
            return [self._resolved(each, f"{path}[{index}]") for index, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (kind := next(iter(value))) in (ENVIRONMENT, FILE):
            setting = self.setting(path)
            return value if setting is None else self._referenced(kind, value[kind], path, setting)
        return {key: self._resolved(each, f"{path}.{key}") for key, each in value.items()}

    def _referenced(self, kind: str, target: object, path: str, setting: Setting) -> Any:
        if not isinstance(target, str) or not target:
            what = "the name of a variable" if kind == ENVIRONMENT else "the path of a file"
            raise ConfigError(f"{self.name}: {path}: expected {what} as text in {kind}")
        self._origins[path] = Origin(f"{kind} {one_line(target, limit=100)}", shown=False)
        read = self._variable if kind == ENVIRONMENT else self._file
        try:
            return _from_text(setting, read(target, path, setting))
        except ConfigError as fault:
            if setting.secret and path.startswith(_NEEDED_LATE):
                return MissingSecret(fault)
            raise

    def _variable(self, variable: str, path: str, setting: Setting) -> str:
        text = self._environ.get(variable)
        if text is None or (setting.secret and not text):
            named = one_line(variable, limit=100)
            raise ConfigError(f"{self.name}: {path}: the variable {named} of the environment is not set")
        return text

    def _file(self, target: str, path: str, setting: Setting) -> str:
        file = os.path.join(self._root, target)
        self.files.append(file)
        try:
            text, exposed = read_secret_file(file)
        except ConfigError as error:
            raise ConfigError(f"{self.name}: {path}: {error}", hint=error.hint) from None
        if exposed and (setting.secret or setting.kind == OBJECT):
            self.warnings.append(f"{one_line(file)}: every user of this machine can read it; chmod 600 it")
        return text

    def _named(self, variable: str) -> Setting:
        by_variable = {
            setting.variable: setting for setting in self.known.values() if "[]" not in setting.path
        }
        if variable in by_variable:
            return by_variable[variable]
        close = difflib.get_close_matches(variable, by_variable, 1, 0.7)
        suggestion = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(f"{one_line(variable, limit=100)}: no setting has this variable{suggestion}")

    def _put(self, path: str, value: object) -> None:
        *sections, key = path.split(".")
        place: Any = self.data
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                return  # the schema is about to say what should stand there
        place[key] = value


def is_override(variable: str) -> bool:
    """Tell whether the variable of the environment claims to set one of the settings."""
    return variable.startswith("PINNACLE_") and "__" in variable


def walk(data: object, path: str) -> Any:
    """Return the value at the path of a decoded JSON document."""
    for step in _steps(path):
        data = data[step]  # type: ignore[index]
    return data


def _steps(path: str) -> Iterator[str | int]:
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        yield key or int(index)


def _from_text(setting: Setting, text: str) -> Any:
    """Take a text as it is and all else as JSON; what is no JSON then fails the schema's check as a text."""
    if setting.kind == TEXT:
        return None if text == "null" and setting.nullable and not setting.secret else text
    try:
        return parse(text, setting.variable)
    except ConfigError:
        return text
