"""
Makes ``terminal.svg``, the picture in the README: real commands, run in a fresh studio on a pseudo-terminal.

``python docs/images/terminal.py`` from the root of the repository.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 100
SHOWN = "python scripts/backup_restore.py"
COMMANDS = (
    "create",
    "create --type incremental",
    "list",
    "restore backup_FULL --yes",
    "undo --yes --quiet",
    "status",
)
THEME = TerminalTheme(
    (24, 26, 31),
    (220, 223, 228),
    [(60, 64, 72), (224, 108, 117), (130, 196, 120), (229, 192, 123), (97, 175, 239), (198, 120, 221),
     (86, 182, 194), (220, 223, 228)],
    [(120, 125, 135), (224, 108, 117), (152, 215, 140), (229, 192, 123), (97, 175, 239), (198, 120, 221),
     (86, 182, 194), (255, 255, 255)],
)  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as above:
        studio = Path(above, "studio")
        fill(studio)
        console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), color_system="truecolor")
        for command in COMMANDS:
            if "incremental" in command:
                change(studio)
            shown = command.replace("backup_FULL", full_name(studio))
            console.print(Text(f"$ {SHOWN} {shown}", style="bold"))
            output = run(studio, shown).replace(above, "/srv")
            console.print(Text.from_ansi(output.strip("\n")))
            console.print()
    svg = console.export_svg(title="Pinnacle Backup", theme=THEME)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S)  # nothing is fetched from elsewhere
    (ROOT / "docs/images/terminal.svg").write_text(re.sub(r"[ \t]+$", "", svg, flags=re.M))


def fill(studio: Path) -> None:
    for name in ("logs", "uploads/images", "encyclopedia", "scripts"):
        (studio / name).mkdir(parents=True)
    shutil.copy(ROOT / "config.json", studio)
    for number in range(400):
        (studio / f"uploads/images/{number:04}.bin").write_bytes(os.urandom(9000))
    for page in (ROOT / "docs").rglob("*.md"):
        shutil.copy(page, studio / "encyclopedia")
    with sqlite3.connect(studio / "ultra_pinnacle.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, text TEXT)")
        rows = ((f"message {number} " + "lorem ipsum " * 20,) for number in range(40_000))
        database.executemany("INSERT INTO message (text) VALUES (?)", rows)


def change(studio: Path) -> None:
    with sqlite3.connect(studio / "ultra_pinnacle.db") as database:
        database.execute("UPDATE message SET text = 'edited' WHERE id % 2000 = 0")
    (studio / "uploads/images/new.bin").write_bytes(os.urandom(5000))
    (studio / "encyclopedia/restore.md").unlink()


def full_name(studio: Path) -> str:
    names = (
        [path.name for path in (studio / "backups").glob("backup_*.tar.gz")]
        if (studio / "backups").exists()
        else []
    )
    return next((name for name in sorted(names) if "incremental" not in name), "").removesuffix(".tar.gz")


def run(studio: Path, words: str) -> str:
    """Run the command on a pseudo-terminal, as a person would, and return the screen's last state."""
    own, other = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "LINES": "50", "TERM": "xterm-256color"}
    command = [sys.executable, str(ROOT / "scripts/backup_restore.py"), *shlex.split(words)]
    process = subprocess.Popen(command, cwd=studio, stdin=other, stdout=other, stderr=other, env=environment)
    os.close(other)
    data = b""
    while True:
        try:
            piece = os.read(own, 65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
    process.wait()
    os.close(own)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    text = re.sub(r"\x1b\[\?25[lh]", "", text)
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n")]
    return "\n".join(line for line in lines if re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).strip() or not line)


if __name__ == "__main__":
    main()
