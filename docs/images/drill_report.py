"""
Makes ``drill-report.png``, the picture of a report: of a real drill of a real backup, in a fresh studio.

``python docs/images/drill_report.py`` from the root of the repository; needs Chromium.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "backup_restore.py"
PICTURE = ROOT / "docs" / "images" / "drill-report.png"
WINDOW = "900,1640"
CHECKS = (
    "sqlite3 ultra_pinnacle.db \"SELECT count(*) || ' messages' FROM message\"",
    "test $(ls uploads/images | wc -l) -ge 400 && echo all images are there",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as above:
        studio = Path(above, "studio")
        fill(studio)
        run(studio, "create", "--quiet")
        run(studio, "drill", "--quiet")
        (page,) = (studio / ".pinnacle" / "drills").glob("*.html")
        shown = Path(above, "page.html")
        text = page.read_text().replace(above, "/srv").replace(f" {platform.node()} ", " studio-1 ")
        shown.write_text(text.replace(f">{platform.node()}<", ">studio-1<"))
        picture(shown)


def fill(studio: Path) -> None:
    for name in ("logs", "uploads/images", "encyclopedia"):
        (studio / name).mkdir(parents=True)
    configuration = json.loads((ROOT / "config.json").read_text())
    configuration.setdefault("backup", {})["drill"] = {"checks": CHECKS}
    (studio / "config.json").write_text(json.dumps(configuration))
    for number in range(4000):
        (studio / f"uploads/images/{number:04}.bin").write_bytes(os.urandom(60_000))
    for guide in (ROOT / "docs").rglob("*.md"):
        shutil.copy(guide, studio / "encyclopedia")
    for name in ("ultra_pinnacle", "accounts"):
        with sqlite3.connect(studio / f"{name}.db") as database:
            database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, text TEXT)")
            rows = ((f"message {number} " + "lorem ipsum " * 20,) for number in range(40_000))
            database.executemany("INSERT INTO message (text) VALUES (?)", rows)
        database.close()


def run(studio: Path, *words: str) -> None:
    subprocess.run([sys.executable, str(SCRIPT), *words], cwd=studio, check=True)


def picture(page: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or "google-chrome"
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1"]
    command = [browser, *options, f"--window-size={WINDOW}", f"--screenshot={PICTURE}", str(page)]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
