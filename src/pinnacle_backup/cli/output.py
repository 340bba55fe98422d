"""
Where a command's words go: data to stdout, everything else to stderr, and with ``--json`` only JSON.

stdout holds what was asked for; stderr holds warnings, questions and errors. With ``--json`` each
of them is one object on one line: ``{"type": "warning" | "error", ...}`` on stderr.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TextIO

from pinnacle_backup.cli import table
from pinnacle_backup.errors import PinnacleError

PROGRAM = "pinnacle-backup"
STYLES = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2", "title": "1", "strong": "1"}
UNLIMITED = 1_000_000


class Output:
    """
    Writes for one command. ``keep`` is told the exit code and the report that end a long one.

    Args:
        stdout: For data.
        stderr: For the rest.
        as_json: Print JSON only.
        quiet: Leave out what a person need not see when all went well.
        colour: Use terminal colours.
        width: Cells of the terminal; None where stdout is none.
        program: How this program was called, for hints that can be copied.
    """

    def __init__(
        self,
        stdout: TextIO,
        stderr: TextIO,
        *,
        as_json: bool = False,
        quiet: bool = False,
        colour: bool = False,
        width: int | None = None,
        program: str = PROGRAM,
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self.as_json = as_json
        self.quiet = quiet
        self.width = width
        self._colour = colour
        self._program = program
        self.keep: Callable[[int, object], None] | None = None

    @property
    def columns(self) -> int:
        """How many cells a line may take."""
        return UNLIMITED if self.width is None else self.width

    def style(self, text: str, style: str) -> str:
        """Return the text in one of ``STYLES``; as it is where colours are off."""
        code = STYLES.get(style, "") if self._colour else ""
        return f"\033[{code}m{text}\033[0m" if code and text else text

    def data(self, *lines: str) -> None:
        """Print lines that were asked for."""
        if not self.as_json:
            self.stdout.writelines(f"{line}\n" for line in lines)

    def say(self, *lines: str) -> None:
        """Print lines that tell how it went; ``--quiet`` leaves them out."""
        if not self.quiet:
            self.data(*lines)

    def table(self, columns: Sequence[table.Column], rows: Sequence[table.Row]) -> None:
        """Print rows below their titles."""
        self.data(*table.lines(columns, rows, self.style))

    def facts(self, pairs: Sequence[tuple[str, str]], indent: str = "") -> None:
        """Print names and values, aligned."""
        self.data(*table.facts(pairs, self.style, indent, self.width))

    def json(self, value: object) -> None:
        """Print one JSON object on a line of its own, where JSON was asked for."""
        if self.as_json:
            self.stdout.write(_dumps(value) + "\n")
            self.stdout.flush()

    def document(self, value: object) -> None:
        """Print data that is JSON with or without ``--json``: on one line, or laid out for people."""
        self.stdout.write(
            json.dumps(value, indent=None if self.as_json else 2, ensure_ascii=self.as_json) + "\n"
        )

    def result(self, exit_code: int, report: object) -> None:
        """Print the JSON line that ends a long command."""
        if self.keep is not None:
            self.keep(exit_code, report)
        if self.as_json:
            from pinnacle_backup.app.plain import plain

            self.json({"type": "result", "exit_code": exit_code, **plain(report)})

    def json_stream(self, head: Mapping[str, object], key: str, items: Iterable[object]) -> None:
        """Print one JSON object whose last value is an array of any length, in constant memory."""
        write = self.stdout.write
        write(_dumps(head)[:-1] + (", " if head else "") + json.dumps(key) + ": [")
        for place, item in enumerate(items):
            write((",\n" if place else "\n") + _dumps(item))
        write("]}\n")

    def warn(self, message: str) -> None:
        """Print a warning; nothing suppresses it."""
        if self.as_json:
            self._to_stderr(json.dumps({"type": "warning", "message": message}))
        else:
            self._to_stderr(f"{PROGRAM}: {self.style('warning:', 'warn')} {message}")

    def note(self, message: str) -> None:
        """Print to stderr what goes on, where a person wants to know."""
        if not self.as_json:
            self._to_stderr(self.style(message, "dim"))

    def error(self, error: PinnacleError) -> None:
        """Print an error: what, and what to do next."""
        hint = self.as_called(error.hint)
        if self.as_json:
            fields = {"code": error.code, "message": error.message, "hint": hint}
            self._to_stderr(json.dumps({"type": "error", **fields, "exit_code": error.exit_code}))
            return
        self._to_stderr(f"{PROGRAM}: {self.style(error.message, 'bad')}")
        if hint:
            self._to_stderr(f"  hint: {hint}")

    def as_called(self, text: str) -> str:
        """Return the text with this program named as the user named it, ready to be copied."""
        return text.replace(f"{PROGRAM} ", f"{self._program} ")

    def flush(self) -> None:
        """
        Hand everything to the other side.

        Raises:
            BrokenPipeError: Nobody reads any more.
        """
        self.stdout.flush()
        self.stderr.flush()

    def _to_stderr(self, line: str) -> None:
        with suppress(OSError):  # a closed stderr must not turn a good run into a failed one
            self.stdout.flush()
            self.stderr.write(line + "\n")
            self.stderr.flush()


def _dumps(value: object) -> str:
    from pinnacle_backup.app.plain import plain

    return json.dumps(plain(value))


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal behind the stream; None where there is no terminal."""
    return max(shutil.get_terminal_size((80, 24)).columns, 40) if stream.isatty() else None


def wants_colour(choice: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to colour: ``always``, ``never``, or ``auto`` by terminal, NO_COLOR and TERM."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") not in ("dumb", "")
