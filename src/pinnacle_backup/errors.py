"""
Every error that this package raises on purpose.

::

    PinnacleError                  2   failed
    ├── UsageError                 3   the command line or a request asks for something impossible
    │   ├── ConfigError            3   the configuration is wrong; names the JSON path
    │   └── FieldErrors            3   single fields of a request are wrong; names each
    ├── BackupNotFound            10   no backup of that name
    ├── RunNotFound               10   no run of that number
    ├── AccountNotFound           10   no user, session or token of that name
    ├── RepositoryBusy            11   another command holds the repository, or a database is in use
    ├── PasswordError             12   the password is missing, or opens none of the key slots
    ├── NotAuthenticated          12   who asks has not shown who he is
    │   └── CodeRequired          12   the password is right; a code of the second factor is missing
    ├── TooManyAttempts           12   too many wrong passwords; says how long to wait
    ├── Forbidden                  3   who asks may not do that
    ├── DamagedError              13   stored bytes are not the ones that were written
    │   └── FormatError           13   the archive breaks the format's rules: foreign, hostile or damaged
    ├── SourceError                2   a source cannot be read at all
    ├── StoreError                 2   the place for backups failed
    │   ├── ObjectNotFound         2   no such name in the store
    │   ├── ObjectExists           2   the name is taken; nothing was overwritten
    │   ├── StoreFull              2   no space, no quota or no inodes left
    │   └── StoreDenied            2   the rights there do not suffice; nothing is said of what lies there
    ├── StateError                 2   the record of runs and jobs cannot be read or written
    ├── NotificationError          2   a message could not be delivered
    ├── ServerError                2   a server cannot be reached, or does not answer as one of ours
    ├── RestoreError               2   the target cannot be restored into
    └── Interrupted              130   stopped by a signal or by the user

The number is the exit code. A failure that concerns one file of many is not an
exception but a value in the result of the verb: the other files still count.
"""

from __future__ import annotations


class PinnacleError(Exception):
    """
    The root of all errors: one line for people, and what to do next.

    Attributes:
        code: Stable identifier for programs.
        exit_code: What a command that ends with this error exits with.
        message: One line that names the object.
        hint: What to do next; empty where nothing helps.
    """

    code = "failed"
    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Worker processes send errors home, hint included."""
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(cls: type[PinnacleError], message: str, hint: str) -> PinnacleError:
    return cls(message, hint=hint)


class UsageError(PinnacleError):
    """The command line or a request asks for something impossible."""

    code = "usage"
    exit_code = 3


class ConfigError(UsageError):
    """The configuration is wrong."""

    code = "configuration"


class FieldErrors(UsageError):
    """
    Single fields of a request are wrong.

    Attributes:
        fields: Name and fault of each.
    """

    code = "fields"

    def __init__(self, message: str, fields: tuple[tuple[str, str], ...] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fields = fields

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the fields on the way between processes."""
        return (_rebuild_fields, (self.message, self.fields, self.hint))


def _rebuild_fields(message: str, fields: tuple[tuple[str, str], ...], hint: str) -> FieldErrors:
    return FieldErrors(message, fields, hint=hint)


class BackupNotFound(PinnacleError):
    """No backup of that name."""

    code = "no-such-backup"
    exit_code = 10


class RunNotFound(PinnacleError):
    """No run of that number."""

    code = "no-such-run"
    exit_code = 10


class AccountNotFound(PinnacleError):
    """No user, session or token of that name."""

    code = "no-such-account"
    exit_code = 10


class RepositoryBusy(PinnacleError):
    """Another command holds the repository, or another process holds a database."""

    code = "busy"
    exit_code = 11


class PasswordError(PinnacleError):
    """The password is missing, or opens none of the key slots."""

    code = "wrong-password"
    exit_code = 12


class NotAuthenticated(PinnacleError):
    """Who asks has not shown who he is."""

    code = "not-authenticated"
    exit_code = 12


class CodeRequired(NotAuthenticated):
    """The password is right; a code of the second factor is missing."""

    code = "code-required"


class TooManyAttempts(PinnacleError):
    """
    Too many wrong passwords, or too many passwords at once.

    Attributes:
        retry_after: How many seconds to wait.
    """

    code = "too-many-attempts"
    exit_code = 12

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        """Keep how long to wait on the way between processes."""
        return (_rebuild_wait, (self.message, self.hint, self.retry_after))


def _rebuild_wait(message: str, hint: str, retry_after: float) -> TooManyAttempts:
    return TooManyAttempts(message, hint=hint, retry_after=retry_after)


class Forbidden(PinnacleError):
    """Who asks may not do that."""

    code = "forbidden"
    exit_code = 3


class DamagedError(PinnacleError):
    """Stored bytes are not the ones that were written."""

    code = "damaged"
    exit_code = 13


class FormatError(DamagedError):
    """The archive breaks the format's rules: foreign, hostile or damaged."""

    code = "format"


class SourceError(PinnacleError):
    """A source cannot be read at all."""

    code = "source"


class StoreError(PinnacleError):
    """The place for backups failed."""

    code = "store"


class ObjectNotFound(StoreError):
    """No such name in the store."""

    code = "no-such-object"


class ObjectExists(StoreError):
    """The name is taken; nothing was overwritten."""

    code = "object-exists"


class StoreFull(StoreError):
    """No space, no quota or no inodes left."""

    code = "store-full"


class StoreDenied(StoreError):
    """The rights there do not suffice: a key that may only write is refused a read. No sign of damage."""

    code = "store-denied"


class StateError(PinnacleError):
    """The record of runs and jobs cannot be read or written."""

    code = "state"


class NotificationError(PinnacleError):
    """A message could not be delivered."""

    code = "notification"


class ServerError(PinnacleError):
    """A server cannot be reached, or does not answer as one of ours."""

    code = "server"


class RestoreError(PinnacleError):
    """The target cannot be restored into."""

    code = "restore"


class Interrupted(PinnacleError):
    """Stopped by a signal or by the user."""

    code = "interrupted"
    exit_code = 130


class OutputClosed(BrokenPipeError):
    """Whoever took what a command gives out has gone: a download that was broken off, say."""
