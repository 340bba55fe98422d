"""The server as a process: how it starts, whom it waits for, what it says of its own faults, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from pinnacle_backup.app.channels import channels_of, letters
from pinnacle_backup.app.place import Place
from pinnacle_backup.notify.message import Message
from pinnacle_backup.state.messages import Messages
from pinnacle_backup.web.connections import Patience
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.listening import Listening
from pinnacle_backup.web.server import serve
from pinnacle_backup.web.services import Services

from ..canaries import canary
from ..contract.faults import in_child, start_child
from ..studios import PROJECT, Studio
from .routes import routes
from .serving import Server, free_port, opened, serving


def test_it_ends_in_time_with_event_streams_open(tmp_path: Path) -> None:
    """Whoever follows what happens keeps nothing from ending."""
    with (
        serving(tmp_path) as server,
        server.client("viewer") as client,
        client.stream("GET", "/api/v1/events") as stream,
    ):
        assert next(stream.iter_lines())
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 10
    assert "rror" not in server.said()


def test_it_ends_in_time_with_downloads_that_nobody_reads(tmp_path: Path) -> None:
    """Of the archive, of one made while it is taken, of a file; and connections that wait for nothing."""
    with serving(tmp_path) as server, ExitStack() as stack:
        (server.root / "uploads/huge.bin").write_bytes(os.urandom(30_000_000))
        server.studio.good("create", "--name", "huge")
        for path in (
            "download",
            "download?form=plain",
            "content?path=uploads/huge.bin",
            "content?path=uploads",
        ):
            lazy = stack.enter_context(_asked(server, f"/api/v1/backups/huge.tar.gz/{path}"))
            assert lazy.recv(100).startswith(b"HTTP/1.1 200 OK")
        stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        kept = stack.enter_context(_asked(server, "/health"))
        assert kept.recv(100).startswith(b"HTTP/1.1 200 OK")
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 12
    assert "rror" not in server.said()


def _asked(server: Server, path: str) -> socket.socket:
    """Ask, and take hardly any of the answer."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.connect(("127.0.0.1", server.port))
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    asking.sendall(head.encode())
    return asking


def test_it_ends_in_time_though_the_scheduler_waits_for_a_mail_server(tmp_path: Path) -> None:
    """One that takes connections and says nothing; the message stays for the next time."""
    studio = Studio(tmp_path / "studio")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = {
            "enabled": True,
            "server": "127.0.0.1",
            "port": silent.getsockname()[1],
            "timeout_seconds": 60,
        }
        (studio.root / "config.json").write_text(json.dumps({"notifications": {"smtp": mail}}))
        with opened(studio) as found:
            Messages(found.state).add(letters(channels_of(found), _message(found.now())), found.now())
        with serving(tmp_path, studio=studio) as server:
            silent.settimeout(30)
            asked, _ = silent.accept()
            before = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - before < 12
            asked.close()
        with opened(studio) as found:
            assert Messages(found.state).waiting().count == 1
    assert "did not end in time" in (studio.root / "logs/ultra_pinnacle.log").read_text()


def test_it_ends_in_time_though_a_thread_hangs(tmp_path: Path) -> None:
    """Whatever a request may wait for: Python itself would wait for its thread."""
    studio, port = Studio(tmp_path / "studio"), free_port()
    place = Place(str(studio.root), str(studio.root / "config.json"), {})

    def work() -> None:
        def hang() -> None:
            threading.Thread(target=threading.Event().wait).start()
            os.kill(os.getpid(), signal.SIGTERM)

        signal.signal(signal.SIGTERM, lambda *_: None)  # it comes again when the server has ended
        serve(place, Listening(port=port), warn=lambda _: None, ready=hang)
        threading._shutdown()  # type: ignore[attr-defined] # as at the end of every program

    assert in_child(work) == 0
    assert "a request did not end in time" in (studio.root / "logs/ultra_pinnacle.log").read_text()


def _message(moment: datetime) -> Message:
    return Message(
        id="1", level="bad", subject="s", headline="h", advice="a", root="/r", host="h", moment=moment
    )


