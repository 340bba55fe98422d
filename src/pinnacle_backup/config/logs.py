"""
The log files: all events, those of automated runs, and what went wrong.

Nothing here is global: the loggers are not registered anywhere, belong to whoever opened them and end there.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

from pinnacle_backup.config.log_file import LogFile
from pinnacle_backup.config.redact import Redactor, one_line
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.config.schema import Logging as Settings
from pinnacle_backup.config.secrets import secrets_in

ALL: Final = "ultra_pinnacle.log"
AUTOMATED: Final = "auto_backup.log"
ERRORS: Final = "backup_errors.log"

FIELDS: Final = ("run", "verb", "job")
"""What the line of an event may know besides: the number of the run, what runs, for which job."""


class Logs:
    """
    The open logs.

    Attributes:
        main: The logger for what a person starts.
        auto: The logger for automated runs: what goes there is also in the main log.
    """

    def __init__(self, main: logging.Logger, auto: logging.Logger) -> None:
        self.main = main
        self.auto = auto

    def close(self) -> None:
        """Close the files. What is logged afterwards is lost without an error."""
        for logger in (self.auto, self.main):
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
                handler.close()
            logger.addHandler(logging.NullHandler())

    def __enter__(self) -> Logs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_logs(
    configuration: Configuration,
    root: str,
    *,
    secrets: Iterable[str] = (),
    warn: Callable[[str], None] | None = None,
) -> Logs:
    """
    Return the loggers that the configuration asks for. A log that cannot be written never raises an error.

    Args:
        root: The studio root.
        secrets: Passwords beyond those of the configuration; none of them is ever written.
        warn: Gets one line when a log cannot be written, once; by default it goes to standard error.
    """
    known = [secret.reveal() for _, secret in secrets_in(configuration)]
    formatter = _FORMATS[configuration.logging.format](Redactor([*known, *secrets]))
    folder = os.path.join(root, configuration.logging.directory)
    report = _Once(warn or _to_standard_error)

    def handler(name: str, level: str) -> LogFile:
        return _handler(os.path.join(folder, name), level, configuration.logging, formatter, report)

    level = configuration.logging.level
    main = logging.Logger("pinnacle_backup", level)  # noqa: LOG001 - getLogger would make it global
    main.addHandler(handler(ALL, "NOTSET"))
    main.addHandler(handler(ERRORS, "WARNING"))
    auto = logging.Logger("pinnacle_backup.auto", level)  # noqa: LOG001
    auto.parent = main
    auto.addHandler(handler(AUTOMATED, "NOTSET"))
    return Logs(main, auto)


def _handler(
    path: str, level: str, settings: Settings, formatter: logging.Formatter, report: _Once
) -> LogFile:
    handler = LogFile(path, max_bytes=settings.max_bytes, files=settings.files, failed=report)
    handler.setLevel(level)
    handler.setFormatter(formatter)
    return handler


class _Once:
    """Passes on the first failure of a log; the others would only repeat it."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned = False

    def __call__(self, path: str, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._warn(one_line(f"the log {path} cannot be written: {reason}"))


def _to_standard_error(line: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"warning: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # a daemon's standard error may be closed or full as well; nobody is left to tell


class _Text(logging.Formatter):
    """``2026-11-20T14:03:22+0100 INFO message``."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {one_line(self._clean(record))}"

    def _clean(self, record: logging.LogRecord) -> str:
        """Return the message, with the traceback if there is one, without secrets."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        return self._redact(message)


class _Json(_Text):
    """``{"time": ..., "level": ..., "logger": ..., "pid": ..., "message": ...}``, and ``FIELDS`` if known."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            **{name: known for name in FIELDS if (known := getattr(record, name, None)) is not None},
            "message": self._clean(record),
        }
        return json.dumps(event)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created))


_FORMATS: Final = {"text": _Text, "json": _Json}
