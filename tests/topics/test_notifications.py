"""
Notifications end to end: real commands, a real mail server with STARTTLS and accounts, real pings.

Whatever becomes of a message, the command ends as it would without, and no secret is written anywhere.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.state.database import Database
from pinnacle_backup.state.messages import Messages

from ..contract.faults import until
from ..mail_servers import Authority, MailServer, PingServer, free_port
from ..studios import Studio, warm_up

ACCOUNT = ("backup", "canary-smtp-password")
UUID = "canary-ping-uuid"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signs certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


class Place:
    """
    A studio that tells people.

    Attributes:
        studio: Its commands.
        notifications: What is configured.
    """

    def __init__(self, root: Path) -> None:
        self.studio = Studio(root)
        self.root = root
        self.outputs = ""
        self.notifications: dict[str, Any] = {}

    def configure(self, **backup: object) -> None:
        """Write the configuration."""
        sections = {"backup": {"workers": 1} | backup, "notifications": self.notifications}
        (self.root / "config.json").write_text(json.dumps(sections))
        (self.root / "config.json").chmod(0o600)

    def mail(self, server: MailServer | int, authority: Authority, **more: object) -> None:
        """Have mails sent through a server, encrypted and with an account."""
        port = server if isinstance(server, int) else server.port
        (self.root / "smtp-password").write_text(ACCOUNT[1])
        (self.root / "smtp-password").chmod(0o600)
        smtp = {"enabled": True, "server": "localhost", "port": port, "timeout_seconds": 5}
        smtp |= {
            "username": ACCOUNT[0],
            "password": {"$file": "smtp-password"},
            "ca_file": str(authority.file),
        }
        self.notifications["smtp"] = {**smtp, **more}
        self.configure()

    def run(self, *args: str, cold: bool = False) -> tuple[int, str, str]:
        """Run a command; in a process that imports everything itself, if that counts."""
        ended = self.studio.cold(*args) if cold else self.studio.run(*args)
        self.outputs += ended.out + ended.err
        return ended

    def break_sources(self) -> None:
        """Have backups fail: a source is gone."""
        self.configure(paths=["gone<img src=x onerror=1>"])

    def waiting(self) -> int:
        """Return how many messages wait."""
        database = Database(str(self.root / ".pinnacle/state.db"), warn=pytest.fail)
        try:
            return Messages(database).waiting().count
        finally:
            database.close()

    def make_due(self) -> None:
        """Let all pauses be over."""
        database = Database(str(self.root / ".pinnacle/state.db"), warn=pytest.fail)
        database.write(
            lambda db: db.execute("UPDATE message SET next_attempt = '2000-01-01T00:00:00.000000Z'")
        )
        database.close()

    def assert_no_secret(self) -> None:
        """Find no secret in what was printed, logged or remembered."""
        written = [self.outputs.encode()]
        written += [path.read_bytes() for path in (self.root / "logs").iterdir()]
        written += [path.read_bytes() for path in (self.root / ".pinnacle").rglob("*") if path.is_file()]
        for secret in (
            "canary",
            "Y2FuYXJ5",
            "AGJhY2t1cABjYW5hcn",
        ):  # also as AUTH LOGIN and AUTH PLAIN send it
            assert not [content for content in written if secret.encode() in content]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A studio; in the end no secret of it may be written anywhere."""
    warm_up()
    found = Place(tmp_path / "studio")
    yield found
    found.assert_no_secret()


def test_a_failure_and_the_recovery_arrive_as_mails(place: Place, authority: Authority):
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server:
        place.mail(server, authority)
        assert place.run("create")[0] == 0
        assert not server.mails
        place.break_sources()
        assert place.run("create")[0] == 2
        assert place.run("create")[0] == 2
        place.configure()
        assert place.run("create")[0] == 0
        assert place.run("create")[0] == 0

    failed, recovered = server.mails
    assert failed.message["Subject"].startswith("Backup failed: studio on ")
    assert "gone<img src=x onerror=1>" in failed.text
    assert "gone&lt;img src=x onerror=1&gt;" in failed.html
    assert "<img" not in failed.html
    assert "What to do: " in failed.text
    assert recovered.message["Subject"].startswith("Backup works again: ")


