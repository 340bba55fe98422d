"""
JSON as a configuration needs it: what is doubtful is refused, and an error says where it stands.

The standard library's reader is used because it knows lines and columns and can see a key that stands twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import ConfigError

SIZE_LIMIT: Final = 1 << 20
"""Bytes; a configuration that is larger is not one."""


class _DoubtfulError(ValueError):
    """Valid for most readers, but nobody can say what it means."""


def decode(content: bytes, name: str) -> str:
    """
    Return the text of a JSON file.

    Raises:
        ConfigError: It is too large or not UTF-8.
    """
    if len(content) > SIZE_LIMIT:
        raise ConfigError(f"{name}: larger than {SIZE_LIMIT >> 20} MiB, so hardly a configuration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}: line {line}: not UTF-8 text") from None


def parse(text: str, name: str) -> object:
    """
    Return the value that the text stands for.

    Raises:
        ConfigError: It is not JSON, or a key stands twice in one object, or a number is none.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise ConfigError(f"{name}: line {error.lineno}, column {error.colno}: {reason}") from None
    except _DoubtfulError as error:
        raise ConfigError(f"{name}: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name}: nested too deeply") from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in result if keys.count(key) > 1)
        raise _DoubtfulError(f'the key "{one_line(twice, limit=60)}" stands twice in one object')
    return result


def _refuse(constant: str) -> NoReturn:
    raise _DoubtfulError(f"{constant} is not a number")


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise _DoubtfulError(f"{one_line(digits, limit=20)} is too large a number")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 4000:  # Python itself refuses to convert more, with a traceback
        raise _DoubtfulError(f"{digits[:20]}... is too large a number")
    return int(digits)
