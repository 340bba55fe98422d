"""Behind a proxy that encrypts: who asks and how is believed of that proxy, and of nobody else."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from ..studios import Studio
from .serving import NAMES, PASSWORD, Server, free_port, serving

CLIENT = "203.0.113.7"
NAME = "backup.example.org"


class Proxy:
    """
    A small reverse proxy: it says who asked as nginx does, and passes on what it gets byte by byte.

    Args:
        port: Where the server listens.
        client: The address that it pretends to have been asked from.
        scheme: How it pretends to have been asked.
        source: Its own address; the server sees it.
    """

    def __init__(self, port: int, *, client: str, scheme: str, source: str) -> None:
        self._listener: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself refers to them weakly only
        self._port, self._client, self._scheme, self._source = port, client, scheme, source
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        listening = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._listener = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        async def cancel() -> None:
            self._listener.close()
            await asyncio.sleep(0)  # what was accepted just now becomes a task
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on, and its answer as it comes; then close."""
        outer = writer
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            passed = await self._request(reader)
            inner, outer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._source, 0)
            )
            outer.write(passed)
            while chunk := await inner.read(65536):
                writer.write(chunk)
                await writer.drain()
        for each in (outer, writer):
            each.close()
        for each in (outer, writer):
            with suppress(OSError):
                await each.wait_closed()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        """Return one request as the server gets it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        known = {name.lower(): value for name, value in headers}
        body = await reader.readexactly(int(known.get("content-length", 0)))
        ours = ("connection", "host", "x-forwarded-for", "x-forwarded-proto")
        chain = ", ".join(filter(None, (known.get("x-forwarded-for", ""), self._client)))
        passed = [
            first,
            *(f"{name}: {value}" for name, value in headers if name.lower() not in ours),
            f"Host: {NAME}",
            f"X-Forwarded-For: {chain}",
            f"X-Forwarded-Proto: {self._scheme}",
            "Connection: close",
        ]
        return "\r\n".join(passed).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def proxied(
    server: Server, *, client: str = CLIENT, scheme: str = "https", source: str = "127.0.0.1"
) -> Iterator[httpx.Client]:
    """Give somebody who asks through a proxy, as a browser does that was led to the proxy's name."""
    proxy = Proxy(server.port, client=client, scheme=scheme, source=source)
    proxy.start()
    try:
        with httpx.Client(base_url=proxy.url, timeout=30, trust_env=False) as asking:
            asking.headers["Origin"] = f"https://{NAME}"
            yield asking
    finally:
        proxy.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind a proxy on this machine, which is behind others in an inner network."""
    words = ("--allow-host", NAME, "--behind-proxy", "127.0.0.1,10.1.0.0/16")
    with serving(tmp_path_factory.mktemp("server"), *words) as found:
        yield found


def log_in(
    asking: httpx.Client, *, name: str = NAMES["administrator"], password: str = PASSWORD, **headers: str
) -> httpx.Response:
    credentials = {"name": name, "password": password}
    return asking.post("/api/v1/session", json=credentials, headers=headers)


def addresses(server: Server) -> list[str]:
    """The addresses of logins in the audit trail, newest first."""
    events = server.json("GET", "/api/v1/audit")["events"]
    return [event["address"] for event in events if event["action"].startswith("login")]


def test_the_client_and_the_encryption_are_those_that_the_proxy_saw(server: Server) -> None:
    """Cookie, HSTS, audit trail and delays are as if the proxy were not there; a page can be used through it."""
    with proxied(server) as asking:
        answer = log_in(asking)
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-pinnacle_session=")
        assert "Secure" in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        session = {"Cookie": cookie.partition(";")[0]}
        assert asking.get("/api/v1/session", headers=session).json()["session"] is True
        assert asking.delete("/api/v1/session", headers=session).is_success
        assert addresses(server)[0] == CLIENT


def test_wrong_passwords_delay_the_client_and_not_the_proxy(server: Server) -> None:
    with proxied(server, client="203.0.113.99") as asking:
        codes = (log_in(asking, name="nobody", password=f"wrong {n}").status_code for n in range(30))
        assert 429 in codes
    with proxied(server, client="198.51.100.9") as other:
        assert log_in(other, name="vera").status_code == 200


@pytest.mark.parametrize("forged", ["198.51.100.1", "127.0.0.1", "::1", "no address at all", ","])
def test_what_the_client_writes_itself_is_not_believed(forged: str, server: Server) -> None:
    """What a client claims to be stands to the left of what the proxy has seen."""
    with proxied(server) as asking:
        log_in(asking, **{"X-Forwarded-For": forged})
        assert addresses(server)[0] == CLIENT


@pytest.mark.parametrize(
    ("options", "source"),
    [((), "127.0.0.1"), (("--behind-proxy", "127.0.0.2"), "127.0.0.3")],
    ids=["by default", "another one"],
)
def test_nobody_else_is_believed(options: tuple[str, ...], source: str, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--allow-host", NAME, *options) as server,
        proxied(server, source=source) as asking,
    ):
        answer = log_in(asking, **{"X-Forwarded-Host": "evil.example.com"})
        assert answer.status_code == 200
        assert answer.headers["set-cookie"].startswith("pinnacle_session=")
        assert "strict-transport-security" not in answer.headers
        assert addresses(server)[0] == source


def test_two_proxies_one_behind_the_other(server: Server) -> None:
    """The chain is read from the right, over all trusted ones."""
    with proxied(server, client="10.1.2.3") as asking:
        log_in(asking, **{"X-Forwarded-For": f"192.0.2.66, {CLIENT}:4711"})
        assert addresses(server)[0] == CLIENT


def test_the_name_that_the_proxy_was_called_by_must_be_ours(server: Server) -> None:
    with proxied(server) as asking:
        assert asking.get("/login", headers={"X-Forwarded-Host": NAME}).status_code == 200
        assert asking.get("/login", headers={"X-Forwarded-Host": "evil.example.com"}).status_code == 421


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["proxy.example.org"], "expected an address or a network"),
        (["0.0.0.0/0"], "would believe everybody"),
        (["127.0.0.1,::/0"], "would believe everybody"),
    ],
)
def test_whom_to_believe_is_said_by_address(words: Sequence[str], said: str, tmp_path: Path) -> None:
    ended = Studio(tmp_path / "studio").run("serve", "--port", str(free_port()), "--behind-proxy", *words)
    assert ended.code == 3
    assert said in ended.err


def test_events_come_through(server: Server) -> None:
    """A stream is not held back, and ends with the server."""
    with proxied(server) as asking:
        bearer = {"Authorization": f"Bearer {server.token}"}
        with asking.stream("GET", "/api/v1/events", headers=bearer) as stream:
            lines = stream.iter_lines()
            run = server.json("POST", "/api/v1/backups", json={})["run"]
            found = next(line for line in lines if line.startswith("data: "))
            assert json.loads(found.removeprefix("data: "))["id"] == run
        server.wait_for(run)
