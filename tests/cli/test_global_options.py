"""Options of every command, before and after it."""

from __future__ import annotations

import io
import json

import pytest

from pinnacle_backup.cli.output import terminal_width, wants_colour


@pytest.mark.parametrize(
    "args", [["--json", "schedule"], ["schedule", "--json"], ["--json", "schedule", "--json"]]
)
def test_json_works_before_and_after_the_command(cli, args: list[str]) -> None:
    ended = cli(*args)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["values"]["daily_full_backup_time"] == "02:00"


@pytest.mark.parametrize(
    "args", [["--json", "config", "check"], ["config", "--json", "check"], ["config", "check", "--json"]]
)
def test_json_works_at_every_level_of_a_command(cli, args: list[str]) -> None:
    assert json.loads(cli(*args).out)["file"] == str(cli.root / "config.json")


def test_root_and_config_name_the_studio(cli, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    file = other / "config.json"
    file.write_text('{"backup": {"schedule": {"daily_full_backup_time": "05:30"}}}')
    for args in (["--root", str(other)], ["--config", str(file)]):
        assert "05:30" in cli("schedule", *args).out
        assert "05:30" in cli(*args, "schedule").out
    assert "05:30" in cli("schedule", environ={"PINNACLE_ROOT": "", "PINNACLE_CONFIG": str(file)}).out


def test_the_last_of_two_values_counts(cli, tmp_path) -> None:
    assert cli("--root", "/nowhere", "schedule", "--root", str(cli.root)).code == 0


def test_a_named_studio_may_have_lost_its_configuration(cli) -> None:
    """It is in the backup that is about to be restored."""
    (cli.root / "config.json").unlink()
    ended = cli("config", "check")
    assert ended.code == 1
    assert "the defaults are in force" in ended.err


@pytest.mark.parametrize(
    ("choice", "terminal", "environ", "expected"),
    [
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"TERM": "xterm"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"TERM": "xterm"}, False),
    ],
)
def test_colours(choice: str, terminal: bool, environ: dict[str, str], expected: bool) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    assert wants_colour(choice, stream, environ) is expected


def test_what_is_no_terminal_has_no_width() -> None:
    assert terminal_width(io.StringIO()) is None


def test_colour_never_wins_over_a_terminal(cli) -> None:
    assert "\033[" not in cli("config", "check", "--color", "never", typed="").out
    assert "\033[" in cli("config", "check", "--color", "always").out


def test_quiet_leaves_out_what_went_well_but_not_what_was_asked_for(cli) -> None:
    assert cli("config", "check", "--quiet").out == ""
    assert "02:00" in cli("schedule", "--quiet").out


def test_the_form_of_the_log_is_this_commands(cli) -> None:
    """Said before or after the command, it wins over the configuration, and tells which run a line is of."""
    (cli.root / "config.json").write_text('{"backup": {"paths": ["config.json"], "workers": 1}}')
    assert cli("create", "--log-format", "json").code == 0
    assert cli("--log-format", "text", "create").code == 0

    lines = (cli.root / "logs/ultra_pinnacle.log").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert {(event["run"], event["verb"]) for event in events} == {(1, "create")}
    assert events[0]["message"].startswith("create: started")
    assert len(events) < len(lines)
    assert json.loads(cli("config", "show", "--log-format", "json").out)["logging"]["format"] == "json"
    assert cli("create", "--log-format", "xml").code == 3
