"""What attackers do to a server like this, done to the real one."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.place import Place
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.model.runs import Origin
from pinnacle_backup.state.runs import Ending
from pinnacle_backup.store.processes import this_process
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.services import Services

from ..canaries import FORMS, PREFIX, canary
from ..studios import Studio
from .browser import watched
from .routes import description, routes
from .serving import NAMES, PASSWORD, Server, opened, populate, serving

ALL = routes()
DESCRIPTION = description()
OURS = {"Origin": "http://localhost"}
ENDLESS = "/api/v1/events"
OUTSIDE = "what lies outside of the studio"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "'\"><script>alert(1)<",
    "{{ 7*7 }}${7*7}",
    "javascript:alert(1)",
    "line\nbreak\r\nX-Injected: yes",
    "\x1b[31mred\u202etxt.exe",
)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose studio has hostile names and secrets everywhere, and two backups."""
    folder = tmp_path_factory.mktemp("attacks")
    studio = Studio(folder / "studio")
    (folder / "outside.txt").write_text(OUTSIDE)
    for name in HOSTILE:
        (studio.root / "uploads" / name).write_text("x")
    (studio.root / "uploads" / os.fsdecode(b"\xff\xfe.html")).write_bytes(b"<script>alert(1)</script>")
    sections = json.loads((studio.root / "config.json").read_text())
    sections["notifications"] = {
        "smtp": {"server": "127.0.0.1", "port": 9, "password": canary("smtp")},
        "urls": [f"json://127.0.0.1:9/{canary('webhook')}"],
        "ping_url": f"http://127.0.0.1:9/{canary('ping')}",
    }
    sections["backup"]["encryption"] = {"key": canary("encryption")}
    (studio.root / "config.json").write_text(json.dumps(sections))
    studio.good("create", "--no-encrypt")
    studio.change()
    studio.good("create", "--no-encrypt", "--type", "incremental")
    with serving(folder, studio=studio) as running:
        _write_hostile_record(running)
        yield running
        assert "Traceback" not in running.said()


def _write_hostile_record(server: Server) -> None:
    """Let hostile words stand in the record of runs and in the audit trail, as names get there."""
    with opened(server.studio) as studio:
        for words in HOSTILE:
            number = studio.runs.begin("create", words, Origin(user=words), studio.now(), this_process())
            studio.runs.add_line(number, studio.now(), "WARNING", words)
            ending = Ending(
                outcome="failed", exit_code=2, message=words, hint=words, ended=studio.iso_now(), seconds=1
            )
            studio.runs.end(number, ending)
            audit(studio, actor_of(studio), "restore", words, words)


