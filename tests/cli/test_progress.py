"""What a long command shows while it works."""

from __future__ import annotations

import io
import json
import subprocess
import sys

from pinnacle_backup.cli.context import Context, Settings
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.progress import Bars, JsonLines, progress
from pinnacle_backup.model.progress import Silent


class Clock:
    """A clock that goes when it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_lines_come_at_most_four_times_a_second() -> None:
    out, clock = io.StringIO(), Clock()
    shown = JsonLines(Output(out, io.StringIO(), as_json=True), clock)
    shown.phase("read", total_bytes=1000, total_items=10)
    for _ in range(1000):
        clock.now += 0.01
        shown.advance(nbytes=1, items=1, path="a\nb")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) <= 41
    assert lines[0] == {
        "type": "progress",
        "phase": "read",
        "bytes": 0,
        "total_bytes": 1000,
        "items": 0,
        "total_items": 10,
        "path": "",
        "seconds": 0.0,
    }
    assert lines[-1]["bytes"] > 950
    assert lines[-1]["path"] == "a\\nb"


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_goes_away_does_not_stop_the_work() -> None:
    shown = JsonLines(Output(Gone(), io.StringIO(), as_json=True), Clock())
    shown.phase("read")
    shown.advance(nbytes=1)


def test_piped_and_quiet_commands_show_nothing() -> None:
    piped = Context(environ={}, stderr=io.StringIO(), stdout=io.StringIO())
    quiet = Context(environ={}, stderr=Terminal(), stdout=Terminal(), settings=Settings(quiet=True))
    for context in (piped, quiet):
        with progress(context) as shown:
            assert isinstance(shown, Silent)


def test_what_is_quick_draws_no_bar_and_loads_no_rich() -> None:
    code = (
        "import io, sys\n"
        "from pinnacle_backup.cli.progress import Bars\n"
        "bars = Bars(io.StringIO()); bars.phase('read', total_bytes=5); bars.advance(nbytes=5); bars.close()\n"
        "assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "src"}, cwd=_repository())


def _repository() -> str:
    return __file__.rsplit("/tests/", 1)[0]


def test_a_bar_shows_amount_speed_time_left_and_path_and_goes_away() -> None:
    stream, clock = Terminal(), Clock()
    bars = Bars(stream, clock)
    bars.phase("read", total_bytes=2_000_000_000, total_items=100)
    for step in range(20):
        clock.now += 0.2
        bars.advance(nbytes=50_000_000, items=5, path=f"uploads/[bold]{step}.png")
    bars.close()
    bars.close()
    text = stream.getvalue()
    assert "read" in text
    assert "of 2.0 GB" in text
    assert text.endswith("\x1b[?25h") or "\x1b[2K" in text, "the cursor is back and the line is clear"


def test_phases_follow_one_another_on_one_line() -> None:
    stream, clock = Terminal(), Clock()
    bars = Bars(stream, clock)
    for phase in ("scan", "read", "check"):
        bars.phase(phase)
        clock.now += 1
        bars.advance(items=1, path="x")
    bars.close()
    assert "check" in stream.getvalue()
