"""
The entry point: runs one command and turns every way it can end into words and an exit code.

Exit codes: 0 done, 1 done with warnings, and those of ``errors``.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final, NoReturn, TextIO

import click

from pinnacle_backup import __version__
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.group import LazyGroup
from pinnacle_backup.cli.output import PROGRAM
from pinnacle_backup.errors import Interrupted, PinnacleError, UsageError

COMPLETE_VARIABLE: Final = "_PINNACLE_BACKUP_COMPLETE"
SCRIPT: Final = "backup_restore.py"
SERVER_SCRIPT: Final = "start_server.py"
PIPE_CLOSED: Final = 128 + signal.SIGPIPE

_OBJECTS_BETWEEN_COLLECTIONS: Final = 20_000
"""Python's 700 has start-up search again and again through modules that stay: a tenth of a short command."""

_LAST_SECONDS: Final = 3
"""After so long a command that was interrupted has ended, whatever hangs."""

COMMANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Back up and restore": {
        "create": "Make a backup now.",
        "list": "List all backups.",
        "restore": "Bring back a backup, or some paths of it.",
        "undo": "Take the last restore in place back.",
        "recover": "Bring a lost studio back from a bucket or a disk.",
    },
    "Look inside": {
        "show": "Show one backup in detail.",
        "ls": "List the paths in a backup.",
        "find": "Find every version of a path in all backups.",
        "diff": "Compare two backups, or a backup and the files now.",
    },
    "Look after": {
        "status": "Tell whether the studio is protected.",
        "metrics": "Print figures for Prometheus.",
        "runs": "List what was done, and how it ended.",
        "verify": "Read backups back and check every byte.",
        "drill": "Prove that a backup can be restored.",
        "cleanup": "Delete backups that retention does not keep.",
        "delete": "Delete one backup for good.",
        "pin": "Keep backups whatever retention says.",
        "unpin": "Leave backups to retention again.",
        "copy": "Bring all backups to another place.",
        "cloud": "Test the buckets that backups are brought to.",
        "export": "Write a backup as one plain archive that any tar opens.",
        "rebuild": "Make the catalog anew from the archives.",
    },
    "Server": {
        "serve": "Serve the pages and the API, and be the scheduler.",
        "openapi": "Print the description of the API.",
        "user": "List, add, change and remove users.",
        "token": "List, make and revoke keys for programs.",
        "audit": "List who did what.",
    },
    "Set up": {
        "schedule": "Show what happens by itself, and see to it that it does.",
        "service": "Run the scheduler as a service of systemd.",
        "notify": "Show who is told how backups went; send a test message.",
        "config": "Check or show the configuration.",
        "key": "Change passwords; print the recovery sheet.",
        "completion": "Print the completion script of a shell.",
    },
}

GROUP: Final = LazyGroup(
    PROGRAM,
    sections=COMMANDS,
    package="pinnacle_backup.cli.commands",
    help="Backup and recovery for Ultra Pinnacle AI Studio.\n\n"
    "Every backup is a .tar.gz file that any machine can open.",
    examples=(
        ("A full backup, and what there is now", "create"),
        ("", "list"),
        ("See what restoring it would change, then restore it", "restore latest --dry-run"),
        ("", "restore latest"),
    ),
    subcommand_metavar="COMMAND [ARGS]...",
    params=[click.Option(["--version"], is_flag=True, is_eager=True, help="Show the version.")],
    invoke_without_command=True,
)


@click.pass_context
def _without_command(ctx: click.Context, *, version: bool) -> int:
    """Answer ``--version``; show the help where no command is named."""
    if version:
        out = ctx.ensure_object(Context).out
        out.data(f"{PROGRAM} {__version__}")
        out.json({"version": __version__})
        return 0
    if ctx.invoked_subcommand is None:
        raise click.UsageError("no command given", ctx)
    return 0


GROUP.callback = _without_command


