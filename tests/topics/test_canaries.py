"""
No secret leaves the place where it was put, whatever the commands do and however they fail.

Canaries are everywhere a secret can be: in the configuration, in files and variables that it refers to, on the
command line. Afterwards they are looked for in everything that the commands wrote or said.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import COMMANDS, run
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.config.secrets import secrets_in
from pinnacle_backup.config.settings import settings

from ..canaries import canary, found_in, leaks
from ..contract.faults import until
from ..studios import Ended, Studio, warm_up

UNREACHABLE = "127.0.0.1:1"
GIVEN = canary("of-the-command-line")
NEW = canary("that-is-new")
WRONG = canary("that-is-wrong")
KNOWN = ("--decrypt", GIVEN, "--decrypt", canary("in-a-file"))

SEQUENCE: tuple[tuple[str, ...], ...] = (
    ("config", "check"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("schedule", "--schedule-config", '{"weekly_cleanup": false}'),
    ("schedule",),
    ("schedule", "--run-now", "daily-full"),
    ("schedule", "--pause"),
    ("schedule", "--resume"),
    ("create", "--name", "first"),
    ("create", "--type", "incremental", "--log-format", "json"),
    ("create", "--name", "second", "--encrypt", GIVEN, "--json"),
    ("create", "--name", "third", "--no-encrypt"),
    ("cloud", "test", "far", "--size", "0"),
    ("copy", "--to", "far"),
    ("list", "--repository", "far"),
    ("recover", f"s3://far-away/studio?endpoint=http://{UNREACHABLE}", "--dry-run"),
    ("key", "sheet"),
    ("list",),
    ("list", "--json"),
    ("show", "first"),
    ("ls", "first"),
    ("find", "config.json", "--json", *KNOWN),
    ("diff", "first"),
    ("verify", "first", "second", *KNOWN),
    ("verify", "second", "--decrypt", WRONG, "--json", "--debug"),
    ("restore", "first", "config.json", "--dry-run"),
    ("restore", "first", "encyclopedia", "-y"),
    ("undo", "-y"),
    ("restore", "second", "--decrypt", WRONG, "-y"),
    ("key", "list"),
    ("key", "add", "second", "--label", "anna", "--new", NEW, "--decrypt", GIVEN),
    ("key", "change", "second", "--new", canary("that-is-newer"), "--decrypt", NEW),
    ("key", "remove", "1", "second", "--decrypt", canary("that-is-newer")),
    ("export", "first", "-o", "{elsewhere}/plain.tar.gz"),
    ("pin", "first"),
    ("unpin", "first"),
    ("drill", "first"),
    ("drill", "list", "--json"),
    ("delete", "nothing", "--yes"),
    ("openapi",),
    ("serve", "--host", "0.0.0.0"),
    ("copy",),
    ("copy", "--to", "{elsewhere}/copies", "--json"),
    ("notify", "test"),
    ("notify", "test", "--json"),
    ("notify", "status"),
    ("cleanup", "--retention", "0", "--yes"),
    ("rebuild",),
    ("metrics",),
    ("status",),
    ("status", "--json"),
    ("status", "--check"),
    ("runs",),
    ("runs", "--json"),
    ("runs", "show", "1"),
    ("runs", "cancel", "1"),
    ("service", "install", "--user"),
    ("service", "install", "--print"),
    ("service", "status"),
    ("service", "uninstall"),
    ("completion", "bash"),
    ("user", "setup-token"),
    ("user", "add", "anna", "--role", "administrator", "--password-file", "{elsewhere}/../secrets/key"),
    ("user", "password", "anna", "--password-file", "{elsewhere}/../secrets/key", "--json"),
    ("user", "list"),
    ("user", "remove", "anna", "--yes"),
    ("token", "create", "--role", "viewer"),
    ("token", "list", "--json"),
    ("token", "revoke", "1"),
    ("audit", "--limit", "1000"),
    ("audit", "--json"),
    ("audit", "check"),
)


class Guarded(Studio):
    """
    A studio with a canary wherever the configuration may hold a secret.

    Attributes:
        said: All that commands said, by their words.
    """

    def __init__(self, folder: Path, key: object, **backup: Any) -> None:
        super().__init__(folder / "studio")
        self.elsewhere = folder / "elsewhere"
        self.secrets = folder / "secrets"
        for path in (self.elsewhere / "copy", self.elsewhere / "copies", self.secrets):
            path.mkdir(parents=True)
        (self.secrets / "key").write_text(canary("in-a-file") + "\n")
        (self.secrets / "key").chmod(0o600)
        self.said: list[tuple[tuple[str, ...], Ended]] = []
        self.guard(key, **backup)

    def guard(self, key: object, **backup: Any) -> None:
        """Write a configuration in which every secret is set."""
        host, _, port = UNREACHABLE.partition(":")
        smtp = {"enabled": True, "server": host, "port": int(port), "username": "anna"}
        smtp["password"] = canary("of-the-mail-server")
        sections = {
            "backup": {
                "workers": 1,
                "encryption": {"enabled": True, "key": key},
                "copy_to": [str(self.elsewhere / "copy")],
                "destinations": [
                    {
                        "name": "far",
                        "provider": "s3",
                        "bucket": "far-away",
                        "endpoint_url": f"http://{UNREACHABLE}",
                        "access_key": canary("access-of-another"),
                        "secret_key": canary("secret-of-another"),
                        "automatic": False,
                    }
                ],
                "metrics_file": "logs/metrics.prom",
                "drill": {"checks": ["env >> ../../../../seen-by-checks; test -f config.json"]},
                **backup,
            },
            "notifications": {
                "smtp": smtp,
                "urls": [f"json://anna:{canary('of-a-service')}@{UNREACHABLE}/{canary('in-a-path')}"],
                "ping_url": f"http://{UNREACHABLE}/ping/{canary('of-the-ping')}",
                "events": {"weekly_digest": True},
            },
            "cloud_storage": {"access_key": canary("access"), "secret_key": canary("secret")},
        }
        (self.root / "config.json").write_text(json.dumps(sections))
        (self.root / "config.json").chmod(0o600)

    def says(self, *args: str) -> Ended:
        """Run a command on files that have changed, and remember what it said."""
        (self.root / "encyclopedia/page.md").write_text(f"# Page {len(self.said)}\n")
        ended = self.run(*(word.replace("{elsewhere}", str(self.elsewhere)) for word in args))
        self.said.append((args, ended))
        return ended

    def damage(self, name: str) -> None:
        """Change bytes in the middle of an archive."""
        with open(self.backups / name, "r+b") as file:
            file.seek(os.fstat(file.fileno()).st_size // 2)
            file.write(bytes(64))

    def written(self) -> Iterator[Path]:
        """Yield everything that the commands wrote but the backed-up configuration itself."""
        for folder in (self.root, self.elsewhere):
            for path in folder.rglob("*"):
                if path.name != "config.json" and ".tar." not in path.name.removesuffix(".sha256"):
                    yield path
        yield from self.backups.glob("*.sha256")

    def assert_none_leaked(self) -> None:
        """Look everywhere."""
        assert leaks(self.written()) == {}
        for args, ended in self.said:
            assert found_in(ended.out.encode()) is None, (args, ended.out)
            assert found_in(ended.err.encode()) is None, (args, ended.err)


def guarded(folder: Path, placed: str) -> Guarded:
    """Return a studio whose key is placed so."""
    warm_up()
    keys = {
        "literal": canary("in-the-configuration"),
        "$env": {"$env": "STUDIO_KEY"},
        "$file": {"$file": str(folder / "secrets/key")},
    }
    studio = Guarded(folder, keys[placed])
    if placed == "$env":
        studio.environ["STUDIO_KEY"] = canary("in-a-variable")
    return studio


def test_every_secret_of_the_configuration_has_a_canary(tmp_path: Path) -> None:
    """A new secret in the schema wants one here."""
    studio = guarded(tmp_path, "literal")
    written = json.loads((studio.root / "config.json").read_text())

    for path, setting in settings().items():
        if setting.secret:
            value = written
            for key in path.removesuffix("[]").split("."):
                value = value[key.removesuffix("[]")]
                value = value[0] if key.endswith("[]") else value
            assert found_in(json.dumps(value).encode()), path
    assert list(secrets_in(Configuration())) == []


def test_every_command_is_in_the_sequence() -> None:
    """A new command wants its lines here."""
    commands = {name for names in COMMANDS.values() for name in names}

    assert commands <= {args[0] for args in SEQUENCE}


@pytest.mark.long
def test_nothing_that_commands_write_or_say_holds_a_secret(tmp_path: Path) -> None:
    """All commands, well and badly used; in the end with damaged archives and a damaged record."""
    studio = guarded(tmp_path, "$file")
    known = {name for names in COMMANDS.values() for name in names}
    codes = {args: studio.says(*args).code for args in SEQUENCE if args[0] in known}
    studio.damage(studio.latest())
    for args in (
        ("verify", "latest"),
        ("restore", "latest", "-y", "--debug"),
        ("drill", "latest"),
        ("status",),
    ):
        studio.says(*args)
    (studio.root / ".pinnacle/state.db").write_bytes(b"damaged" * 1000)
    studio.says("create", "--debug")

    assert codes["create", "--name", "first"] == 0
    assert codes["verify", "first", "second", *KNOWN] == 0
    assert codes["verify", "second", "--decrypt", WRONG, "--json", "--debug"] == 12
    assert codes["restore", "first", "encyclopedia", "-y"] == codes["undo", "-y"] == 0
    unexpected = [(args, ended) for args, ended in studio.said if "unexpected error" in ended.err]
    assert unexpected == []
    assert len((studio.root / "logs/ultra_pinnacle.log").read_text()) > 1000
    studio.assert_none_leaked()


@pytest.mark.parametrize("placed", ["literal", "$env"])
def test_it_does_not_matter_where_the_key_is(tmp_path: Path, placed: str) -> None:
    studio = guarded(tmp_path, placed)

    for args in (
        ("create",),
        ("verify", "latest"),
        ("config", "show"),
        ("status", "--json"),
        ("runs", "show", "1"),
    ):
        assert studio.says(*args).code in (0, 1), args
    studio.assert_none_leaked()


def test_a_password_from_the_environment_is_nowhere(tmp_path: Path) -> None:
    """Nor one from a file that the environment names."""
    studio = guarded(tmp_path, "literal")
    studio.environ["PINNACLE_PASSWORD"] = canary("of-the-environment")
    studio.says("create", "--name", "one")
    studio.environ["PINNACLE_PASSWORD_FILE"] = str(studio.secrets / "key")
    studio.says("create", "--name", "two")
    studio.says("verify", "one", "--debug")
    studio.says("config", "show")

    assert [ended.code for _, ended in studio.said] == [0, 0, 12, 0]
    studio.assert_none_leaked()


class Broken(io.StringIO):
    """A terminal that fails, and tells a secret while it does."""

    def write(self, text: str) -> int:
        raise ValueError(f"broken: {canary('in-the-configuration')}\nand {canary('of-a-service')}")


@pytest.mark.parametrize("options", [(), ("--debug",), ("--json", "--debug"), ("--log-format", "json")])
def test_not_even_an_unexpected_error_tells_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Not on the terminal, where its traceback is with ``--debug``, and not in the log."""
    studio = guarded(tmp_path, "literal")
    err = io.StringIO()
    context = Context(environ={"PINNACLE_ROOT": str(studio.root)}, stdout=Broken(), stderr=err)

    assert run(["--version", *options], context) == 2

    studio.said.append((options, Ended(2, "", err.getvalue())))
    assert "unexpected error" in err.getvalue()
    assert ("Traceback" in err.getvalue()) == ("--debug" in options)
    assert "Traceback" in (studio.root / "logs/backup_errors.log").read_text()
    studio.assert_none_leaked()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows what programs are started with")