def test_a_service_tells_systemd_that_it_is_up_and_alive(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        studio.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with serving(tmp_path, studio=studio) as server:
            said = {systemd.recv(1000).decode(), systemd.recv(1000).decode()}
    assert said == {f"READY=1\nSTATUS=serves {server.url}", "WATCHDOG=1"}


def test_a_backup_that_a_person_started_goes_on_without_the_server(tmp_path: Path) -> None:
    """Runs are processes of their own: they end well, and that is recorded."""
    with serving(tmp_path) as server:
        server.request("POST", "/api/v1/backups", json={}).raise_for_status()
        assert server.stop() == 0
        for _ in range(200):
            (run,) = json.loads(server.studio.good("runs", "--json"))["runs"]
            if run["outcome"] != "running":
                break
            time.sleep(0.05)
    assert (run["verb"], run["outcome"]) == ("create", "good")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_other_signals_end_it_too(number: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.process.send_signal(number)
        assert server.process.wait(15) == 0


def test_one_server_a_studio(tmp_path: Path) -> None:
    """In the background, found by the guide's `pkill -f`, refused a second time, ended by its option."""
    studio, port = Studio(tmp_path / "studio"), free_port()

    def start_server(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "start_server.py", "--root", str(studio.root), *words]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    try:
        started = start_server("--daemon", "--port", str(port))
        assert started.returncode == 0, started
        assert f"http://127.0.0.1:{port}/setup#token=" in started.stdout
        found = subprocess.run(
            ["pgrep", "-f", f"python start_server.py --root {studio.root} "], capture_output=True, check=False
        )
        assert len(found.stdout.split()) == 1
        again = studio.run("serve", "--port", str(free_port()))
        assert again.code == 11
        assert f"http://127.0.0.1:{port}" in again.err
        assert httpx.get(f"http://127.0.0.1:{port}/login", trust_env=False).headers["location"] == "/setup"
    finally:
        stopped = start_server("--stop")
    assert "has stopped" in stopped.stdout
    assert studio.good("serve", "--stop") == "No server runs.\n"


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = studio.run("serve", "--port", str(taken.getsockname()[1]))
    assert ended.code == 3
    assert "another program listens there" in ended.err


def test_it_is_small_when_nobody_asks(tmp_path: Path) -> None:
    """Less than 150 MB, also after all pages were shown."""
    with serving(tmp_path) as server:
        with server.client("administrator") as client:
            for route in routes():
                if route.method == "GET" and route.path != "/api/v1/events":
                    client.get(route.address())
        assert _resident(server.process.pid) < 150_000_000


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def test_many_at_once_are_all_answered(tmp_path: Path) -> None:
    """No thread uses what another one has opened."""
    with serving(tmp_path) as server:
        name = json.loads(server.studio.good("create", "--json").splitlines()[-1])["backup"]["name"]
        paths = [
            route.address({"name": name, "number": "1"})
            for route in routes()
            if route.method == "GET" and route.path != "/api/v1/events"
        ]

        def ask(path: str) -> tuple[str, int]:
            return path, server.request("GET", path).status_code

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(ask, paths * 4))
        assert [each for each in answers if each[1] >= 500] == []


class TestEncryption:
    """Connections that are encrypted, and those that have to be."""

    def test_beyond_this_machine_only_encrypted(self, tmp_path: Path) -> None:
        studio = Studio(tmp_path / "studio")
        for host in ("0.0.0.0", "::", "192.0.2.7", "example.org", ""):
            ended = studio.run("serve", "--host", host, "--port", str(free_port()))
            assert ended.code == 3, host
            assert "nothing would be encrypted" in ended.err

    def test_a_self_made_certificate(self, tmp_path: Path) -> None:
        """Clients that know it trust it; it stays the same; the key is its owner's; old protocols get nowhere."""
        with serving(tmp_path, "--tls-self-made", "--allow-host", "backup.example.org") as server:
            file = server.root / ".pinnacle/server.pem"
            assert file.stat().st_mode & 0o777 == 0o600
            trusting = ssl.create_default_context(
                cadata=file.read_text().partition("-----END PRIVATE KEY-----")[2]
            )
            for name in ("localhost", "127.0.0.1", "backup.example.org"):
                shaken = _shake_hands(server.port, trusting, name)
                assert shaken in ("TLSv1.2", "TLSv1.3")
            (mark,) = [line for line in server.said().splitlines() if "SHA-256" in line]
            der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
            assert mark.endswith(hashlib.sha256(der).digest().hex(":").upper())
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises(OSError):
                _shake_hands(server.port, old, "localhost")
            with server.client("viewer") as client:
                answer = client.get("/api/v1/session")
                assert answer.status_code == 200
                assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
                assert list(client.cookies) == ["__Host-pinnacle_session"]
            first = file.read_bytes()
        with serving(tmp_path / "studio", "--tls-self-made", studio=server.studio, accounts=False):
            assert file.read_bytes() == first

    def test_plain_text_at_an_encrypted_port_is_told_the_right_address(self, tmp_path: Path) -> None:
        """Our own, whatever the request says; who goes on sending, or speaks otherwise, is cut off."""
        with serving(tmp_path, "--tls-self-made") as server:
            plain = f"http://127.0.0.1:{server.port}"
            for method in ("GET", "POST"):
                answer = httpx.request(
                    method, f"{plain}/login", headers={"Host": "evil.example"}, trust_env=False
                )
                assert answer.status_code == 400
                assert answer.text.rstrip().endswith(f"write https, as in {server.url}")
                assert "evil" not in answer.text
                assert answer.headers["Connection"] == "close"
            with (
                socket.create_connection(("127.0.0.1", server.port)) as endless,
                pytest.raises(ConnectionError),
            ):
                endless.sendall(b"POST / HTTP/1.1\r\n\r\n" + bytes(100_000_000))
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as other:
                other.sendall(b"EHLO localhost\r\n")
                with suppress(ConnectionError):
                    assert b"HTTP" not in other.recv(1000)
            assert server.request("GET", "/api/v1/session").status_code == 200
        assert "Traceback" not in server.said()

    def test_a_certificate_that_is_none_is_said_in_one_line(self, tmp_path: Path) -> None:
        studio = Studio(tmp_path / "studio")
        for words in (["config.json"], ["missing.pem"], ["config.json", "--tls-key", "missing.pem"]):
            ended = studio.run("serve", "--tls-certificate", *words, "--port", str(free_port()))
            assert ended.code == 3
            assert len(ended.err.splitlines()) <= 2


def _shake_hands(port: int, context: ssl.SSLContext, name: str) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as encrypted,
    ):
        return encrypted.version()