def test_a_slip_at_the_keyboard_alarms_nobody(place: Place, authority: Authority):
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server:
        place.mail(server, authority)
        assert place.run("verify", "no-such-backup")[0] == 10

    assert not server.mails
    assert place.waiting() == 0


@pytest.mark.parametrize("fault", ["down", "authority", "name", "password", "plain"])
def test_a_failing_mail_server_fails_no_backup_and_is_said_in_one_line(
    fault: str, place: Place, authority: Authority, tmp_path: Path
):
    place.run("create")
    place.break_sources()
    other = Authority(tmp_path, "other")
    account = ("backup", "another") if fault == "password" else ACCOUNT
    tls = authority.server("elsewhere" if fault == "name" else "localhost")
    place.notifications["events"] = {"success": True}
    words = {
        "down": "cannot be reached: connection refused",
        "authority": "is not trusted: ",
        "name": 'is not for the name "localhost"',
        "password": "refused the login of backup: 535 ",
        "plain": "does not offer STARTTLS, so nothing was sent",
    }[fault]

    with MailServer(
        None if fault == "plain" else tls, account=None if fault == "plain" else account
    ) as server:
        place.mail(
            free_port() if fault == "down" else server,
            authority,
            ca_file=str((other if fault == "authority" else authority).file),
        )
        code, out, err = place.run("create")

    assert code == 0
    assert "made: " in out
    (line,) = err.splitlines()
    assert line.startswith("pinnacle-backup: warning: the notification waits: ")
    assert words in line
    assert not server.mails
    assert place.waiting() == 1
    status = json.loads(place.run("notify", "--json")[1])
    assert words in status["backlog"]["error"]


def test_a_missing_password_of_the_mail_server_stops_mails_only(place: Place, authority: Authority):
    """On the machine that a studio is brought back to, it is often missing."""
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server:
        place.mail(server, authority)
        (place.root / "smtp-password").unlink()
        fault = "config.json: notifications.smtp.password: "

        code, _, err = place.run("create")
        assert (code, fault in err) == (0, True)
        assert place.run("restore", "latest", "--yes")[0] == 0
        assert place.run("config", "check")[0] == 1
        code, out, _ = place.run("notify", "test")
        assert (code, fault in out) == (2, True)
        place.break_sources()
        place.run("create")
        assert place.waiting() == 1

        place.mail(server, authority)
        assert place.run("notify", "retry")[0] == 0
    assert len(server.mails) == 1


def test_what_could_not_be_delivered_comes_with_a_later_command_exactly_once(
    place: Place, authority: Authority
):
    port = free_port()
    place.mail(port, authority)
    place.break_sources()
    place.run("create")
    assert place.waiting() == 1

    with MailServer(authority.server("localhost"), account=ACCOUNT, port=port) as server:
        place.run("create")  # fails again, which is no news; the pause is not over
        assert not server.mails
        place.make_due()
        place.run("create")
        place.make_due()
        place.run("create")

    assert len(server.mails) == 1
    assert place.waiting() == 0


def test_two_commands_at_once_send_a_message_once(place: Place, authority: Authority):
    port = free_port()
    place.mail(port, authority)
    place.break_sources()
    place.run("create")

    with MailServer(authority.server("localhost"), account=ACCOUNT, port=port) as server:
        command = place.studio.command("notify", "retry")
        started = [
            subprocess.Popen(command, env=place.studio.env(), stdout=subprocess.PIPE) for _ in range(3)
        ]
        for process in started:
            process.communicate()

    assert len(server.mails) == 1
    assert [process.returncode for process in started] == [0, 0, 0]


