"""Every way a command can fail, in words and in JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from pinnacle_backup import errors
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import run
from pinnacle_backup.cli.output import Output


def _tree(kind: type[errors.PinnacleError]) -> Iterator[type[errors.PinnacleError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("kind", sorted(set(_tree(errors.PinnacleError)), key=lambda kind: kind.__name__))
def test_an_error_is_one_line_and_a_hint_and_in_json_one_object(kind: type[errors.PinnacleError]) -> None:
    err = io.StringIO()
    Output(io.StringIO(), err).error(kind("what went wrong", hint="run pinnacle-backup list"))
    assert err.getvalue() == "pinnacle-backup: what went wrong\n  hint: run pinnacle-backup list\n"
    out, err = io.StringIO(), io.StringIO()
    Output(out, err, as_json=True).error(kind("what went wrong", hint="try again"))
    assert out.getvalue() == ""
    assert json.loads(err.getvalue()) == {
        "type": "error",
        "code": kind.code,
        "message": "what went wrong",
        "hint": "try again",
        "exit_code": kind.exit_code,
    }


def test_hints_name_the_program_as_it_was_called() -> None:
    err = io.StringIO()
    out = Output(io.StringIO(), err, program="python scripts/backup_restore.py")
    out.error(errors.UsageError("no", hint="pinnacle-backup list"))
    assert "hint: python scripts/backup_restore.py list" in err.getvalue()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["crate"], "did you mean 'create'?"),
        (["create", "--typ", "full"], "'--type'"),
        (["create", "--type", "ful"], "is not one of 'full', 'incremental'"),
        (["create", "extra"], "unexpected extra argument"),
        (["config", "chek"], "did you mean 'check'?"),
        ([], "no command given"),
        (["verify"], "give its NAME, or --all"),
        (["verify", "x", "--all"], "drop the names"),
        (["restore"], "give its NAME or a time with --at"),
        (["restore", "--at", "soon"], "'soon' is not a time"),
        (["restore", "x.tar.gz", "--at", "now"], "name two backups"),
        (["create", "--no-encrypt", "--password-file", "x"], "contradicts"),
        (["cleanup", "--retention", "-1"], "--retention"),
        (["--root", "/nowhere", "list"], "/nowhere is not a folder"),
        (["list", "--root", "/", "--config", "/config.json"], "name two places"),
    ],
)
def test_usage_errors_exit_with_3_and_say_what_to_do(cli, args: list[str], said: str) -> None:
    ended = cli(*args)
    assert ended.code == 3
    assert ended.out == ""
    first, *rest = ended.err.splitlines()
    assert first.startswith("pinnacle-backup: ")
    assert said in first
    assert rest == [] or rest[0].startswith("  hint: ")
    as_json = cli(*args, "--json") if args else cli("--json")
    assert (as_json.code, as_json.out) == (3, "")
    assert said in json.loads(as_json.err)["message"]


def test_a_wrong_configuration_exits_with_3_and_names_the_key(cli) -> None:
    (cli.root / "config.json").write_text('{"backup": {"retention_day": 3}}')
    ended = cli("config", "check", "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["code"], error["exit_code"]) == (3, "configuration", 3)
    assert "backup.retention_day" in error["message"]


class Closed(io.StringIO):
    """A stream on a device that has gone."""

    def write(self, text: str) -> int:
        raise ValueError("I/O operation on closed file")


def _broken(root: str, *options: str) -> str:
    err = io.StringIO()
    context = Context(environ={"PINNACLE_ROOT": root}, stdout=Closed(), stderr=err)
    assert run(["--version", *options], context) == 2
    return err.getvalue()


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(cli) -> None:
    log = cli.root / "logs" / "backup_errors.log"
    assert _broken(str(cli.root)) == (
        f"pinnacle-backup: unexpected error: ValueError: I/O operation on closed file\n  hint: see {log}\n"
    )
    (line,) = log.read_text().splitlines()
    assert "ERROR" in line
    assert "Traceback" in line


def test_without_a_log_it_says_how_to_see_more() -> None:
    assert "hint: run it again with --debug" in _broken("/nowhere")


def test_debug_shows_where_an_unexpected_error_came_from() -> None:
    assert "Traceback" in _broken("/nowhere", "--debug")


class Unread(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_is_no_error_to_talk_about() -> None:
    err = io.StringIO()
    assert run(["--version"], Context(environ={}, stdout=Unread(), stderr=err)) == 141
    assert err.getvalue() == ""


def test_a_closed_stderr_changes_nothing() -> None:
    assert run(["crate"], Context(environ={}, stdout=io.StringIO(), stderr=Unread())) == 3
