"""What a run is doing, in words."""

from __future__ import annotations

import re
from pathlib import Path

import pinnacle_backup
from pinnacle_backup.web.phases import PHASES, phase
from pinnacle_backup.web.rendering import environment

_BEGUN = re.compile(r"""\.phase\(\s*"([a-z]+)\"""")


def test_every_phase_has_its_words() -> None:
    code = (file.read_text("utf-8") for file in Path(pinnacle_backup.__file__).parent.rglob("*.py"))
    assert {name for text in code for name in _BEGUN.findall(text)} == PHASES.keys()


def test_pages_show_the_words_and_give_them_to_the_script() -> None:
    run = dict.fromkeys(("id", "bytes", "total_bytes", "items", "total_items", "seconds"), 0)
    shown = str(environment().globals["d"].progress({**run, "phase": "check", "path": ""}, "Backup"))
    assert ">Checking what was written<" in shown
    assert "Reading back" in shown
    assert phase("Starting") == "Starting"