class Held(LoginPasswords):
    """Computes only when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self._hasher = self  # type: ignore[assignment]
        self._passwords = PasswordHasher()

    def verify(self, kept: str, password: bytes) -> bool:
        self.go_on.wait()
        return self._passwords.verify(kept, password)

    def check_needs_rehash(self, kept: str) -> bool:
        return False


class TestGuessing:
    """Passwords that are tried out."""

    def test_it_gets_slow_and_tells_nothing(self, tmp_path: Path) -> None:
        """Who is there and who is not cannot be told apart; made-up addresses do not help."""
        with serving(tmp_path) as server, server.client() as client:

            def guess(name: str, number: int) -> httpx.Response:
                made_up = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
                body = {"name": name, "password": f"guess {number}"}
                return client.post("/api/v1/session", json=body, headers=made_up)

            known = [guess("ada", number) for number in range(12)]
            assert known[0].status_code == 401
            assert known[-1].status_code == 429
            assert int(known[-1].headers["Retry-After"]) >= 1
            other = guess("nobody", 100)
            assert other.status_code == 429  # the address is what has to wait
            told = known[0].json()
            assert told["detail"] == "wrong name, password or code"
            answer = client.post("/api/v1/session", json={"name": "ada", "password": PASSWORD})
            assert answer.status_code == 429
            assert "set-cookie" not in answer.headers
            assert "198.51.100" not in json.dumps(server.json("GET", "/api/v1/audit"))

    def test_of_a_flood_from_everywhere_few_wait(self, tmp_path: Path) -> None:
        """The others come again, so threads are left: whoever has a session waits for none of them."""
        studio, strangers = Studio(tmp_path / "studio"), Held()
        populate(studio)
        place = Place(str(studio.root), str(studio.root / "config.json"), {})
        app = create_app(Services(place=place, command="a test", warn=print, strangers=strangers))

        def client(address: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(address, 1))
            return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=OURS)

        async def log_in(number: int) -> httpx.Response:
            async with client(f"127.0.1.{number}") as stranger:
                body = {"name": f"user{number}", "password": "guess"}
                return await stranger.post("/api/v1/session", json=body)

        async def flood() -> list[httpx.Response]:
            async with client("127.0.0.1") as ada:
                body = {"name": "ada", "password": PASSWORD}
                (await ada.post("/api/v1/session", json=body)).raise_for_status()
                strangers.go_on.clear()
                asked = [asyncio.create_task(log_in(number)) for number in range(60)]
                try:
                    refused = [await each for each in itertools.islice(asyncio.as_completed(asked), 50)]
                    assert (await ada.get("/api/v1/session")).json()["role"] == "administrator"
                    totp = await ada.post("/api/v1/me/totp", json={"own_password": PASSWORD})
                    totp.raise_for_status()
                finally:
                    strangers.go_on.set()
                await asyncio.wait(asked)
                assert [each.result().status_code for each in asked].count(401) == 10
                return refused

        with ThreadPoolExecutor(1) as thread:  # a browser of another test may keep the loop of this one
            refused = thread.submit(lambda: asyncio.run(flood())).result()
        assert {each.status_code for each in refused} == {429}
        assert {each.headers["retry-after"] for each in refused} == {"10"}
        assert {each.json()["title"] for each in refused} == {"Too many attempts"}

    def test_unknown_names_are_answered_alike(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server:
            answers = []
            for name in ("ada", "nobody", "no such\x00name", "' OR 1=1 --"):
                body = {"name": name, "password": "wrong"}
                answers.append(server.request("POST", "/api/v1/session", json=body, role=None))
                server.studio.good("user", "list")
        first = answers[0]
        for other in answers[1:]:
            if other.status_code == 401:
                assert (other.text, sorted(other.headers)) == (first.text, sorted(first.headers))
        assert [each.status_code for each in answers[:2]] == [401, 401]

    def test_a_setup_token_is_not_guessed(self, tmp_path: Path) -> None:
        """The first administrator is made by whoever reads the terminal, once."""
        with serving(tmp_path, accounts=False) as server, server.client() as client:
            body = {"token": "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa", "name": "eve", "password": PASSWORD}
            codes = [client.post("/api/v1/setup", json=body).status_code for _ in range(8)]
            assert set(codes) <= {401, 422, 429}
            assert codes[-1] == 429
            assert "eve" not in server.studio.good("user", "list")


class TestForgedRequests:
    """Requests that other pages make with the cookies of whoever looks at them."""

    FOREIGN = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": "https://evil.example/"},
        {},
    )

    def test_only_pages_of_ours_change_anything(self, target: Server) -> None:
        with target.client("administrator") as client:
            own = {"Origin": client.headers.pop("Origin")}
            for headers in self.FOREIGN:
                for route in ALL:
                    if route.method not in ("GET", "HEAD"):
                        answer = client.request(route.method, route.address(), headers=headers, json={})
                        assert answer.status_code == 403, (route, headers)
            assert client.get("/api/v1/session").status_code == 200
            assert client.post("/api/v1/schedule/resume", headers=own).status_code == 200
            same = {"Sec-Fetch-Site": "same-origin"}
            assert client.post("/api/v1/schedule/resume", headers=same).status_code == 200

    def test_no_form_is_taken_for_json(self, target: Server) -> None:
        """A form cannot say that it is JSON."""
        body = b'{"name": "ada", "password": "' + PASSWORD.encode() + b'"}'
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
        ):
            headers = {"Content-Type": kind} if kind else {}
            answer = target.request("POST", "/api/v1/session", role=None, content=body, headers=headers)
            assert answer.status_code == 422, kind

    def test_methods_cannot_be_dressed_up(self, target: Server) -> None:
        """What is sent as GET is a GET, whatever it says of itself."""
        name = target.studio.latest()
        for headers in ({"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "DELETE"}):
            target.request("GET", f"/api/v1/backups/{name}?_method=DELETE", headers=headers)
        for method in ("TRACE", "OPTIONS", "PATCH", "PROPFIND", "HEAD"):
            answer = target.request(method, "/api/v1/backups", headers={"Origin": "https://evil.example"})
            assert answer.status_code in (403, 405)
            assert not [name for name in answer.headers if name.startswith("access-control")]
        assert name in target.studio.listed()

    def test_a_page_on_another_port(self, target: Server, browser: Browser) -> None:
        """In a real browser, where the cookie is sent along: the same host is the same site."""
        with watched(browser) as seen, _website(_EVIL.replace("TARGET", target.url)) as evil:
            target.login(seen.page)
            before = target.json("GET", "/api/v1/runs")
            seen.page.goto(evil)
            seen.page.wait_for_function("window.results && window.results.length == 5")
            assert seen.page.evaluate("window.results") == ["refused"] * 5
            assert [
                frame.url for frame in seen.page.frames if "login" in frame.url or frame.url == target.url
            ] == []
            with seen.page.expect_navigation():
                seen.page.evaluate("document.forms[0].submit()")
            assert "another page" in seen.page.content()
            assert seen.page.request.get(f"{target.url}/api/v1/session").ok
            assert target.json("GET", "/api/v1/runs") == before


_EVIL = """<!doctype html><form method="post" action="TARGET/logout"></form>
<iframe src="TARGET/login"></iframe><script>
const asks = [
  fetch("TARGET/api/v1/backups", {credentials: "include"}).then(r => r.text()),
  fetch("TARGET/api/v1/backups", {method: "POST", mode: "cors", credentials: "include", body: "{}"}).then(r => r.text()),
  fetch("TARGET/api/v1/session", {method: "DELETE", credentials: "include"}).then(r => r.text()),
  fetch("TARGET/logout", {method: "POST", mode: "no-cors", credentials: "include"}).then(r => { if (r.type == "opaque") throw 0; }),
  new Promise((good, bad) => { const s = document.createElement("script"); s.src = "TARGET/static/js/all.js";
    s.onload = good; s.onerror = bad; document.head.append(s); }),
];
Promise.allSettled(asks).then(all => { window.results = all.map(r => r.status == "rejected" ? "refused" : "let in"); });
</script>"""


@contextmanager
def _website(content: str) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class TestNames:
    """By which name the server is asked for: another one may be an attacker's that leads here (DNS rebinding)."""

    def test_other_names_are_refused(self, target: Server) -> None:
        port = target.port
        bad = ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example")
        for host in (*bad, "localhost@evil.example", "xlocalhost", "127.0.0.1x", "[::1", ""):
            answer = target.request("GET", "/api/v1/backups", headers={"Host": host})
            assert answer.status_code in (400, 421), host
            assert "backup_" not in answer.text
        for host in (f"localhost:{port}", "LOCALHOST", "127.0.0.1", f"[::1]:{port}"):
            assert target.request("GET", "/api/v1/backups", headers={"Host": host}).status_code == 200

    def test_a_request_without_a_name_or_with_two(self, target: Server) -> None:
        for head in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
            assert _raw(target, b"GET /login HTTP/1.1\r\n" + head + b"\r\n").startswith(b"HTTP/1.1 400")
        answer = _raw(
            target, b"GET http://evil.example/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert b"evil.example" not in answer


def _raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        found = b""
        while more := client.recv(65536):
            found += more
        return found


class TestPaths:
    """Names that lead out of where they should lead."""

    CORPUS = (
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252f%252e%252e%252foutside.txt",
        "..%5c..%5c..%5coutside.txt",
        "..%2foutside.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "file%3a%2f%2f%2fetc%2fpasswd",
        "uploads%2f..%2f..%2foutside.txt",
        "latest%00.tar.gz",
        "%00",
        "%ff%fe",
        "~root",
        "-rf",
        "--decrypt",
        "%0d%0aX-Injected:%20yes",
        "%0aX-Injected:%20yes",
        "a" * 5000,
        "9" * 40,
        "-1",
        "0",
        "1e9",
        "%F0%9F%92%BE",
        "*",
        "' OR 1=1 --",
    )

    def test_in_every_place_of_every_address(self, target: Server) -> None:
        """Nothing from outside comes, no header is added, and nothing breaks."""
        with target.client("administrator") as client:
            for path, methods in DESCRIPTION["paths"].items():
                for method, operation in methods.items():
                    if path != ENDLESS and method in ("get", "delete"):
                        for address in self._addresses(path, operation):
                            self._check(client, method, address)

    def test_in_pages(self, target: Server) -> None:
        with target.client("administrator") as client:
            for route in ALL:
                if route.method == "GET" and not route.described:
                    if "{" in route.path:
                        for bad in self.CORPUS:
                            names = dict.fromkeys(("name", "number", "id", "key", "report"), bad)
                            self._check(client, "GET", route.address(names))
                    for name in route.queries:
                        for bad in self.CORPUS[:14]:
                            address = route.address({"name": "latest", "number": "1"})
                            self._check(client, "GET", f"{address}?{name}={bad}")

    def test_in_static_files(self, target: Server) -> None:
        with target.client() as client:
            for bad in self.CORPUS:
                self._check(client, "GET", f"/static/{bad}")
                self._check(client, "GET", f"/static/css/{bad}")

    def _addresses(self, path: str, operation: dict[str, Any]) -> Iterator[str]:
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            for bad in self.CORPUS:
                if parameter["in"] == "path":
                    yield path.replace(f"{{{name}}}", bad)
                else:
                    yield f"{path.replace('{name}', 'latest').replace('{number}', '1')}?{name}={bad}"

    def _check(self, client: httpx.Client, method: str, address: str) -> None:
        answer = client.request(method, address)
        assert answer.status_code < 500 or answer.json().get("status") == "critical", address
        assert "root:x:0" not in answer.text, address
        assert OUTSIDE not in answer.text, address
        assert "x-injected" not in answer.headers, address

    def test_what_is_downloaded_runs_nowhere(self, target: Server) -> None:
        """Files are attachments of no type, whatever they are called; their names add no header."""
        for name in (*map(os.fsencode, HOSTILE), b"\xff\xfe.html"):
            path = quote(b"uploads/" + name, safe="")
            answer = target.request("GET", f"/api/v1/backups/latest/content?path={path}")
            assert answer.status_code == 200, (name, answer.text)
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "x-injected" not in answer.headers


class TestPages:
    """Names, words and addresses that would be scripts."""

    def test_nothing_that_is_shown_runs(self, target: Server, browser: Browser) -> None:
        names = list(target.studio.listed())
        values = {"name": names[0], "id": "1", "key": "backup", "path": "uploads"}
        numbers = [run["id"] for run in target.json("GET", "/api/v1/runs")["runs"]]
        paths = [
            route.address({**values, "number": str(number)})
            for route in ALL
            if route.method == "GET" and not route.described and route.path not in ("/login", "/logout")
            for number in (numbers if "{number}" in route.path else numbers[:1])
        ]
        paths += [f"/backups/{names[0]}/browse?path=uploads", "/audit", "/runs"]
        for words in HOSTILE:
            reflected = quote(words, safe="")
            paths += [f"/search?q={reflected}", f"/login?next={reflected}", f"/runs?outcome={reflected}"]
            paths += [f"/{reflected}", f"/backups/{reflected}"]
        dialogs: list[str] = []
        with watched(browser) as seen:
            seen.page.on("dialog", lambda dialog: (dialogs.append(seen.page.url), dialog.dismiss()))
            target.login(seen.page)
            for path in paths:
                seen.page.goto(target.url + path)
                assert seen.page.locator("script:not([src])").count() == 0, path
                assert seen.page.locator("[onerror], [onload], [onclick]").count() == 0, path
                assert seen.page.locator("a[href^='javascript:']").count() == 0, path
                assert "49${" not in seen.page.content(), path
        assert dialogs == []
        assert [line for line in seen.complaints if "violation" in line or "Trusted" in line] == []

    def test_nobody_is_led_elsewhere(self, target: Server, browser: Browser) -> None:
        """After the login one is where one was, and never at another server."""
        for bad in (
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "/%09/evil.example",
        ):
            with watched(browser) as seen:
                seen.page.goto(f"{target.url}/login?next={bad}")
                seen.page.get_by_label("Name").fill("ada")
                seen.page.get_by_label("Password").fill(PASSWORD)
                seen.page.locator("form button[type=submit]").click()
                seen.page.wait_for_url(lambda url: "/login" not in url)
                assert seen.page.url.startswith(target.url + "/"), bad


class TestSize:
    """Requests that are too much."""

    def test_bodies(self, target: Server) -> None:
        large = b'{"name": "' + b"x" * 2_000_000 + b'"}'
        kind = {"Content-Type": "application/json"}
        for content in (large, iter([large[:1_000_000], large[1_000_000:]])):
            with target.client() as client:
                try:
                    answer = client.post("/api/v1/session", content=content, headers=kind)
                    assert answer.status_code == 413
                except httpx.WriteError:
                    pass  # it did not want to hear the rest

    def test_json_that_is_none(self, target: Server) -> None:
        deep = 200_000
        bodies = (
            b"[" * deep,
            b"[" * deep + b"]" * deep,
            b'{"a":' * deep + b"1" + b"}" * deep,
            b'{"name": ' + b"9" * 5000 + b"}",
            b'{"name": NaN, "password": Infinity}',
            b'{"name": "\\ud800", "password": "\\udfff"}',
            b'{"\\ud800": 1, "name": 1}',
            b'{"name": "\xff\xfe"}',
            b"",
            b"null",
            b"\x00",
        )
        for body in bodies:
            for path in ("/api/v1/session", "/api/v1/backups", "/api/v1/settings/check"):
                answer = target.request(
                    "POST", path, content=body, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code < 500, (body[:40], path)
                assert "error" in answer.text or answer.status_code >= 400, (body[:40], path)

    def test_heads(self, target: Server) -> None:
        end = b"Host: localhost\r\nConnection: close\r\n\r\n"
        requests = (
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + end,
            b"GET /login HTTP/1.1\r\nX-Long: " + b"a" * 100_000 + b"\r\n" + end,
            b"GET /login HTTP/1.1\r\n"
            + b"".join(b"X-" + str(n).encode() + b": a\r\n" for n in range(10_000))
            + end,
            b"GET /login HTTP/1.1\r\nCookie: " + b"a=b; " * 20_000 + b"\r\n" + end,
            b"GET /login HTTP/9.9\r\n" + end,
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"GET /login\r\n\r\n",
            b"POST /api/v1/session HTTP/1.1\r\nContent-Length: -1\r\n" + end,
            b"POST /api/v1/session HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
            + end
            + b"0\r\n\r\n",
            b"GET /login HTTP/1.1\r\nX Bad : a\r\n" + end,
        )
        for request in requests:
            try:
                answer = _raw(target, request)
            except ConnectionError:
                continue
            assert answer.startswith((b"HTTP/1.1 4", b"")), request[:60]
            assert b" 200 " not in answer[:20], request[:60]
        assert target.request("GET", "/api/v1/session").status_code == 200

    def test_many_connections(self, target: Server) -> None:
        """Three hundred that say nothing do not keep the next one waiting; all at once are all answered."""
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=10))
            began = time.monotonic()
            assert target.request("GET", "/api/v1/session").status_code == 200
            assert time.monotonic() - began < 10
        with ThreadPoolExecutor(50) as pool:
            codes = set(pool.map(lambda _: target.request("GET", "/api/v1/session").status_code, range(300)))
        assert codes <= {200, 503}

    def test_many_logins_take_no_memory_away(self, tmp_path: Path) -> None:
        """Each password takes 64 MiB to check, but only a few are checked at the same time."""
        with serving(tmp_path) as server:

            def guess(number: int) -> int:
                body = {"name": f"user{number}", "password": "wrong"}
                return server.request("POST", "/api/v1/session", role=None, json=body).status_code

            with ThreadPoolExecutor(40) as pool:
                assert set(pool.map(guess, range(40))) <= {401, 429}
            lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
            assert peak < 500_000


