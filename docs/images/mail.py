"""
Makes ``mail.png``, the picture in the guide to notifications: a mail as it is sent, shown by Chromium.

``python docs/images/mail.py`` from the root of the repository, with ``chromium`` installed.
"""

# ruff: noqa: E402 - the program is found before it is imported

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

from pinnacle_backup.app.run_message import Sender, run_message
from pinnacle_backup.config.notifications import Events
from pinnacle_backup.model.runs import FAILED, SCHEDULE, Origin, Run, RunFacts, RunLine
from pinnacle_backup.notify.html import as_html
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.rules import decide, event_of

WIDTH, HEIGHT = 1120, 930
PAGE = """<!doctype html><body style="margin:0;background:#e6e8ec"><div style="display:flex">
<iframe src="mail.html" width="700" height="930" style="border:0;color-scheme:light"></iframe>
<div style="padding:28px 22px"><iframe src="mail.html" width="376" height="874"
style="border:0;border-radius:22px;color-scheme:dark"></iframe></div></div></body>"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mail.html").write_text(as_html(message()), encoding="utf-8")
        Path(folder, "page.html").write_text(PAGE, encoding="utf-8")
        subprocess.run(
            [
                *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--allow-file-access-from-files", f"--user-data-dir={folder}/profile"),
                f"--window-size={WIDTH},{HEIGHT}",
                f"--screenshot={ROOT / 'docs/images/mail.png'}",
                f"file://{folder}/page.html",
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )


def message() -> Message:
    """Return the mail about a backup that failed for want of room."""
    run = Run(
        id=412,
        verb="create",
        detail="full",
        origin=Origin(kind=SCHEDULE, job="daily-full", slot="2026-11-20T02:00:00.000000Z"),
        outcome=FAILED,
        exit_code=2,
        code="store-full",
        message="no space left for backup_20261120_020000.tar.gz in /srv/studio/backups",
        hint="make room on that disk, or clean up: pinnacle-backup cleanup",
        started="2026-11-20T02:00:00.412000Z",
        ended="2026-11-20T02:03:05.870000Z",
        seconds=185.5,
        facts=RunFacts(type="full", entries=48_210, read=11_600_000_000),
        warnings=1,
    )
    log = (
        ("02:00:00.412000", "info", "started: full (job daily-full)"),
        ("02:03:05.860000", "error", f"store-full: {run.message}"),
    )
    lines = [
        RunLine(number=number, time=f"2026-11-20T{time}Z", level=level, text=text)
        for number, (time, level, text) in enumerate(log, 1)
    ]
    event = event_of(run)
    assert event is not None
    sender = Sender(id="0" * 32, root="/srv/studio", host="nas")
    return run_message(run, lines, decide(None, event, Events()), None, sender)


if __name__ == "__main__":
    main()
