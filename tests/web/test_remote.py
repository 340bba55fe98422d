"""The command line drives a server: the same words, the same JSON, the same exit codes as on the studio's machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.cli.main import COMMANDS

from ..studios import Ended, Studio, rows, warm_up
from .serving import Server, serving

PROGRAM = (sys.executable, "-m", "pinnacle_backup")
SOURCE = Path(__file__).resolve().parents[2] / "src"
PASSWORD = "a calm password of four words"


class Elsewhere(Studio):
    """The command line of a machine that has no studio; ``PINNACLE_ROOT`` there leads to an empty folder."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server = server
        self.root = self.home = home
        self.environ = {}

    def run(self, *args: str, role: str = "administrator", **environ: str) -> Ended:
        """Run a command for the server."""
        self.environ = {
            "PINNACLE_BACKUP_SERVER": self.server.url,
            "PINNACLE_BACKUP_TOKEN": self.server.tokens[role],
        }
        self.environ |= environ
        return super().run(*args)

    def good(self, *args: str, **options: Any) -> str:
        """Run a command that has to succeed, and return what it printed."""
        ended = self.run(*args, **options)
        assert ended.code == 0, ended
        return ended.out

    def json(self, *args: str) -> dict[str, Any]:
        """Return the object that a command prints last."""
        found: dict[str, Any] = json.loads(self.good("--json", *args).splitlines()[-1])
        return found


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """A server whose studio has a full backup and an incremental, and another machine."""
    warm_up()
    folder = tmp_path_factory.mktemp("remote")
    studio = Studio(folder / "studio")
    (studio.root / "uploads" / os.fsdecode(b"odd \xff name\n")).write_text("odd")
    studio.good("create", "--name", "first")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "second")
    studio.good("verify", "first")
    (folder / "home").mkdir()
    with serving(folder, studio=studio) as server:
        yield Elsewhere(server, folder / "home")