class TestPatience:
    """Slow clients, and too many of them."""

    def test_headers_that_never_end(self, hasty: int) -> None:
        with _connected(hasty) as client:
            client.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\n")
            assert _everything_from(client).startswith(b"HTTP/1.1 408")

    def test_headers_that_come_drop_by_drop(self, hasty: int) -> None:
        """It is the time until they are complete that counts, not the time since the last drop."""
        with _connected(hasty) as client:
            began = time.monotonic()
            with suppress(OSError):
                for _ in range(100):
                    client.sendall(b"X-Drop: x\r\n" if _ else b"GET / HTTP/1.1\r\n")
                    time.sleep(0.1)
            assert time.monotonic() - began < 5

    def test_a_connection_that_says_nothing(self, hasty: int) -> None:
        with _connected(hasty) as client:
            assert _everything_from(client) == b""

    def test_a_body_that_never_ends(self, hasty: int) -> None:
        head = b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with _connected(hasty) as client:
            client.sendall(head + b"Content-Length: 1000\r\n\r\n{")
            assert b"HTTP/1.1 2" not in _everything_from(client)

    def test_an_answer_that_nobody_reads(self, hasty: int) -> None:
        """Requests are sent, and their answers left lying."""
        request = b"GET /static/css/all.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", hasty))
            with pytest.raises(ConnectionError):
                _send_for_ever(client, request * 100)

    def test_too_many_at_once(self, hasty: int) -> None:
        """Whoever is one too many is told so at once; those who are there are served, and later others, too."""
        with ExitStack() as stack:
            first = [stack.enter_context(_connected(hasty)) for _ in range(_MOST)]
            time.sleep(0.2)
            with _connected(hasty) as refused:
                assert _everything_from(refused).startswith(b"HTTP/1.1 503")
            first[0].sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert _everything_from(first[0]).startswith(b"HTTP/1.1 303")
        with _connected(hasty) as client:
            client.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert _everything_from(client).startswith(b"HTTP/1.1 303")

    def test_one_who_thinks_between_requests_is_kept(self, hasty: int) -> None:
        """What was asked before does not shorten the time for the next request."""
        with httpx.Client(base_url=f"http://127.0.0.1:{hasty}", trust_env=False) as client:
            for _ in range(4):
                assert client.get("/login").status_code == 303
                time.sleep(0.4)