def test_no_program_is_started_with_a_secret(tmp_path: Path) -> None:
    """
    Neither as an argument nor in its environment: seen by the kernel's own eyes.

    Workers, the check commands of a drill, and what the scheduler starts.
    """
    studio = guarded(tmp_path, "$file")
    calls = tmp_path / "calls"
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-v", "-s", "100000", "-A", "-o", calls]
    for args in (("create",), ("drill", "latest"), ("notify", "test")):
        if args[0] in {name for names in COMMANDS.values() for name in names}:
            studio.cold(*args, before=[*traced, "-e", "trace=execve,execveat"])
    _miss_a_backup(studio)
    with subprocess.Popen(
        studio.command("schedule", "--start-scheduler", before=[*traced, "-e", "trace=execve,execveat"]),
        env=studio.env(),
        cwd=studio.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as scheduler:
        until(lambda: len(studio.archives()) == 2)
        assert studio.run("schedule", "--stop-scheduler").code == 0
        said = scheduler.communicate()[0]

    seen = calls.read_bytes()
    assert b'"--run-now", "daily-full"' in seen
    assert b"PINNACLE_ROOT" in seen, "environments are shown"
    assert found_in(seen) is None
    assert found_in(said) is None
    studio.assert_none_leaked()


def _miss_a_backup(studio: Studio) -> None:
    """Have the last full backup of the schedule be one that was made days ago."""
    studio.good("schedule")
    past = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    database = sqlite3.connect(studio.root / ".pinnacle/state.db")
    with database:
        values = ("daily-full", past, None, 0, None, "0 2 * * *", past)
        database.execute("INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    database.close()
