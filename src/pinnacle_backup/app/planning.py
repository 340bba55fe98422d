"""
Plan a restore in a process of its own, for a page or for a program that wants to see it first.

It is the command line's ``--dry-run``: nothing long happens in the server, and its worker processes are not
forked from one that has threads. What it prints is kept for a while below the state directory, because the
plan of a large studio takes longer than a request may.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from pinnacle_backup.app.own_program import command_line, environment
from pinnacle_backup.app.starting import password_words, pipe_with
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import BackupNotFound, PinnacleError

_FOLDER: Final = "plans"
_KEPT_SECONDS: Final = 3600
_LONGEST_SECONDS: Final = 1800
_POLL_SECONDS: Final = 0.05
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DONE, _SAID, _COMPLAINED = ".json", ".out", ".err"


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True):
    """
    A plan that somebody asked for.

    Attributes:
        id: To ask for it again.
        ready: Whether it is made, or failed.
        about: What was asked for, in the asker's own terms.
        plan: As ``--json`` prints it; None before it is made.
        error: Why there is none: ``code``, ``message``, ``hint``; None where all is well.
    """

    id: str
    ready: bool = False
    about: dict[str, Any] = {}
    plan: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    def failure(self) -> PinnacleError | None:
        """Return why there is none, as the error that the command ended with."""
        if self.error is None:
            return None
        kinds = {kind.code: kind for kind in _kinds(PinnacleError)}
        message, hint = (str(self.error.get(name, "")) for name in ("message", "hint"))
        return kinds.get(str(self.error.get("code")), PinnacleError)(message, hint=hint)


def begin_plan(
    studio: Studio,
    words: Sequence[str],
    *,
    about: dict[str, Any],
    password: Secret | None,
    wait_seconds: float,
) -> KeptPlan:
    """
    Begin to plan, and return the plan if it is made in time; else it can be asked for by its id.

    Args:
        studio: Whose.
        words: ``restore`` or ``undo`` and what follows; ``--dry-run`` is added.
        about: What is asked for, to be kept with the plan.
        password: Of the backup; goes through a pipe.
        wait_seconds: How long to wait for it.
    """
    folder = os.path.join(studio.state_directory, _FOLDER)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _remove_old(folder)
    plan = os.path.join(folder, studio.randomness(16).hex())
    popen = _start(studio, words, password, plan)
    waiting = threading.Thread(target=_finish, args=(popen, plan, about), daemon=True)
    waiting.start()
    waiting.join(wait_seconds)
    return kept_plan(studio, os.path.basename(plan))


def kept_plan(studio: Studio, plan: str, *, wait_seconds: float = 0.0) -> KeptPlan:
    """
    Return a plan that was begun, once it is made or the time is over.

    Raises:
        BackupNotFound: None of that id is kept.
    """
    path = os.path.join(studio.state_directory, _FOLDER, plan)
    until = time.monotonic() + wait_seconds
    while _ID.fullmatch(plan):
        with suppress(FileNotFoundError), open(path + _DONE, "rb") as file:
            return msgspec.json.decode(file.read(), type=KeptPlan)
        if not os.path.exists(path + _SAID):
            break
        if time.monotonic() >= until:
            return KeptPlan(id=plan)
        time.sleep(_POLL_SECONDS)
    raise BackupNotFound("this plan is no longer kept", hint="ask for it again: things may have changed")


def _start(
    studio: Studio, words: Sequence[str], password: Secret | None, plan: str
) -> subprocess.Popen[bytes]:
    by = ["--started-by", studio.origin.user]
    reader = pipe_with(password) if password else None
    try:
        with open(plan + _SAID, "xb") as out, open(plan + _COMPLAINED, "xb") as err:
            command = [*command_line(studio.place), "--json", *by, *words, "--dry-run"]
            return studio.launch(
                lambda: subprocess.Popen(  # noqa: S603 - our own program
                    [*command, *password_words(reader)],
                    cwd=studio.root,
                    env=environment(studio.place.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    pass_fds=() if reader is None else (reader,),
                    start_new_session=True,
                )
            )
    except OSError as error:
        raise PinnacleError(f"the plan could not be begun: {error.strerror}") from error
    finally:
        if reader is not None:
            os.close(reader)


def _finish(popen: subprocess.Popen[bytes], plan: str, about: dict[str, Any]) -> None:
    """Wait for the process, and keep what it found."""
    try:
        popen.wait(_LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        popen.terminate()
        popen.wait()
    found = KeptPlan(
        id=os.path.basename(plan),
        ready=True,
        about=about,
        plan=_last(plan + _SAID, "result"),
        error=None if popen.returncode == 0 else _last(plan + _COMPLAINED, "error") or _UNKNOWN,
    )
    with suppress(OSError):  # the folder may be gone, and nobody waits then
        with open(plan + ".partial", "xb") as file:
            file.write(msgspec.json.encode(found))
        os.replace(plan + ".partial", plan + _DONE)
        os.unlink(plan + _SAID)
        os.unlink(plan + _COMPLAINED)


_UNKNOWN: Final = {"code": "failed", "message": "the plan could not be made", "hint": "try it again"}


def _kinds(kind: type[PinnacleError]) -> Iterator[type[PinnacleError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _last(path: str, kind: str) -> dict[str, Any] | None:
    """Return the last object of a kind among the lines of a file."""
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    for line in reversed(lines):
        with suppress(msgspec.DecodeError):
            value = msgspec.json.decode(line)
            if isinstance(value, dict) and value.pop("type", "") == kind:
                value.pop("exit_code", None)
                return value
    return None


def _remove_old(folder: str) -> None:
    """Remove what nobody asked for in a long time, and what a server left that ended before."""
    limit = time.time() - _KEPT_SECONDS
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with suppress(FileNotFoundError):
            if os.stat(path).st_mtime < limit:
                os.unlink(path)
