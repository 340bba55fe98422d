"""The token that says who asks: from a file that nobody else can read, or from the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import Secret, read_secret_file
from pinnacle_backup.errors import NotAuthenticated, UsageError

TOKEN_VARIABLE: Final = "PINNACLE_BACKUP_TOKEN"  # noqa: S105 - the name of a variable
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LONGEST: Final = 512


def find_token(file: str | None, environ: Mapping[str, str]) -> Secret:
    """
    Return the token: that of the file where one is named, else that of the environment.

    Raises:
        NotAuthenticated: There is none.
        UsageError: Others can read the file, or what it holds is no token.
        ConfigError: The file cannot be read.
    """
    if file is not None:
        return _checked(_from_file(file), f"what {one_line(file)} holds")
    if text := environ.get(TOKEN_VARIABLE):
        return _checked(text, TOKEN_VARIABLE)
    raise NotAuthenticated(
        "a server asks for a token, and none was given",
        hint=f"make one there with `token create`, then --token-file FILE, or set {TOKEN_VARIABLE}",
    )


def _from_file(path: str) -> str:
    content = read_secret_file(path).text
    if os.stat(path).st_mode & _OTHERS:
        raise UsageError(
            f"other users of this machine can read {one_line(path)}",
            hint=f"chmod 600 {one_line(path)}; and better take a new token, as this one may be known",
        )
    return content


def _checked(text: str, source: str) -> Secret:
    token = text.strip()
    if not token or len(token) > _LONGEST or not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError(f"{source} is no token", hint="`token create` prints one, and nothing else")
    return Secret(token)
