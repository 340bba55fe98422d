"""Errors of a server, turned back into the errors that they were: same words, same hint, same exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import Forbidden, NotAuthenticated, PinnacleError, ServerError, UsageError

_LONGEST: Final = 1000
_REQUEST: Final = "request"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Problem details as a server of ours has them: see RFC 9457, and ``web.problems``."""

    title: str
    detail: str = ""
    code: str = ""
    hint: str = ""
    errors: tuple[dict[str, str], ...] = ()


def error_of(status: int, kind: str, body: bytes, url: str) -> PinnacleError:
    """
    Return the error that an answer means.

    Args:
        status: Of the answer.
        kind: Its media type.
        body: What it holds.
        url: Of the server, for those that are none of ours.
    """
    problem = _problem(kind, body)
    if problem is None:
        return stranger(status, url)
    found = _named(problem, status)
    if isinstance(found, NotAuthenticated):
        found.hint = "`token list` there shows which tokens are good; `token create` makes one"
    return found


def named_error(code: str, message: str, hint: str, exit_code: int | None = None) -> PinnacleError:
    """Return the error with a code; one that is not known here keeps its words and its exit code."""
    kind = _by_code().get(code, PinnacleError)
    error = kind(one_line(message, limit=_LONGEST), hint=one_line(hint, limit=_LONGEST))
    if exit_code:
        error.exit_code = exit_code
    return error


def stranger(status: int, url: str) -> ServerError:
    """Return the error for an answer that no server of ours gives."""
    if 300 <= status < 400:
        return ServerError(
            f"{url} sends elsewhere, and a token is not sent along", hint="name the address itself"
        )
    return ServerError(
        f"{url} is no Pinnacle Backup server (it answered with {status})",
        hint="is the address right, with its port? Something else may stand in front of the server",
    )


def _problem(kind: str, body: bytes) -> Problem | None:
    if kind not in ("application/problem+json", "application/json"):
        return None
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _named(problem: Problem, status: int) -> PinnacleError:
    faults = [f"{each.get('field', '')}: {each.get('message', '')}" for each in problem.errors]
    message = "; ".join(filter(None, (problem.detail, *faults))) or problem.title
    if problem.code == _REQUEST:
        return UsageError(one_line(message, limit=_LONGEST), hint=one_line(problem.hint, limit=_LONGEST))
    if problem.code in _by_code():
        return named_error(problem.code, message, problem.hint)
    kind = Forbidden if status == 403 else ServerError
    words = f"{problem.title}: {problem.detail}" if problem.detail else message
    return kind(one_line(words, limit=_LONGEST), hint=one_line(problem.hint, limit=_LONGEST))


def _by_code() -> Mapping[str, type[PinnacleError]]:
    return {kind.code: kind for kind in reversed(list(_kinds(PinnacleError)))}


def _kinds(kind: type[PinnacleError]) -> Iterator[type[PinnacleError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