_MOST = 20


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that waits for half a second where others wait for a minute."""
    studio, port = Studio(tmp_path_factory.mktemp("hasty") / "studio"), free_port()
    place = Place(str(studio.root), str(studio.root / "config.json"), {})
    patience = Patience(head=0.5, body=0.5, answer=0.5, connections=_MOST)

    def work() -> None:
        def ready() -> None:
            (studio.root / "ready").touch()

        serve(place, Listening(port=port), warn=lambda _: None, ready=ready, patience=patience)

    pid = start_child(work)
    try:
        while not (studio.root / "ready").exists():
            assert os.waitpid(pid, os.WNOHANG) == (0, 0)
            time.sleep(0.02)
        yield port
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        yield client


def _send_for_ever(client: socket.socket, request: bytes) -> None:
    for _ in range(100_000):
        client.sendall(request)


def _everything_from(client: socket.socket) -> bytes:
    """Read until the other side closes, which it has to do by itself."""
    found = b""
    with suppress(ConnectionError):
        while more := client.recv(65536):
            found += more
    return found


class TestUnexpected:
    """A fault of the program: written down once, told in one line, and nothing of it shown to the client."""

    @pytest.fixture
    def said(self) -> list[str]:
        return []

    @pytest.fixture
    def client(self, tmp_path: Path, said: list[str]) -> Callable[..., httpx.Response]:
        studio = Studio(tmp_path / "studio")
        place = Place(str(studio.root), str(studio.root / "config.json"), {})
        app = create_app(Services(place=place, command="a test", warn=said.append))

        def fail() -> None:
            raise ZeroDivisionError(f"password={canary('in an error')}")

        app.get("/api/v1/fault")(fail)
        app.get("/fault")(fail)

        async def ask(path: str, accept: str) -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(path, headers={"Accept": accept})

        def call(path: str, accept: str = "*/*") -> httpx.Response:
            """In a thread of its own: a browser of another test may keep the loop of this one."""
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(lambda: asyncio.run(ask(path, accept))).result()

        return call

    def test_a_program_gets_a_problem(
        self, client: Callable[..., httpx.Response], said: list[str], tmp_path: Path
    ) -> None:
        answer = client("/api/v1/fault")

        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.json()["code"] == "unexpected"
        assert "ZeroDivision" not in answer.text
        (line,) = said
        assert line.startswith("unexpected error: ZeroDivisionError: ")
        assert "c4nary" not in line
        log = (tmp_path / "studio/logs/backup_errors.log").read_text()
        assert log.count("Traceback") == 1
        assert "GET /api/v1/fault" in log

    def test_a_person_gets_a_page(self, client: Callable[..., httpx.Response]) -> None:
        answer = client("/fault", "text/html")

        assert answer.status_code == 500
        assert "<h1" in answer.text
        assert "backup_errors.log" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def test_a_configuration_that_is_wrong_from_the_beginning_is_told_and_forgotten(
        self, client: Callable[..., httpx.Response], said: list[str], tmp_path: Path
    ) -> None:
        """Where there was no good one before, it is told; when it is right again the server goes on."""
        file = tmp_path / "studio/config.json"
        kept = file.read_text()
        file.write_text("{ broken")
        assert client("/api/v1/session").status_code == 422
        file.write_text(kept)
        assert client("/api/v1/session").status_code == 401
        file.write_text("{ broken")
        assert client("/api/v1/session").status_code == 401
        assert said == []
