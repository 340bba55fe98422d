"""Where the studio is, and its configuration."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from pinnacle_backup.config.load import FILE_NAME, find_root, interpret, load
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.errors import ConfigError, UsageError
from pinnacle_backup.model.paths import printable

Stamp = tuple[int, int, int] | None
"""Which file it is, its size and when it was changed; None where there is none."""


@dataclass(frozen=True)
class Place:
    """
    A studio before anything of it is opened.

    Attributes:
        root: The studio root, absolute.
        file: Its configuration, absolute.
        environ: The environment.
        may_lack: Whether it may be without a configuration: a person named this folder, or the program
            lies in it. A lost configuration must not stand in the way of the restore that brings it back.
    """

    root: str
    file: str
    environ: Mapping[str, str]
    may_lack: bool = False

    def configuration(self) -> Configuration:
        """
        Return the configuration in force.

        Raises:
            ConfigError: It is wrong.
        """
        name = os.path.basename(self.file)
        if not self.may_lack or os.path.lexists(self.file):
            try:
                return load(self.file, self.environ)
            except ConfigError as error:
                root = shlex.quote(printable(self.root))
                back = f"pinnacle-backup restore latest {printable(name)} --root {root}"
                raise ConfigError(
                    error.message,
                    hint=error.hint or f"correct it; or move it away and bring an earlier one back: {back}",
                ) from None
        defaults = interpret(b"{}", name=name, root=self.root, environ=self.environ)
        lacking = f"no {name} in {printable(self.root)}: the defaults are in force"
        return msgspec.structs.replace(defaults, warnings=(lacking, *defaults.warnings))

    def stamps(self, configuration: Configuration) -> tuple[Stamp, ...]:
        """
        Return what tells whether a configuration has changed since: of its file, then of those it refers to.

        A password in a file of its own is changed without a touch of the configuration.
        """
        return tuple(map(_stamp, (self.file, *configuration.files)))


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def find_place(
    *, root: str | None, config: str | None, start: str, home: str | None, environ: Mapping[str, str]
) -> Place:
    """
    Return the studio that is meant: named, else the one that ``start`` lies in, else the program's own.

    Args:
        root: The studio root that was named.
        config: The configuration that was named; its folder is the root.
        start: The current folder.
        home: The studio that the program is part of, if any.
        environ: PINNACLE_ROOT and PINNACLE_CONFIG name a studio, too.

    Raises:
        UsageError: Both were named.
        ConfigError: There is none.
    """
    if root and config:
        raise UsageError("--root and --config name two places", hint="leave one of them out")
    if not (root or config):
        root, config = environ.get("PINNACLE_ROOT"), environ.get("PINNACLE_CONFIG")
    if config:
        file = os.path.abspath(config)
        return Place(os.path.dirname(file), file, environ)
    if root:
        return _named(root, environ)
    try:
        found = find_root(start)
    except ConfigError as error:
        if home is None:
            raise ConfigError(
                error.message, hint="change into the studio root, or name it: --root DIR"
            ) from None
        return Place(home, os.path.join(home, FILE_NAME), environ, may_lack=True)
    return Place(found, os.path.join(found, FILE_NAME), environ)


def _named(root: str, environ: Mapping[str, str]) -> Place:
    folder = os.path.abspath(root)
    if not os.path.isdir(folder):
        raise UsageError(f"{printable(root)} is not a folder", hint="--root names the studio root")
    return Place(folder, os.path.join(folder, FILE_NAME), environ, may_lack=True)
