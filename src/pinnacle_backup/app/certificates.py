"""The server's self-made certificate, kept with its key among the state: only its owner can read it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.crypto.certificate import fingerprint, is_good_for, self_made_certificate
from pinnacle_backup.errors import PinnacleError

_NAME: Final = "server.pem"
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def own_certificate(studio: Studio, names: Sequence[str]) -> tuple[str, str]:
    """
    Return the file of the self-made certificate and its key, and its fingerprint.

    It is made anew only where there is none, where a name is missing, or where it ends soon: browsers have to
    be told to trust it.

    Args:
        studio: Whose.
        names: What the server is called: names and addresses.

    Raises:
        UsageError: One of the names is none.
        PinnacleError: It cannot be written.
    """
    path = os.path.join(studio.state_directory, _NAME)
    pem = _read(path)
    if not is_good_for(pem, names, studio.now()):
        pem = self_made_certificate(names, studio.now())
        try:
            _write(path, pem)
        except OSError as error:
            raise PinnacleError(f"{path}: cannot be written: {error.strerror}") from error
        studio.log.info("server: new certificate %s for %s", fingerprint(pem), ", ".join(names))
    return path, fingerprint(pem)


def _read(path: str) -> bytes:
    """Return the key and the certificate; nothing where others could have read the key."""
    with (
        suppress(OSError),
        open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file,
    ):
        status = os.fstat(file.fileno())
        if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
            return file.read()
    return b""


def _write(path: str, content: bytes) -> None:
    """Put the file in its place at once, so that nobody ever finds half of it."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    partial = f"{path}.partial"
    with suppress(FileNotFoundError):
        os.unlink(partial)
    with open(os.open(partial, _FLAGS, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
