"""
What `make start` does once everything is installed: a studio to protect, a first backup, and the server.

Where there is a studio already, nothing in it is touched; where the server runs already, it goes on. Works
with the real command line only.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATABASE = "ultra_pinnacle.db"
SAMPLES = {
    "logs/ultra_pinnacle.log": "INFO studio root prepared by `make start`\n",
    "uploads/welcome.svg": (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 60">'
        '<text x="12" y="38" font-family="sans-serif" font-size="24">Welcome</text></svg>\n'
    ),
    "encyclopedia/welcome.md": (
        "# Welcome\n\n"
        "This folder, `uploads/`, `logs/`, `config.json` and every database beside them are backed up.\n"
        "Change this file, make an incremental backup, change it again, restore: that is the whole idea.\n"
    ),
}
SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL);
CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author INTEGER NOT NULL REFERENCES users);
INSERT INTO users VALUES (1, 'admin', 'administrator'), (2, 'guest', 'reader');
INSERT INTO articles VALUES (1, 'Welcome', 1), (2, 'Backups', 1), (3, 'Recovery', 1);
"""
NEXT = """
What to do next, in this folder:
  python scripts/backup_restore.py restore latest --dry-run     what going back would change
  python scripts/backup_restore.py restore latest               go back; `undo` takes it back again
  python scripts/backup_restore.py create --type incremental    back up what changed since the full backup
  python scripts/backup_restore.py --help                       everything else
What is backed up, where to and for how long stands in config.json. `make stop` ends the server.
"""
PORTS = range(8000, 8010)
RUNS_ALREADY = 11


def main() -> int:
    """Run the steps; return the exit code of the one that failed, or 0."""
    made = prepare(ROOT)
    if made:
        say("A studio to try this on: " + ", ".join(made))
    listing = backup_restore("list", "--json", stdout=subprocess.PIPE)
    if listing.returncode:
        return listing.returncode
    first = [] if json.loads(listing.stdout)["backups"] else [("create",), ("verify", "latest")]
    for step in [*first, ("list",)]:
        say("\n$ python scripts/backup_restore.py " + " ".join(step))
        if code := backup_restore(*step).returncode:
            return code
    say(NEXT)
    return start_server()


def prepare(root: str) -> list[str]:
    """
    Make the folders of a studio that do not exist, each with something in it, and name what was made.

    The database comes only with a root that has none of the folders: an existing studio has its own.
    """
    absent = [path for path in SAMPLES if not os.path.lexists(os.path.join(root, os.path.dirname(path)))]
    fresh = len(absent) == len(SAMPLES) and not os.path.lexists(os.path.join(root, DATABASE))
    for path in absent:
        os.mkdir(os.path.join(root, os.path.dirname(path)))
        with open(os.path.join(root, path), "x", encoding="utf-8") as file:
            file.write(SAMPLES[path])
    if fresh:
        with closing(sqlite3.connect(os.path.join(root, DATABASE))) as database:
            database.executescript(SCHEMA)
    return [os.path.dirname(path) + "/" for path in absent] + [DATABASE] * fresh


def start_server() -> int:
    """Start the server in the background, where it does not run yet; return 0 when it runs."""
    port = next((port for port in PORTS if is_free(port)), PORTS.start)
    command = [sys.executable, "start_server.py", "--daemon", "--port", str(port)]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode != RUNS_ALREADY:
        sys.stderr.write(done.stderr)
        return done.returncode
    say("The server runs already:" + done.stderr.partition("runs already:")[2].partition("\n")[0])
    return 0


def is_free(port: int) -> bool:
    """Tell whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def backup_restore(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the guide's command line in the studio root, as a person would."""
    command = [sys.executable, os.path.join(ROOT, "scripts", "backup_restore.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=stdout, text=True, check=False)  # noqa: S603 - fixed words


def say(text: str) -> None:
    """Print at once, so that the lines of the commands come in between."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
