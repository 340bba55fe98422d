"""Messages through Apprise, to a real server."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.apprise_urls import send_to, service
from pinnacle_backup.notify.message import Message, as_text

from ...mail_servers import HOST, PingServer, free_port

pytest.importorskip("apprise")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


def address(server: PingServer, path: str = "/canarytoken") -> Secret:
    return Secret(server.url.replace("http://", "json://user:canarypass@") + path)


@pytest.mark.parametrize(("level", "kind"), [("good", "success"), ("warning", "warning"), ("bad", "failure")])
def test_a_message_arrives(level: str, kind: str, message: Callable[..., Message]):
    with PingServer() as server:
        send_to(address(server), message(level=level))

    arrived = json.loads(server.pings[0].body)
    assert arrived["title"] == "Backup failed: studio on nas"
    assert arrived["message"].strip() == as_text(message(level=level)).strip()
    assert arrived["type"] == kind


def failure(url: Secret, message: Message, capfd: pytest.CaptureFixture[str]) -> NotificationError:
    """Return the error of a message, which must not give the address away; nor must anything be printed."""
    with pytest.raises(NotificationError) as caught:
        send_to(url, message)
    printed = capfd.readouterr()
    assert not printed.out
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"
    assert "\n" not in caught.value.message
    return caught.value


def test_a_service_that_refuses_is_an_error_without_any_part_of_the_address(
    message: Callable[..., Message], capfd: pytest.CaptureFixture[str]
):
    with PingServer(lambda _: (403, {})) as server:
        error = failure(address(server), message(), capfd)

    assert error.message.startswith("json did not take the message: ")
    assert "403" in error.message


def test_a_service_that_is_down_is_an_error(
    message: Callable[..., Message], capfd: pytest.CaptureFixture[str]
):
    url = Secret(f"json://{HOST}:{free_port()}/canarytoken")

    assert "json did not take the message" in failure(url, message(), capfd).message


@pytest.mark.parametrize("url", ["nosuchservice://canary/x", "canary", "json://", "tgram://canary"])
def test_an_address_that_is_none_is_an_error(
    url: str, message: Callable[..., Message], capfd: pytest.CaptureFixture[str]
):
    assert failure(Secret(url), message(), capfd).message


def test_the_library_is_left_as_it_was(message: Callable[..., Message], capfd: pytest.CaptureFixture[str]):
    before = logging.getLogger("apprise").level, list(logging.getLogger("apprise").handlers)

    failure(Secret("nosuchservice://canary"), message(), capfd)

    assert (logging.getLogger("apprise").level, list(logging.getLogger("apprise").handlers)) == before


def test_without_the_library_it_is_said_how_to_get_it():
    script = (
        "import sys; sys.modules['apprise'] = None\n"
        "from pinnacle_backup.notify.apprise_urls import _library\n"
        "from pinnacle_backup.errors import NotificationError\n"
        "try: _library()\n"
        "except NotificationError as error: print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "apprise, which is not installed | pip install 'pinnacle-backup[apprise]'" in done.stdout


@pytest.mark.parametrize(
    ("url", "name"), [("tgram://canary/1", "tgram"), ("canary", "unknown"), ("can/ary://x", "unknown")]
)
def test_of_an_address_only_the_service_is_named(url: str, name: str):
    assert service(Secret(url)) == name
