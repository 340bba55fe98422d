"""
Locks between processes that end when their process ends, however it ends.

They are ``flock(2)`` locks. Such a lock belongs to the *open file description*: a forked child shares it, and
would keep it alive after the parent was killed. (Record locks of ``fcntl`` are not inherited, but any other
thread that closes the same file drops them; OFD locks are inherited as well.) So every child closes its copy
right after the fork, and programs that are started never get one (``O_CLOEXEC``).

The lock file also tells who holds it, in slots of fixed size. That is for messages alone and decides nothing:
what a killed process left there is recognised by the start time of its process id.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Final

import msgspec

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.failures import store_error
from pinnacle_backup.store.processes import process_started

_POLL_SECONDS: Final = 0.05
_SLOT: Final = 256
_SLOTS: Final = 32
_SHOWN: Final = 64


class Holder(msgspec.Struct, frozen=True, array_like=True):
    """
    Who holds a lock.

    Attributes:
        pid: Process id.
        started: When the process started, in the kernel's ticks: tells it from a later one of the same id.
        since: When it got the lock, seconds since 1970.
        command: What it is doing.
    """

    pid: int
    started: int
    since: Annotated[float, msgspec.Meta(ge=0, le=1 << 33)]
    command: str

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since).astimezone()
        today = since.date() == datetime.now(since.tzinfo).date()
        when = f"{since:{'%H:%M:%S' if today else '%F %T'}}"
        return f"`{printable(self.command[:_SHOWN])}` by process {self.pid} since {when}"


@contextlib.contextmanager
def lock(
    directory: str,
    name: str,
    *,
    shared: bool,
    wait_seconds: float,
    owner: str,
    clock: Callable[[], float] = time.time,
) -> Iterator[None]:
    """
    Hold the lock ``name`` of a folder.

    Where the lock file cannot be made (read-only medium, somebody else's folder, no folder), whoever only
    wants to share goes without: a file that is deleted meanwhile is then reported as missing.

    Args:
        directory: The folder; the lock is the file ``.NAME.lock`` in it, which stays there.
        name: Which lock.
        shared: Whether others may hold it too, as long as they share it.
        wait_seconds: How long to wait for others.
        owner: The command, for the message to those who have to wait.
        clock: Tells the time, seconds since 1970.

    Raises:
        RepositoryBusy: Others still held it at the end of the wait.
        StoreError: The lock file cannot be made, or the file system has no locks.
    """
    path = os.path.join(directory, f".{name}.lock")
    held = _acquire(path, shared=shared, deadline=time.monotonic() + wait_seconds)
    if held is None:
        yield
        return
    try:
        held.sign(Holder(os.getpid(), process_started(os.getpid()), clock(), owner[:_SHOWN]))
        yield
    finally:
        held.release()


def holders(directory: str, name: str) -> tuple[Holder, ...]:
    """Return who says that it holds the lock and is alive, longest first; may miss some."""
    return _holders(os.path.join(directory, f".{name}.lock"))


class _Held:
    """A descriptor of a lock file that no child keeps."""

    def __init__(self, path: str) -> None:
        with _forking:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            _open_here.add(self)

    def try_lock(self, operation: int) -> bool:
        try:
            fcntl.flock(self._fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_at(self, path: str) -> bool:
        """Tell whether the path still leads here: a lock on a deleted file keeps nobody out."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(path))
        except FileNotFoundError:
            return False

    def sign(self, holder: Holder) -> None:
        record = msgspec.json.encode(holder).ljust(_SLOT, b"\n")
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.pwrite(self._fd, record[:_SLOT], holder.pid % _SLOTS * _SLOT)

    def release(self) -> None:
        """Give the lock back, also where a child has not closed its copy yet; in a child do nothing."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, b"\n" * _SLOT, os.getpid() % _SLOTS * _SLOT)
            with contextlib.suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.close()

    def close(self) -> None:
        with _forking:
            _open_here.discard(self)
            os.close(self._fd)
            self._fd = -1

    def forget(self) -> None:
        os.close(self._fd)
        self._fd = -1


# What a child must not keep is a fact about the process, so this stands here and is passed nowhere.
_open_here: Final[set[_Held]] = set()
_forking: Final = threading.Lock()


def _in_child() -> None:
    for held in _open_here:
        held.forget()
    _open_here.clear()
    _forking.release()


os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_in_child)


def _acquire(path: str, *, shared: bool, deadline: float) -> _Held | None:
    try:
        held = _Held(path)
    except OSError as error:
        if shared and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT):
            return None
        raise store_error(error, "make the lock file", path) from error
    try:
        _wait(held, path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, deadline)
        if held.is_at(path):
            return held
    except OSError as error:
        held.close()
        raise store_error(error, "lock", path) from error
    except BaseException:
        held.close()
        raise
    held.close()
    return _acquire(path, shared=shared, deadline=deadline)


def _wait(held: _Held, path: str, operation: int, deadline: float) -> None:
    while not held.try_lock(operation):
        left = deadline - time.monotonic()
        if left <= 0:
            raise _busy(path)
        time.sleep(min(_POLL_SECONDS, left))


def _busy(path: str) -> RepositoryBusy:
    who = ", ".join(str(holder) for holder in _holders(path)) or "another process holds it"
    hint = "wait until it has ended, or stop that process: its lock ends with it"
    return RepositoryBusy(f"{printable(os.path.dirname(path))} is busy: {who}", hint=hint)


def _holders(path: str) -> tuple[Holder, ...]:
    try:
        with open(path, "rb") as file:
            data = file.read(_SLOT * _SLOTS)
    except OSError:
        return ()
    slots = (data[start : start + _SLOT].strip(b"\0\n") for start in range(0, len(data), _SLOT))
    found = (_decode(slot) for slot in slots if slot)
    return tuple(
        sorted((h for h in found if h and process_started(h.pid) == h.started), key=lambda h: h.since)
    )


def _decode(record: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(record, type=Holder)
    except msgspec.MsgspecError:
        return None
