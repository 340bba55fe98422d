"""Which paths the administrator does not want: patterns in .gitignore syntax."""

from __future__ import annotations

from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from pinnacle_backup.errors import ConfigError


class Excluder:
    """
    Tells whether a path is left out.

    Args:
        patterns: In .gitignore syntax, relative to the studio root.

    Raises:
        ConfigError: A pattern makes no sense.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        try:
            self._spec = GitIgnoreSpec.from_lines(patterns) if patterns else None
        except ValueError as error:
            raise ConfigError(f"backup.exclude: {error}", hint="patterns are those of .gitignore") from error

    def __bool__(self) -> bool:
        return self._spec is not None

    def excludes(self, path: str, *, folder: bool) -> bool:
        """Tell whether a path is left out; of a folder that is, nothing below is looked at."""
        return self._spec is not None and self._spec.match_file(path + "/" if folder else path)
