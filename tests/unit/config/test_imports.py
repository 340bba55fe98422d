"""What reading the configuration brings in: every command pays for it."""

from __future__ import annotations

import subprocess
import sys


def test_reading_the_configuration_needs_no_heavy_library():
    script = "import sys, pinnacle_backup.config.load; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    heavy = {
        "pydantic",
        "logging",
        "asyncio",
        "socket",
        "pickle",
        "tempfile",
        "cryptography",
        "click",
        "rich",
    }
    assert not heavy & set(done.stdout.split())
