"""
The gallery: every building block of the pages with realistic content, served on loopback under the real policy.

``python -m tests.web.gallery`` serves it; ``python -m tests.web.gallery FOLDER`` writes screenshots instead.
"""

from __future__ import annotations

import json
import mimetypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from pinnacle_backup import web
from pinnacle_backup.web.rendering import environment
from pinnacle_backup.web.static_files import packaged

from . import content

STATIC = Path(web.__file__).parent / "static"
PAGES = Path(__file__).parent / "pages"
NAMES = tuple(sorted(page.stem for page in PAGES.glob("*.html")))
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PROBLEM = {
    "type": "about:blank",
    "title": "The backup cannot be made like this",
    "status": 422,
    "detail": "Two things are not right.",
    "hint": "Correct them and try again.",
    "errors": [
        {"field": "name", "message": "A name holds letters, digits, dots and dashes only."},
        {"field": "elsewhere", "message": "is not known"},
    ],
}


def templates() -> Environment:
    env = environment()
    assert env.loader is not None
    env.loader = ChoiceLoader([FileSystemLoader([PAGES, PAGES.parent / "parts"]), env.loader])
    return env


def render(name: str, env: Environment | None = None) -> str:
    return (env or templates()).get_template(f"{name}.html").render(content.everything())


class Handler(BaseHTTPRequestHandler):
    """Answers pages, static files, and an API that knows enough to try the scripts."""

    protocol_version = "HTTP/1.1"

    server: Gallery

    def do_GET(self) -> None:
        path = self.path.split("?")[0].strip("/")
        if path == "api/v1/events":
            self._events()
        elif path.startswith("static/"):
            content = packaged().files.get(path.removeprefix("static/"))
            self._answer(404 if content is None else 200, content or b"", _type(path))
        elif (path or "dashboard") in NAMES:
            page = render(path or "dashboard", self.server.templates)
            self._answer(200, page.encode(), "text/html; charset=utf-8")
        else:
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        self.server.received.append((self.path, body))
        time.sleep(0.2)
        failed = self.path.endswith("/fail")
        answer = json.dumps(PROBLEM if failed else {"href": "/run"}).encode()
        kind = "application/problem+json" if failed else "application/json"
        self._answer(422 if failed else 202, answer, kind)

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for event, data in self.server.events:
            self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()
        while not self.server.stopping:
            time.sleep(0.05)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "max-age=3600" if self.path.startswith("/static/") else "no-store")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the page was left
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Gallery(ThreadingHTTPServer):
    """The server; what was sent to its API is in ``received``, ``events`` are told to all who listen."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.templates = templates()
        self.received: list[tuple[str, Any]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.policy = POLICY
        self.stopping = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[Gallery]:
    gallery = Gallery()
    thread = Thread(target=gallery.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield gallery
    finally:
        gallery.stopping = True
        gallery.shutdown()
        thread.join()
        gallery.server_close()


def _type(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def screenshots(folder: Path, names: tuple[str, ...]) -> None:
    """Write every page in phone, tablet and desktop width, light and dark."""
    from .browser import SIZES, chromium

    folder.mkdir(parents=True, exist_ok=True)
    with serving() as gallery, chromium() as browser:
        for scheme in ("light", "dark"):
            for width in SIZES:
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                for name in names:
                    page.goto(f"{gallery.url}/{name}", wait_until="load")
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.close()


if __name__ == "__main__":
    if sys.argv[1:]:
        screenshots(Path(sys.argv[1]), tuple(sys.argv[2:]) or NAMES)
    else:
        with serving() as running:
            print(running.url, *NAMES)
            while True:
                time.sleep(1)