def main() -> int:
    """Run the command line of this process and return its exit code."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    _open_closed_streams()
    _tolerate_any_text(sys.stdout, sys.stderr)
    _stop_cleanly_on_signals()
    code = run(sys.argv[1:], _context(sys.argv[0]))
    if code == PIPE_CLOSED:
        _abandon_stdout()
    if code == Interrupted.exit_code:
        _end_in_time(code)
    return code


def run(args: Sequence[str], context: Context) -> int:
    """Run one command and return its exit code. Never raises, whatever the command does."""
    context.settings.json = "--json" in args  # also for errors of a line that cannot be parsed
    context.command = " ".join([PROGRAM, *args[:1]])
    try:
        return _run_and_flush(args, context)
    except BrokenPipeError:
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _fail(context, Interrupted("interrupted"))
    except click.UsageError as error:
        return _fail(context, _usage_error(error, context.program))
    except click.Abort:
        return _fail(context, Interrupted("cancelled"))
    except PinnacleError as error:
        return _fail(context, error)
    except Exception as error:  # noqa: BLE001 - the last place where anything can be told
        return _fail(context, unexpected(error, context))


def _run_and_flush(args: Sequence[str], context: Context) -> int:
    if COMPLETE_VARIABLE in context.environ:
        from click.shell_completion import shell_complete

        return shell_complete(
            GROUP, {"obj": context}, PROGRAM, COMPLETE_VARIABLE, context.environ[COMPLETE_VARIABLE]
        )
    try:
        with GROUP.make_context(context.program, list(args), obj=context) as ctx:
            code = GROUP.invoke(ctx)
    except click.exceptions.Exit as done:
        code = done.exit_code
    context.out.flush()
    return int(code or 0)


def _fail(context: Context, error: PinnacleError) -> int:
    context.out.error(error)
    return error.exit_code


def _usage_error(error: click.UsageError, program: str) -> UsageError:
    message = " ".join(error.format_message().split())
    asked = error.ctx.command_path if error.ctx else program
    return UsageError(message[:1].lower() + message[1:], hint=f"{asked} --help")


def unexpected(error: Exception, context: Context) -> PinnacleError:
    """Return one line for people; the traceback goes to the log, and to stderr with ``--debug``."""
    from traceback import format_exception

    from pinnacle_backup.config.redact import Redactor

    trace = "".join(format_exception(error))
    try:
        redact = context.studio().redact
        hint = f"see {context.studio().log_failure(trace)}"
    except Exception:  # noqa: BLE001 - no studio, no log
        redact, hint = Redactor(), "run it again with --debug to see where"
    if context.settings.debug:
        context.stderr.write(redact(trace))
    message = f"unexpected error: {type(error).__name__}: {error}".splitlines()[0]
    return PinnacleError(redact(message), hint=hint)


def _context(called: str) -> Context:
    """Return the context; the guide's scripts belong to the studio that they lie in."""
    place, name = os.path.split(os.path.abspath(called))
    if name not in (SCRIPT, SERVER_SCRIPT):
        return Context(environ=os.environ)
    home = os.path.dirname(place) if name == SCRIPT else place
    return Context(environ=os.environ, program=f"python scripts/{SCRIPT}", home=home)


def _open_closed_streams() -> None:
    """
    Give a process that was started without standard streams empty ones.

    Else files that it opens get their numbers, and what a library writes to those ends in an archive.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))


def _tolerate_any_text(*streams: TextIO) -> None:
    """Let no name of a file end a command because the terminal's encoding lacks its characters."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def _stop_cleanly_on_signals() -> None:
    """Make SIGTERM and a closed terminal end a command as Ctrl-C does, but for what ``nohup`` ignores."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signature of a handler
    raise KeyboardInterrupt


def _end_in_time(code: int) -> None:
    """
    End, whatever threads still wait for: a server that says nothing, say. All else is in order by now.

    Python itself would wait for them.
    """
    from threading import Timer

    limit = Timer(_LAST_SECONDS, os._exit, [code])
    limit.daemon = True  # it counts on while Python waits for the other threads, and ends with them
    limit.start()
    with suppress(OSError, ValueError):
        sys.stdout.flush()


def _abandon_stdout() -> None:
    """Keep the interpreter from flushing to a reader that has gone, which would print an error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