class TestSecrets:
    """Passwords, keys and tokens stay where they are."""

    def test_no_answer_holds_one(self, target: Server) -> None:
        name = target.studio.latest()
        with target.client("administrator") as client:
            for route in ALL:
                if (
                    route.method == "GET"
                    and route.path != ENDLESS
                    and not route.path.endswith(("/content", "/download"))
                ):
                    answer = client.get(route.address({"name": name, "number": "1", "key": "notifications"}))
                    self._clean(answer)
            for path, body in (
                ("/api/v1/notifications/test", {}),
                ("/api/v1/settings/check", {"notifications.smtp.password": canary("typed")}),
                ("/api/v1/backups", {"type": "none", "password": canary("typed")}),
                (
                    "/api/v1/session",
                    {"name": canary("typed as name"), "password": canary("typed"), "code": []},
                ),
                (f"/api/v1/backups/{name}/unlock", {"password": canary("typed")}),
            ):
                self._clean(client.post(path, json=body))
        for role, token in target.tokens.items():
            assert token not in json.dumps(target.json("GET", "/api/v1/tokens", role=role))

    def test_no_process_shows_one(self, target: Server) -> None:
        """Whoever lists processes while a backup is encrypted sees no password."""
        seen: list[bytes] = []
        run = target.json("POST", "/api/v1/backups", json={"password": canary("of a backup")})["run"]
        while target.json("GET", f"/api/v1/runs/{run}")["run"]["outcome"] == "running":
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if str(target.root).encode() in (words := (process / "cmdline").read_bytes()):
                        seen += [words, (process / "environ").read_bytes()]
                except OSError:
                    continue
        assert target.json("GET", f"/api/v1/runs/{run}")["run"]["outcome"] == "good"
        assert seen
        assert not [words for words in seen if PREFIX.encode() in words]

    def test_no_log_holds_one(self, target: Server) -> None:
        for path in (target.root / "logs").iterdir():
            assert not [form for form in FORMS if form in path.read_bytes()], path

    def _clean(self, answer: httpx.Response) -> None:
        for form in FORMS:
            assert form not in answer.content, answer.url


