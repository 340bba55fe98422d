"""Start a run in a process of its own, for a page or for a program: nothing long happens in the server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence

from pinnacle_backup.app.own_program import command_line, environment
from pinnacle_backup.app.runs import record_end
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.runs import Run
from pinnacle_backup.store.processes import process_of, this_process

PASSWORD_FILE = "--password-file"  # noqa: S105 - the name of an option


def start_run(
    studio: Studio, verb: str, words: Sequence[str], *, detail: str = "", password: Secret | None = None
) -> Run:
    """
    Start a command and return its run, which goes on.

    The password goes through a pipe: other users can see arguments and, as the same user, the environment.

    Args:
        studio: Whose; its origin says for whom the run is.
        verb: What is recorded: ``create``, ``restore``, ``verify`` ...
        words: The command and its options.
        detail: Of what, until the run says it itself.
        password: For the option ``--password-file``; None where it takes none.

    Raises:
        StateError: It cannot be recorded, so it was not started.
    """
    number = studio.runs.begin(verb, detail, studio.origin, studio.now(), this_process())
    hidden = ["--started-by", studio.origin.user, "--run-id", str(number)]
    reader = pipe_with(password) if password else None
    try:
        popen = studio.launch(
            lambda: subprocess.Popen(  # noqa: S603 - our own program
                [*command_line(studio.place), *hidden, *words, *password_words(reader)],
                cwd=studio.root,
                env=environment(studio.place.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=() if reader is None else (reader,),
                start_new_session=True,
            )
        )
    except OSError as error:
        record_end(studio, number, PinnacleError(f"it could not be started: {error.strerror}"))
        raise PinnacleError(f"the run could not be started: {error.strerror}") from error
    finally:
        if reader is not None:
            os.close(reader)
    studio.runs.hand_over(number, process_of(popen.pid))
    threading.Thread(target=_wait, args=(studio, number, popen), daemon=True).start()
    run = studio.runs.get(number)
    assert run is not None
    return run


def password_words(reader: int | None) -> list[str]:
    """Return the option that reads a password from a pipe; none where there is no pipe."""
    return [] if reader is None else [PASSWORD_FILE, f"/dev/fd/{reader}"]


def pipe_with(password: Secret) -> int:
    """Return the end of a pipe that a password can be read from; it is far shorter than what a pipe holds."""
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(password.reveal().encode())
    return reader


def _wait(studio: Studio, number: int, popen: subprocess.Popen[bytes]) -> None:
    """Wait for the process; one that ended before it could record anything is recorded here."""
    assert popen.stderr is not None
    said = popen.stderr.read().decode("utf-8", "replace").rstrip().splitlines()
    popen.stderr.close()
    code = popen.wait()
    words = next((line for line in reversed(said) if not line.startswith(" ")), "")
    mine = studio.acting_for(studio.origin, share=False)
    if code != 0:
        record_end(mine, number, _error(code, words))
    mine.state.close()


def _error(code: int, words: str) -> PinnacleError:
    error = PinnacleError(words.removeprefix("error: ") or "its process ended without a word")
    error.exit_code = code if code > 0 else PinnacleError.exit_code
    return error
