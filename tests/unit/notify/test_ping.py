"""Pings, against a real server."""

from __future__ import annotations

import socket

import pytest

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.ping import BODY_LIMIT, ping, place

from ...mail_servers import HOST, PingServer, free_port

UUID = "5f0c1b1e-7a3d-4a0e-9b55-0d1a2b3c4d5e"


@pytest.mark.parametrize(
    ("kind", "ending"), [("start", "/start"), ("success", ""), ("fail", "/fail"), ("log", "/log")]
)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/{UUID}", f"/{UUID}{{}}?rid=r1"),
        (f"/{UUID}/", f"/{UUID}{{}}?rid=r1"),
        ("/key/my-slug?create=1", "/key/my-slug{}?create=1&rid=r1"),
        ("/a%2Fb/ü c", "/a%2Fb/%C3%BC%20c{}?rid=r1"),
        ("", "{}?rid=r1"),
    ],
)
def test_the_kind_is_in_the_path_whatever_the_address_looks_like(
    kind: str, ending: str, path: str, expected: str
):
    with PingServer() as server:
        ping(Secret(server.url + path), kind, run_id="r1", body=b"a line")

    wanted = expected.format(ending)
    assert server.pings == [(wanted if wanted.startswith("/") else "/" + wanted, b"a line")]


def test_only_the_end_of_a_long_log_is_sent():
    with PingServer() as server:
        ping(Secret(server.url), "log", body=b"x" * BODY_LIMIT + b"end")

    assert len(server.pings[0].body) == BODY_LIMIT
    assert server.pings[0].body.endswith(b"end")


def failure(url: str, **options: float) -> NotificationError:
    """Return the error of a ping, which must not give the address away."""
    with pytest.raises(NotificationError) as caught:
        ping(Secret(url), "success", **options)
    assert "canary" not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert "\n" not in caught.value.message
    return caught.value


def test_a_server_that_is_down_is_named_without_the_secret_part():
    url = f"http://{HOST}:{free_port()}"

    assert failure(f"{url}/canary").message == f"{url}: cannot be reached: connection refused"


def test_an_answer_that_is_an_error_is_an_error():
    with PingServer(lambda _: (404, {})) as server:
        assert failure(f"{server.url}/canary").message == f"{server.url}: answered 404 Not Found"


def test_a_silent_server_is_given_up():
    with socket.create_server((HOST, 0)) as silent:
        error = failure(f"http://{HOST}:{silent.getsockname()[1]}/canary", seconds=0.2)

    assert error.message.endswith("did not answer within 0.2 s")


def test_a_server_that_speaks_something_else_is_an_error():
    with PingServer() as server:
        assert "cannot be reached" in failure(server.url.replace("http", "https") + "/canary").message


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/canary",
        "ftp://h/canary",
        "canary",
        "",
        "http://",
        "http:///canary",
        "http://h:canary/",
        "http://[canary/",
    ],
)
def test_what_is_no_address_of_the_web_is_said(url: str):
    assert failure(url).message == "notifications.ping_url is no address of the web"


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_no_redirect_leaves_the_web(elsewhere: str):
    with PingServer(lambda _: (302, {"Location": elsewhere})) as server:
        assert "answered 302" in failure(f"{server.url}/canary").message


def test_redirects_within_the_web_are_followed():
    def answer(path: str) -> tuple[int, dict[str, str]]:
        return (302, {"Location": "/new"}) if path == "/old" else (200, {})

    with PingServer(answer) as server:
        ping(Secret(f"{server.url}/old"), "success")

    assert [each.path for each in server.pings] == ["/old", "/new"]


def test_user_and_password_in_the_address_log_in_and_are_never_shown():
    with PingServer() as server:
        url = server.url.replace("http://", "http://canary:canary2@")
        ping(Secret(url), "success")

    assert len(server.pings) == 1
    assert "canary" not in place(Secret(url))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hc-ping.com/canary?canary", "https://hc-ping.com"),
        ("http://u:canary@h:8000/x", "http://h:8000"),
        ("http://[canary", "the address for pings"),
    ],
)
def test_of_an_address_only_scheme_and_server_are_shown(url: str, shown: str):
    assert place(Secret(url)) == shown
