"""Which paths the administrator does not want: patterns in .gitignore syntax."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinnacle_backup.errors import ConfigError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Excluder:
    """
    Tells whether a path is left out.

    Args:
        patterns: In .gitignore syntax, relative to the studio root, or to ``/`` for sources outside of it.

    Raises:
        ConfigError: A pattern makes no sense.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._spec = _parsed(patterns) if patterns else None
        self._any = _any_of(self._spec) if self._spec else None

    def __bool__(self) -> bool:
        return self._any is not None

    def excludes(self, path: str, *, folder: bool) -> bool:
        """Tell whether a path is left out; of a folder that is, nothing below is looked at."""
        if folder:
            path += "/"
        if self._any is None or self._spec is None:
            return False
        return bool(self._any.match(path)) and self._spec.match_file(path)


def _parsed(patterns: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most have no patterns, and need not wait for it

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise ConfigError(f"backup.exclude: {error}", hint="patterns are those of .gitignore") from error


def _any_of(spec: GitIgnoreSpec) -> re.Pattern[str] | None:
    """
    Return one expression that matches whatever any of the patterns matches; None for no patterns.

    Nearly all paths match no pattern. To know that at once is three times as fast as to ask one by one.
    """
    expressions = [pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None]
    unnamed = [re.sub(r"\(\?P<\w+>", "(?:", expression) for expression in expressions]
    anchored = [
        expression if expression.startswith("^") else f"(?s:.*)(?:{expression})" for expression in unnamed
    ]
    return re.compile("|".join(anchored)) if anchored else None
