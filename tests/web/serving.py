"""The real server, in a process of its own, on a small real studio with somebody of every role."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from pinnacle_backup.app.accounts import add_user
from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio as OpenStudio
from pinnacle_backup.app.studio import open_studio
from pinnacle_backup.app.tokens import create_token
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.crypto.password import Argon2Parameters
from pinnacle_backup.model.permissions import ADMINISTRATOR, OPERATOR, VIEWER

from ..studios import Studio

NAMES: Mapping[str, str] = {ADMINISTRATOR: "ada", OPERATOR: "otto", VIEWER: "vera"}
PASSWORD = "seven calm otters paddle home"
_START_SECONDS = 60
_STOP_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Server:
    """
    A server that runs.

    Attributes:
        studio: Whose; ``studio.good("create")`` makes a backup, and so on.
        url: Its address.
        tokens: By role, for ``Authorization: Bearer``.
        process: It.
    """

    studio: Studio
    url: str
    tokens: Mapping[str, str]
    process: subprocess.Popen[bytes]

    @property
    def root(self) -> Path:
        """The studio root."""
        return self.studio.root

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def token(self) -> str:
        """The administrator's."""
        return self.tokens[ADMINISTRATOR]

    def request(
        self, method: str, path: str, *, role: str | None = ADMINISTRATOR, **options: Any
    ) -> httpx.Response:
        """Ask as a program with the token of a role, or as nobody; ``options`` are those of httpx."""
        headers = {**({"Authorization": f"Bearer {self.tokens[role]}"} if role else {})}
        headers |= options.pop("headers", None) or {}
        with self.client() as client:
            return client.request(method, path, headers=headers, **options)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Ask, insist on success, and return the answer's value."""
        answer = self.request(method, path, **options)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json()

    @contextmanager
    def client(self, role: str | None = None) -> Iterator[httpx.Client]:
        """Give a client with this server's address; with a role, it is logged in as a browser is."""
        with httpx.Client(base_url=self.url, timeout=60, verify=False, trust_env=False) as client:
            if role:
                client.headers["Origin"] = self.url
                client.post("/api/v1/session", json=_credentials(role)).raise_for_status()
            yield client

    def login(self, page: Page, role: str = ADMINISTRATOR) -> None:
        """Log a browser in, without its page for that."""
        headers = {"Origin": self.url}
        answer = page.request.post(f"{self.url}/api/v1/session", data=_credentials(role), headers=headers)
        assert answer.ok, answer.text()

    def wait_for(self, run: int, *, role: str = ADMINISTRATOR, seconds: float = 60) -> dict[str, Any]:
        """Wait until a run has ended, and return it."""
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.json("GET", f"/api/v1/runs/{run}", role=role)["run"]
            if found["outcome"] != "running":
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def said(self) -> str:
        """Return what it printed, errors too."""
        return (self.root.parent / "server.out").read_text()

    def stop(self) -> int:
        """End it as the system does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def serving(
    folder: Path, *words: str, studio: Studio | None = None, accounts: bool = True
) -> Iterator[Server]:
    """
    Serve a studio for the time of the block.

    Args:
        folder: For the studio, and for what the server prints; exists.
        words: Further options of ``serve``.
        studio: Serve this one; by default a new one is made.
        accounts: Whether somebody of every role is there already; else it is the first start.
    """
    studio = studio or Studio(folder / "studio")
    tokens = populate(studio) if accounts else {}
    port = free_port()
    secure = any(word.startswith("--tls") for word in words)
    command = studio.command("serve", "--port", str(port), *words)
    with (studio.root.parent / "server.out").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=studio.root, env=studio.env(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    url = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
    server = Server(studio=studio, url=url, tokens=tokens, process=process)
    try:
        _await(server)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def opened(studio: Studio) -> Iterator[OpenStudio]:
    """Open the studio in this process, for the use-cases in ``app``."""
    environ = {**os.environ, **studio.environ}
    place = Place(str(studio.root), str(studio.root / "config.json"), environ, may_lack=True)
    found = open_studio(place, command="a test", warn=lambda _: None)
    try:
        yield found
    finally:
        found.state.close()
        found.logs.close()


def populate(studio: Studio) -> dict[str, str]:
    """Add somebody of every role with a token, and return the tokens; the hashes are cheap ones."""
    hasher = LoginPasswords(Argon2Parameters(memory_kib=1024, passes=1, lanes=1))
    with opened(studio) as found:
        by, tokens = actor_of(found), {}
        for role, name in NAMES.items():
            user = add_user(found, hasher, name, role, Secret(PASSWORD), by=by)
            tokens[role], _ = create_token(found, name="tests", role=role, days=1, owner=user, by=by)
        return tokens


def _credentials(role: str) -> dict[str, str]:
    return {"name": NAMES[role], "password": PASSWORD}


def _await(server: Server) -> None:
    """Wait until it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert server.process.poll() is None, server.said()
        assert time.monotonic() < deadline, server.said()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
