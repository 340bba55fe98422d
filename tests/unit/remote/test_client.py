"""A server that is none, or lies, or breaks off: one clear line each, and the token goes nowhere else."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import (
    BackupNotFound,
    Forbidden,
    NotAuthenticated,
    PinnacleError,
    RepositoryBusy,
    ServerError,
    UsageError,
)
from pinnacle_backup.model.runs import Run
from pinnacle_backup.remote import client as client_module
from pinnacle_backup.remote import connection
from pinnacle_backup.remote.address import parse_address
from pinnacle_backup.remote.client import Client
from pinnacle_backup.remote.connection import Connector

from .hostile import Hostile, http, json_by_path, saying

TOKEN = "pb_secret"
RUN = {"run": {"id": 1, "verb": "create"}}


def client(url: str, **options: Any) -> Client:
    return Client(Connector(address=parse_address(url), token=Secret(TOKEN), **options), "1.0")


def ask(server: Hostile) -> Run:
    return client(server.url).get("/runs/1", Run, member="run")


def test_an_answer_becomes_a_value() -> None:
    with saying(http(json.dumps(RUN).encode())) as server:
        assert ask(server) == Run(id=1, verb="create")
    assert b"GET /api/v1/runs/1 HTTP/1.1" in server.requests[0]
    assert f"Authorization: Bearer {TOKEN}".encode() in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "hung up without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", "broke off in the middle"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ru",
            "broke off in the middle",
        ),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "does not speak HTTP"),
        (http(b"<html>Login", kind="text/html"), "no Pinnacle Backup server"),
        (http(b"<html>", status="502 Bad Gateway", kind="text/html"), r"no Pinnacle Backup server \(it answered with 502"),
        (http(b"", status="302 Found", kind="text/html"), "sends elsewhere"),
        (http(b"not json"), "cannot be understood"),
        (http(b'{"run": {"id": "one"}}'), "cannot be understood"),
        (http(b"[]"), "cannot be understood"),
        (http(b'{"other": 1}'), "cannot be understood"),
        (http(b'"' + b"[" * 100_000 + b'"'), "cannot be understood"),
        (http(b"[" * 100_000), "cannot be understood"),
    ],
)  # fmt: skip
def test_what_is_no_answer_of_ours_is_one_line(answer: bytes, words: str) -> None:
    with saying(answer) as server, pytest.raises(ServerError, match=words) as caught:
        ask(server)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert TOKEN not in caught.value.message + caught.value.hint


def test_a_redirect_is_never_followed() -> None:
    with saying(http(json.dumps(RUN).encode())) as other:
        moved = (
            f"HTTP/1.1 307 Go\r\nLocation: {other.url}/api/v1/runs/1\r\nContent-Length: 0\r\n\r\n".encode()
        )
        with saying(moved) as server, pytest.raises(ServerError, match="sends elsewhere"):
            ask(server)
    assert other.requests == []


def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_LIMIT", 1_000_000)

    async def endless(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    with saying(endless) as server, pytest.raises(ServerError, match="does not end"):
        ask(server)


def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.2)

    async def silent(_: bytes, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    with saying(silent) as server, pytest.raises(ServerError, match="does not answer"):
        ask(server)


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(ServerError, match="nothing listens at"):
            client(url).get("/runs", dict)


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(ServerError, match=r"nobody knows a machine|cannot be reached"):
        client("https://backup.invalid").get("/runs", dict)


def test_no_tls_where_tls_is_wanted() -> None:
    bad = http(b"{}", status="400 Bad Request")
    with saying(bad, at_once=True) as server, pytest.raises(ServerError, match="no TLS is spoken there"):
        client(server.url.replace("http:", "https:")).get("/runs", dict)
    assert TOKEN.encode() not in b"".join(server.requests)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "no-such-backup", BackupNotFound),
        (401, "not-authenticated", NotAuthenticated),
        (403, "forbidden", Forbidden),
        (409, "busy", RepositoryBusy),
        (422, "usage", UsageError),
        (422, "request", UsageError),
        (500, "failed", PinnacleError),
        (500, "unexpected", ServerError),
        (418, "not-known-here", ServerError),
    ],
)  # fmt: skip
def test_a_problem_is_the_error_that_it_was(status: int, code: str, kind: type[PinnacleError]) -> None:
    body = {
        "title": "T",
        "status": status,
        "detail": "what happened\n\x1b[31m",
        "code": code,
        "hint": "do this",
    }
    answer = http(json.dumps(body).encode(), status=f"{status} x", kind="application/problem+json")
    with saying(answer) as server, pytest.raises(kind, match="what happened") as caught:
        ask(server)
    assert type(caught.value) is kind
    assert "\x1b" not in caught.value.message
    assert caught.value.exit_code == kind.exit_code


def test_fields_that_are_wrong_are_named() -> None:
    body = {
        "title": "Wrong",
        "status": 422,
        "code": "request",
        "errors": [{"field": "name", "message": "too long"}],
    }
    answer = http(json.dumps(body).encode(), status="422 x", kind="application/problem+json")
    with saying(answer) as server, pytest.raises(UsageError, match="name: too long"):
        ask(server)


def test_another_version_is_told() -> None:
    answers = {"/api/v1/runs/1": b'{"run": {"new": "shape"}}', "/api/v1/session": b'{"version": "9.0"}'}
    with saying(json_by_path(answers)) as server, pytest.raises(ServerError) as caught:
        ask(server)
    assert "version 9.0, this is 1.0" in caught.value.hint


def test_odd_characters_reach_the_query_as_they_are() -> None:
    with saying(http(b"{}")) as server:
        client(server.url).get("/versions", dict, path="a b\udcff/ü", limit=0, empty="")
    assert b"GET /api/v1/versions?path=a+b%FF%2F%C3%BC HTTP/1.1" in server.requests[0]