def test_a_killed_backup_is_told_by_the_next_command_that_looks(place: Place, authority: Authority):
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server, PingServer() as pings:
        place.notifications["ping_url"] = f"{pings.url}/{UUID}"
        place.mail(server, authority)
        stopped = subprocess.Popen(
            place.studio.command("create"), env=place.studio.env(), stderr=subprocess.DEVNULL
        )
        until(lambda: pings.pings or stopped.poll() is not None)
        stopped.send_signal(signal.SIGKILL)
        stopped.wait()
        place.run("runs")
        place.run("notify", "retry")

    kinds = [ping.path.partition("?")[0].removeprefix(f"/{UUID}") for ping in pings.pings]
    assert kinds == ["/start", "/fail"]
    assert server.mails[0].message["Subject"].startswith("Backup killed: studio on ")


def test_pings_tell_of_start_and_end_with_the_log(place: Place):
    with PingServer() as server:
        place.notifications["ping_url"] = f"{server.url}/{UUID}"
        place.configure()
        assert place.run("create")[0] == 0
        place.break_sources()
        assert place.run("create")[0] == 2

    kinds = [ping.path.partition("?")[0].removeprefix(f"/{UUID}") for ping in server.pings]
    ids = [ping.path.partition("rid=")[2] for ping in server.pings]
    assert kinds == ["/start", "", "/start", "/fail"]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert b"info: started: full" in server.pings[1].body
    assert b"error: source: " in server.pings[3].body


def test_a_receiver_of_pings_that_is_down_fails_no_backup(place: Place):
    place.notifications["ping_url"] = f"http://127.0.0.1:{free_port()}/{UUID}"
    place.configure()

    code, _, err = place.run("create")

    assert code == 0
    assert "the notification waits: http://127.0.0.1:" in err


def test_chats_are_told_by_apprise(place: Place):
    pytest.importorskip("apprise")
    with PingServer() as server:
        place.notifications["urls"] = [server.url.replace("http://", "json://user:canary@") + "/canary-token"]
        place.break_sources()
        assert place.run("create", cold=True)[0] == 2  # apprise finds its services only once

    assert json.loads(server.pings[0].body)["title"].startswith("Backup failed: ")


def test_notify_test_reports_on_every_channel(place: Place, authority: Authority):
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server, PingServer() as pings:
        place.notifications |= {"ping_url": f"{pings.url}/{UUID}"}
        place.mail(server, authority)
        code, out, err = place.run("notify", "test")
        assert (code, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()] == ["sent", "sent"]

        place.mail(free_port(), authority)
        code, out, _ = place.run("notify", "test")
        assert code == 2
        assert [line.split()[0] for line in out.splitlines()] == ["failed", "mail", "hint:", "sent"]
        code, out, _ = place.run("notify", "test", "--json")
        assert code == 2
        assert [bool(each["error"]) for each in json.loads(out)["channels"]] == [True, False]

    assert server.mails[0].message["Subject"].startswith("Test message: studio on ")
    assert pings.pings[0].path == f"/{UUID}/log"
    assert place.waiting() == 0


def test_notify_test_without_channels_is_an_error_of_use(place: Place):
    place.configure()
    code, _, err = place.run("notify", "test")

    assert code == 3
    assert "no channel is set up" in err


def test_notify_retry_says_what_became_of_it(place: Place, authority: Authority):
    port = free_port()
    place.mail(port, authority)
    assert place.run("notify", "retry")[:2] == (0, "No message waits.\n")
    place.break_sources()
    place.run("create")
    code, out, err = place.run("notify", "retry")
    assert (code, out) == (2, "0 messages delivered, 1 message still waiting.\n")
    assert "cannot be reached" in err

    with MailServer(authority.server("localhost"), account=ACCOUNT, port=port):
        assert place.run("notify", "retry")[:2] == (0, "1 message delivered.\n")


def test_nothing_is_told_of_rehearsals(place: Place, authority: Authority):
    with MailServer(authority.server("localhost"), account=ACCOUNT) as server:
        place.notifications["events"] = {"success": True}
        place.mail(server, authority)
        place.run("create")
        place.run("cleanup", "--dry-run")
        place.run("restore", "latest", "--dry-run")
        place.run("pin", "latest")

    assert [mail.message["Subject"].partition(":")[0] for mail in server.mails] == ["Backup done"]