class TestAnswers:
    """What every answer says to browsers."""

    def test_headers(self, target: Server) -> None:
        """All of them on every answer, the refusals too; and nothing that is private is kept anywhere."""
        asked = [("GET", route.address()) for route in ALL if route.method == "GET" and route.path != ENDLESS]
        asked += [
            ("GET", "/nothing"),
            ("POST", "/runs"),
            ("GET", "/static/nothing"),
            ("PUT", "/api/v1/nothing"),
        ]
        for method, address in asked:
            for role in ("administrator", None):
                answer = target.request(method, address, role=role)
                headers = answer.headers
                assert "default-src 'none'" in headers["Content-Security-Policy"], address
                assert "unsafe" not in headers["Content-Security-Policy"]
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["X-Frame-Options"] == "DENY"
                assert "server" not in headers
                if not address.startswith("/static/"):
                    assert headers["Cache-Control"] == "no-store", address

    def test_the_cookie(self, target: Server) -> None:
        """No script reads it, no other site sends it, and a login never goes on with a session from before."""
        with target.client() as client:
            given = {"name": NAMES["viewer"], "password": PASSWORD}
            planted = {"Cookie": "pinnacle_session=planted-by-somebody", "Origin": target.url}
            answer = client.post("/api/v1/session", json=given, headers=planted)
        flags = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= flags
        assert not [flag for flag in flags if flag.startswith("domain")]
        assert "planted" not in answer.headers["Set-Cookie"]
        assert answer.json() == {"name": "vera"}


class TestTrail:
    """What was done stands in the audit trail, by whom and from where."""

    def test_login_restore_and_delete(self, tmp_path: Path) -> None:
        with serving(tmp_path) as server:
            server.studio.good("create")
            first = server.studio.latest()
            server.studio.change()
            server.studio.good("create")
            with server.client("administrator") as client:
                client.post("/api/v1/session", json={"name": "ada", "password": "wrong"})
                order = {"backup": first, "confirmation": first}
                run = client.post("/api/v1/restores", json=order).json()["run"]
                assert server.wait_for(run)["outcome"] == "good"
                gone = client.request("DELETE", f"/api/v1/backups/{first}", json={"confirm": first})
                assert gone.status_code == 200, gone.text
                events = client.get("/api/v1/audit").json()["events"]
        found = {(event["action"], event["outcome"]) for event in events if "server:ada" in event["who"]}
        assert {("login", "good"), ("delete", "good"), ("restore", "good")} <= found
        failed = [event for event in events if (event["action"], event["outcome"]) == ("login", "failed")]
        assert failed
        assert {event["address"] for event in failed} == {"127.0.0.1"}
        assert server.studio.run("audit", "check").code == 0
