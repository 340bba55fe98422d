"""Give a backup out as one plain archive, made by a process of its own while it is taken."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from typing import IO, Final

from pinnacle_backup.app.own_program import command_line, environment
from pinnacle_backup.app.starting import password_words, pipe_with
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.backup import BackupInfo

_CHUNK: Final = 256 * 1024
_WAIT_SECONDS: Final = 5


def plain_archive(studio: Studio, info: BackupInfo, *, password: Secret | None = None) -> Iterator[bytes]:
    """
    Yield a backup as ``export`` writes it.

    The process waits while nobody takes what it makes, and ends when nobody wants it any more.

    Args:
        studio: Whose; its origin says for whom it is.
        info: The backup.
        password: Opens it; None where it takes none, or the server has it.

    Raises:
        PinnacleError: It failed; what was yielded before is not complete.
    """
    with tempfile.TemporaryFile() as said:
        process = _start(studio, info, password, said)
        assert process.stdout is not None
        try:
            while chunk := process.stdout.read(_CHUNK):
                yield chunk
            if process.wait():
                raise _failure(said)
        finally:
            process.stdout.close()
            _end(process)


def _start(
    studio: Studio, info: BackupInfo, password: Secret | None, said: IO[bytes]
) -> subprocess.Popen[bytes]:
    reader = pipe_with(password) if password else None
    words = ["--started-by", studio.origin.user, "export", info.header.id, "--output", "-"]
    try:
        return studio.launch(
            lambda: subprocess.Popen(  # noqa: S603 - our own program
                [*command_line(studio.place), *words, *password_words(reader)],
                cwd=studio.root,
                env=environment(studio.place.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                pass_fds=() if reader is None else (reader,),
                start_new_session=True,
            )
        )
    except OSError as error:
        raise PinnacleError(f"the export could not be started: {error.strerror}") from error
    finally:
        if reader is not None:
            os.close(reader)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that finds its reader gone; stop one that does not notice."""
    try:
        process.wait(_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def _failure(said: IO[bytes]) -> PinnacleError:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").splitlines()
    words = next((line for line in lines if line.startswith("error: ")), "it ended without a word")
    return PinnacleError(words.removeprefix("error: "))
