"""
How commands look: imported only when they run, global options at any place, examples in every help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import click

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.output import PROGRAM

CONTEXT_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 80}

Example = tuple[str, str]
"""What it does, and the words after the program's name. Without the former it continues the one before."""

GLOBAL_OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (("--root",), {"metavar": "DIR", "help": "The studio root: the folder with config.json."}),
    (("--config",), {"metavar": "FILE", "help": "The configuration; its folder is the root."}),
    (
        ("--repository",),
        {
            "metavar": "PLACE",
            "help": "Other backups than the studio's own: the name of a destination, a folder, "
            "or s3://BUCKET/PREFIX.",
        },
    ),
    (("--json",), {"is_flag": True, "help": "Print JSON only."}),
    (("--quiet", "-q"), {"is_flag": True, "help": "Say nothing when all went well."}),
    (("--verbose", "-v"), {"is_flag": True, "help": "Say more."}),
    (("--debug",), {"is_flag": True, "help": "Show where an unexpected error came from."}),
    (("--no-input",), {"is_flag": True, "help": "Never ask; fail where an answer is needed."}),
    (
        ("--log-format",),
        {
            "type": click.Choice(["text", "json"]),
            "help": "Form of the log; else as configured.",
        },
    ),
    (
        ("--server",),
        {"metavar": "URL", "help": "Ask the server of another machine instead of the studio here."},
    ),
    (
        ("--token-file",),
        {"metavar": "FILE", "help": "With --server: holds the token, and only you can read it."},
    ),
    (("--ca-file",), {"metavar": "FILE", "help": "With --server: trust this certificate."}),
    (("--color",), {"type": click.Choice(["auto", "always", "never"]), "help": "auto: on a terminal."}),
)


HIDDEN_OPTIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (("--started-by",), {"metavar": "WHO"}),
    (("--run-id",), {"type": int}),
)
"""What the server says to the processes that it starts: for whom they run, and under which number."""

_GLOBAL: Final = "global_"
"""Begins the inner names of the global options, so that none meets an option of a command."""


def _store(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep a global option's value; one that was not given leaves what was said before."""
    if value and ctx.obj is not None and parameter.name:
        setattr(ctx.ensure_object(Context).settings, parameter.name.removeprefix(_GLOBAL), value)


def global_options(*, hidden: bool) -> list[click.Option]:
    """Return the options that work before and after every command."""
    shown = [_global_option(names, hidden=hidden, **attributes) for names, attributes in GLOBAL_OPTIONS]
    return shown + [_global_option(names, hidden=True, **attributes) for names, attributes in HIDDEN_OPTIONS]


def _global_option(names: tuple[str, ...], *, hidden: bool, **attributes: Any) -> click.Option:
    inner = _GLOBAL + names[0].removeprefix("--").replace("-", "_")
    return click.Option(
        (inner, *names), callback=_store, expose_value=False, is_eager=True, hidden=hidden, **attributes
    )


class Command(click.Command):
    """
    A command with examples.

    Args:
        examples: What its help shows by example.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **attributes: Any) -> None:
        attributes["context_settings"] = {**CONTEXT_SETTINGS, **(attributes.get("context_settings") or {})}
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.params.extend(global_options(hidden=True))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and where the global options are explained."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write_text(self.epilog)
        write_examples(program_of(ctx), self.examples, formatter)
        write_where_to_read_on(program_of(ctx), formatter)


def program_of(ctx: click.Context) -> str:
    """Return how this program was called."""
    return ctx.find_root().info_name or PROGRAM


def write_examples(program: str, examples: Sequence[Example], formatter: click.HelpFormatter) -> None:
    """Write examples as lines that can be copied, each below what it does."""
    if not examples:
        return
    with formatter.section("Examples"):
        for place, (what, words) in enumerate(examples):
            if what:
                formatter.write(("\n" if place else "") + f"  # {what}\n")
            line = words if PROGRAM in words else f"{PROGRAM} {words}"
            formatter.write(f"  {line.replace(PROGRAM, program)}\n")


def write_where_to_read_on(program: str, formatter: click.HelpFormatter) -> None:
    """Write where the options stand that every command has."""
    formatter.write_paragraph()
    formatter.write(f"Options of every command: {program} --help\n")


def command(
    name: str, *, examples: Sequence[Example] = (), **attributes: Any
) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function that returns its exit code."""
    return click.command(name, cls=Command, examples=examples, **attributes)


class Group(click.Group):
    """Commands below a command, such as ``key add``."""

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **attributes: Any) -> None:
        super().__init__(*args, context_settings=CONTEXT_SETTINGS, **attributes)
        self.examples = tuple(examples)
        self.params.extend(global_options(hidden=True))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the words name; suggest the nearest where there is none."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise click.UsageError(f"no command {name!r}{nearest(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, and where the global options are explained."""
        write_examples(program_of(ctx), self.examples, formatter)
        write_where_to_read_on(program_of(ctx), formatter)


class LazyGroup(Group):
    """
    Commands that are imported only when they run.

    Args:
        sections: By heading, by command: what it does, in one line.
        package: Where the command ``x-y`` is the module ``x_y`` with the attribute ``command``.
    """

    def __init__(
        self, *args: Any, sections: Mapping[str, Mapping[str, str]], package: str, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self._sections = sections
        self._package = package
        self.params = global_options(hidden=False) + self.params[: -len(GLOBAL_OPTIONS + HIDDEN_OPTIONS)]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order of the help."""
        return [name for section in self._sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None where there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        loaded = import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        assert isinstance(loaded, click.Command)
        return loaded

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what a person looks for."""
        self.format_commands(ctx, formatter)
        write_examples(program_of(ctx), self.examples, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where to read on."""
        formatter.write_paragraph()
        formatter.write_text(
            f"Options stand before or after the command. Read on: {program_of(ctx)} create --help"
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by section, without importing any."""
        longest = max(len(name) for section in self._sections.values() for name in section)
        for heading, section in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), what) for name, what in section.items()])


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the words of a message that propose what was probably meant; empty where nothing is near."""
    from difflib import get_close_matches

    matches = get_close_matches(word, known, n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""