SAME = [
    ("list",),
    ("show", "latest"),
    ("show", "first"),
    ("ls", "latest"),
    ("ls", "latest", "uploads"),
    ("ls", "latest", "uploads/sub/one.txt"),
    ("ls", "latest", "--recursive"),
    ("ls", "latest", "uploads", "--recursive", "--names"),
    ("find", "uploads/**"),
    ("find", "no/such/path"),
    ("diff", "first", "second"),
    ("diff", "first", "second", "--path", "uploads"),
    ("runs", "--verb", "create"),
    ("runs", "show", "1"),
    ("runs", "show", "999"),
    ("runs", "cancel", "1"),
    ("drill", "show"),
    ("drill", "list"),
    ("cleanup", "--dry-run", "--retention", "0"),
    ("restore", "latest", "--dry-run"),
    ("restore", "first", "uploads/*", "--dry-run", "--target", "/tmp/not-there"),
    ("restore", "latest", "--databases-only", "--dry-run"),
    ("restore", "latest", "no-such-path", "--dry-run"),
    ("restore", "--at", "2001-01-01"),
    ("undo", "--dry-run"),
    ("show", "no-such-backup"),
    ("verify", "no-such-backup"),
    ("delete", "no-such-backup", "--yes"),
    ("audit", "check"),
    ("notify",),
    ("schedule", "--run-now", "no-such-job"),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("words", SAME, ids=" ".join)
def test_the_answer_is_the_one_of_the_studio_itself(
    away: Elsewhere, words: tuple[str, ...], form: str
) -> None:
    """Byte for byte, but for how long something took."""
    options = ("--json",) if form == "json" else ()
    there = away.run(*options, *words)
    here = away.server.studio.run(*options, *words)
    assert there.code == here.code
    assert _timeless(there.out, away) == _timeless(here.out, away)
    if here.code:
        assert _timeless(there.err, away).splitlines()[:1] == _timeless(here.err, away).splitlines()[:1]


def _timeless(text: str, away: Elsewhere) -> str:
    text = text.replace(away.server.url, "WHERE").replace(str(away.server.studio.backups), "WHERE")
    text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0', text)
    text = re.sub(r"about [0-9.]+ m?s", "about 0 s", text)
    lines = [line for line in text.splitlines() if '"type": "progress"' not in line]
    return "\n".join(lines)


def test_a_day_of_work(tmp_path: Path) -> None:
    """Make, look, verify, prove, take away, restore in place, take back, pin, delete, clean up."""
    (tmp_path / "home").mkdir()
    with serving(tmp_path) as server:
        away, studio = Elsewhere(server, tmp_path / "home"), server.studio

        assert "one.tar.gz made" in away.good("create", "--name", "one", role="operator")
        page, large = studio.root / "encyclopedia/page.md", studio.root / "uploads/large.bin"
        before = (page.read_bytes(), large.read_bytes(), rows(studio.root / "app.db"))
        studio.change()
        made = away.json("create", "--type", "incremental", "--name", "two")
        assert (made["type"], made["exit_code"], made["backup"]["base"] != "") == ("result", 0, True)

        assert "is good" in away.good("verify", "--all")
        assert away.good("verify", "latest", "--quiet") == ""
        assert f"{server.url}/drills/drill_" in away.good("drill", role="operator")
        assert "proven" in away.good("drill", "show")

        plain = tmp_path / "plain.tar.gz"
        taken = away.json("export", "one", "--output", str(plain))
        assert taken["sha256"] == hashlib.sha256(plain.read_bytes()).hexdigest()
        assert (tmp_path / "plain.tar.gz.sha256").read_text() == f"{taken['sha256']}  plain.tar.gz\n"
        with tarfile.open(plain) as archive:
            assert "encyclopedia/page.md" in archive.getnames()
        assert away.run("export", "one", "-o", str(plain)).code == 2
        assert os.listdir(away.home) == []

        assert "restored" in away.good("restore", "one")
        assert (page.read_bytes(), large.read_bytes(), rows(studio.root / "app.db")) == before
        assert "restored" in away.good("undo", "--yes")
        assert not page.exists()

        assert "pinned" in away.good("pin", "one", "two")
        assert away.run("delete", "two", "--yes").code != 0
        away.good("unpin", "one", "two")
        assert away.run("delete", "two").code == 3
        assert "deleted" in away.good("delete", "two", "--yes")
        assert "safety" in away.good("list")

        assert "until somebody resumes it" in away.good("schedule", "--pause")
        assert "until" not in away.good("schedule", "--resume")
        assert away.run("schedule", "--run-now", "daily-full").code == 0
        assert "daily-full" in away.good("runs", "--limit", "1")
        assert away.run("notify", "test").code == 3
        assert "server:ada" in away.good("audit", "--limit", "5", "--check")


def test_what_fails_there_fails_here_with_the_same_code(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with serving(tmp_path) as server:
        away, studio = Elsewhere(server, tmp_path / "home"), server.studio
        studio.good("create", "--name", "torn")
        archive = studio.backups / "torn.tar.gz"
        data = bytearray(archive.read_bytes())
        data[len(data) // 2] ^= 0xFF
        archive.write_bytes(data)

        there, here = away.run("verify", "torn"), studio.run("verify", "torn")
        assert (there.code, here.code) == (13, 13)
        assert there.out == here.out == "torn.tar.gz is damaged\n"
        assert there.err == here.err

        assert away.run("create", role="viewer").code == 3
        assert away.run("restore", "torn", role="operator").code == 3
        assert away.run("list", PINNACLE_BACKUP_TOKEN="wrong").code == 12
        assert away.run("list", PINNACLE_BACKUP_TOKEN="").code == 12


def test_an_encrypted_backup_takes_its_password(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    given = ("--password-file", str(secret))
    with serving(tmp_path) as server:
        away = Elsewhere(server, tmp_path / "home")
        away.good("create", "--name", "locked", *given)

        for words in (("verify", "locked"), ("ls", "locked"), ("restore", "locked", "--yes")):
            assert away.run(*words).code == 12, words
        assert "is good" in away.good("verify", "locked", *given)
        assert "uploads/" in away.good("ls", "locked", *given)
        assert "machine" in away.good("show", "locked", *given)
        away.good("restore", "locked", "uploads/sub", "--target", str(tmp_path / "out"), *given)
        assert (tmp_path / "out/uploads/sub/one.txt").exists()
        away.good("export", "locked", "-o", str(tmp_path / "plain.tar.gz"), *given)
        assert tarfile.is_tarfile(tmp_path / "plain.tar.gz")
        assert PASSWORD not in server.said()


def test_ctrl_c_stops_the_run_on_the_server(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with serving(tmp_path) as server:
        away, studio = Elsewhere(server, tmp_path / "home"), server.studio
        with (studio.root / "uploads/huge.bin").open("wb") as file:
            for _ in range(120):
                file.write(os.urandom(1 << 20))
        process = subprocess.Popen(
            [*PROGRAM, "create", "-v", "--server", server.url],
            env=os.environ | {"PYTHONPATH": str(SOURCE), "PINNACLE_BACKUP_TOKEN": server.token},
            cwd=away.home,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert "started" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 130
        assert "cancelling run 1 on the server; Ctrl-C again leaves it to itself" in said
        assert away.json("runs", "show", "1")["run"]["outcome"] == "cancelled"
        assert studio.archives() == {}


def test_with_a_self_made_certificate(tmp_path: Path) -> None:
    """It has to be named; then the very certificate is trusted and no other one."""
    (tmp_path / "home").mkdir()
    with serving(tmp_path, "--tls-self-made") as server:
        away = Elsewhere(server, tmp_path / "home")
        pem = (server.root / ".pinnacle/server.pem").read_text()
        certificate = tmp_path / "certificate.pem"
        certificate.write_text(pem[pem.index("-----BEGIN CERTIFICATE") :])

        refused = away.run("list")
        assert refused.code == 2
        assert "cannot be trusted" in refused.err
        assert "--ca-file" in refused.err
        assert away.good("list", "--ca-file", str(certificate)).startswith("No backups yet")
        assert "made" in away.good("create", "--ca-file", str(certificate))

        elsewhere = away.server.url.replace("127.0.0.1", "127.0.0.2")
        assert away.run("list", "--ca-file", str(certificate), PINNACLE_BACKUP_SERVER=elsewhere).code == 2
        nothing = tmp_path / "nothing.pem"
        nothing.write_text("nothing")
        assert away.run("list", "--ca-file", str(nothing)).code == 3
        plain = server.url.replace("https:", "http:")
        assert away.run("list", PINNACLE_BACKUP_SERVER=plain).code == 2


def test_options_stand_before_or_after_and_go_before_the_environment(away: Elsewhere, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(away.server.token)
    token.chmod(0o600)
    nowhere = {"PINNACLE_BACKUP_SERVER": "https://nowhere.invalid", "PINNACLE_BACKUP_TOKEN": "none"}
    given = ("--server", away.server.url, "--token-file", str(token))
    assert away.good(*given, "list", **nowhere) == away.good("list", *given, **nowhere) == away.good("list")
    token.chmod(0o644)
    refused = away.run("list", *given)
    assert (refused.code, "chmod 600" in refused.err) == (3, True)


def test_a_named_studio_goes_before_the_variable(away: Elsewhere) -> None:
    root = str(away.server.root)
    assert away.good("list", "--root", root, PINNACLE_BACKUP_SERVER="https://nowhere.invalid")
    assert away.run("list", "--root", root, "--server", away.server.url).code == 3


HERE_ONLY = [
    "copy", "rebuild", "metrics", "serve", "user list", "token list", "service status", "config check",
    "key list", "schedule --start-scheduler", "schedule --stop-scheduler", "schedule --schedule-config {}",
    "cloud test", "recover folder",
]  # fmt: skip


@pytest.mark.parametrize("words", HERE_ONLY)
def test_what_works_here_only_says_so_and_what_works(away: Elsewhere, words: str) -> None:
    ended = away.run(*words.split())
    assert ended.code == 3
    assert "not with a server" in ended.err
    assert "create list restore" in ended.err


def test_every_command_works_or_says_that_it_does_not() -> None:
    from pinnacle_backup.cli.serverside import WORKS

    needs_none = {"completion", "openapi"}
    known = {name for section in COMMANDS.values() for name in section}
    works = set(WORKS.replace(",", "").partition(" with ")[0].split()) - {"and"}
    assert works | {each.split()[0] for each in HERE_ONLY} | needs_none == known
