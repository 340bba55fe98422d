"""What every command gets: the global options, a place to write, a person to ask, the studio."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TextIO

import click

from pinnacle_backup.cli.output import PROGRAM, Output, terminal_width, wants_colour
from pinnacle_backup.errors import Interrupted, PasswordError, UsageError

if TYPE_CHECKING:
    from pinnacle_backup.app.place import Place
    from pinnacle_backup.app.studio import Studio
    from pinnacle_backup.cli.verbs import Verbs

LOG_FORMAT_VARIABLE: Final = "PINNACLE_LOGGING__FORMAT"
SERVER_VARIABLE: Final = "PINNACLE_BACKUP_SERVER"
PASSWORD_FILE_VARIABLE: Final = "PINNACLE_PASSWORD_FILE"  # noqa: S105 - the name of a variable


@dataclass
class Settings:
    """The global options."""

    config: str | None = None
    repository: str | None = None
    root: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_input: bool = False
    log_format: str | None = None
    color: str = "auto"
    server: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    started_by: str = ""
    run_id: int = 0


@dataclass
class Context:
    """
    One run of the command line.

    Attributes:
        environ: The environment.
        program: How this program was called.
        stdin, stdout, stderr: The streams.
        settings: The global options, filled while the command line is parsed.
        home: The studio that this program is part of; taken where no other one is found.
        command: What is run, in words, for those who have to wait for it.
    """

    environ: Mapping[str, str]
    program: str = PROGRAM
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    settings: Settings = field(default_factory=Settings)
    home: str | None = None
    command: str = PROGRAM
    opened: Studio | None = None

    @cached_property
    def out(self) -> Output:
        """Where this command writes; first used when all options are known."""
        chosen = self.settings
        out = Output(
            self.stdout,
            self.stderr,
            as_json=chosen.json,
            quiet=chosen.quiet,
            colour=not chosen.json and wants_colour(chosen.color, self.stdout, self.environ),
            width=terminal_width(self.stdout),
            program=self.program,
        )
        if chosen.run_id:
            out.keep = self._keep
        return out

    def _keep(self, exit_code: int, report: object) -> None:
        """Keep what the run found for who asked the server for it."""
        from pinnacle_backup.app.results import keep_result

        if self.opened is not None:
            keep_result(self.opened, self.settings.run_id, exit_code, report)

    @property
    def server(self) -> str:
        """
        The address of the server that is asked; empty where the studio is on this machine.

        Raises:
            UsageError: The options name both.
        """
        chosen = self.settings
        named = "--root" if chosen.root else "--config" if chosen.config else ""
        if named and chosen.server:
            raise UsageError(f"{named} is on this machine, --server on another one", hint="leave one out")
        return "" if named else chosen.server or self.environ.get(SERVER_VARIABLE, "")

    def verbs(self, *, warn: Callable[[str], None] | None = None) -> Verbs:
        """
        Return what answers this command: the studio here, or a server. No command knows which.

        Args:
            warn: Told what a person should know; by default it goes to stderr.
        """
        if self.server:
            from pinnacle_backup.cli.serverside import there

            return there(self)
        from pinnacle_backup.cli.here import Here

        return Here(self, warn)

    @property
    def interactive(self) -> bool:
        """Whether a person sits at a terminal."""
        return self.stdin.isatty() and self.stderr.isatty()

    @property
    def can_ask(self) -> bool:
        """Whether a person sits there and may be asked."""
        return self.interactive and not self.settings.no_input

    def place(self) -> Place:
        """
        Return where the studio is.

        Raises:
            UsageError: It is on another machine, and this command works here only.
        """
        from pinnacle_backup.app.place import find_place

        self._expect_here()
        chosen = self.settings
        environ = self.environ
        if chosen.log_format:  # as the variable: so it reaches whatever this command starts, too
            environ = {**environ, LOG_FORMAT_VARIABLE: chosen.log_format}
        if environ.get(PASSWORD_FILE_VARIABLE):  # a scheduler starts its runs from another folder
            path = os.path.abspath(environ[PASSWORD_FILE_VARIABLE])
            environ = {**environ, PASSWORD_FILE_VARIABLE: path}
        return find_place(
            root=chosen.root, config=chosen.config, start=os.getcwd(), home=self.home, environ=environ
        )

    def place_to_be(self, folder: str | None) -> Place:
        """
        Return where a studio is going to be; nothing need be there yet.

        Args:
            folder: Its root; None for what the global options say, else the current folder.

        Raises:
            UsageError: It is on another machine.
        """
        from pinnacle_backup.app.place import Place
        from pinnacle_backup.config.load import FILE_NAME

        self._expect_here()
        root = os.path.abspath(folder or self.settings.root or self.environ.get("PINNACLE_ROOT") or os.curdir)
        return Place(root, os.path.join(root, FILE_NAME), self.environ, may_lack=True)

    def _expect_here(self) -> None:
        if self.server:
            from pinnacle_backup.cli.serverside import only_here

            raise only_here()

    def studio(self, *, warn: Callable[[str], None] | None = None) -> Studio:
        """
        Return the studio that this command is about, opened once.

        Args:
            warn: Told what a person should know; by default it goes to stderr.
        """
        if self.opened is None:
            from pinnacle_backup.app.studio import open_studio
            from pinnacle_backup.model.runs import SERVER, Origin

            chosen = self.settings
            self.opened = open_studio(
                self.place(),
                command=self.command,
                warn=warn or self.out.warn,
                origin=Origin(kind=SERVER, user=chosen.started_by) if chosen.started_by else None,
                run_id=chosen.run_id,
            )
            if chosen.repository:
                from pinnacle_backup.app.destinations import find_destination

                self.opened = self.opened.at(find_destination(self.opened, chosen.repository))
        return self.opened

    def confirm(self, question: str, *, instead: str) -> None:
        """
        Ask a person to agree; without a terminal go ahead, as the guide's scripts do.

        Args:
            question: What is going to happen.
            instead: The option that answers in advance.

        Raises:
            UsageError: There is a terminal, but asking is not allowed.
            Interrupted: The person said no.
        """
        if not self.interactive:
            return
        if self.settings.no_input or self.settings.json:
            option = "--json" if self.settings.json else "--no-input"
            raise UsageError(f"{option} does not ask, and this needs an answer", hint=f"add {instead}")
        self.out.flush()
        if not self._yes(question):
            raise Interrupted("cancelled: nothing was changed")

    def _yes(self, question: str) -> bool:
        """Read a yes from stdin; end of input is a no."""
        self.stderr.write(f"{question} [y/N] ")
        self.stderr.flush()
        answer = self.stdin.readline()
        if not answer.endswith("\n"):
            self.stderr.write("\n")
        return answer.strip().lower() in ("y", "yes")

    def ask_password(self, prompt: str, *, twice: bool = False) -> str:
        """
        Ask a person for a password, unseen; twice when a typing error would lock a backup up.

        Raises:
            PasswordError: Nobody is there, or asking is not allowed.
        """
        if not self.can_ask:
            raise PasswordError(
                f"{prompt}: none was given and there is nobody to ask",
                hint="add --password-file FILE, or set PINNACLE_PASSWORD_FILE",
            )
        answer = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
        return str(answer)


pass_context = click.make_pass_decorator(Context)
