"""
What stands in for Google Cloud Storage: its XML API as Google documents it, as far as obstore uses it.

It is made from the documentation and is no proof of what the service does; no emulator that can be installed
speaks this API with its conditions and uploads in parts.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from .mail_servers import HOST

PAGE = 20
"""How many names a page of a listing has: few, so that tests meet more than one."""


class Stored(NamedTuple):
    """An object, with what was told of it."""

    data: bytes
    generation: int
    modified: float
    etag: str
    metadata: dict[str, str]


class Upload(NamedTuple):
    """An unfinished upload in parts."""

    key: str
    parts: dict[int, bytes]
    metadata: dict[str, str]


class GcsServer(ThreadingHTTPServer):
    """
    A server with buckets in memory.

    Attributes:
        buckets: Names and objects.
        uploads: What is unfinished.
        asked: Method and path of each request.
        spoil: Called with each request; what it returns is answered instead, unless it is 0. A 1 stands for an
            answer that breaks off in its middle, a 2 for one that is lost after the request was carried out.
        heeds_conditions: Whether it looks before it stores, as it is told to.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.uploads: dict[str, Upload] = {}
        self.asked: list[tuple[str, str]] = []
        self.spoil: Callable[[str, str], int] = lambda method, path: 0
        self.lock = threading.Lock()
        self.heeds_conditions = True
        self.generation = int(time.time() * 1e6)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are no matter."""

    def store(self, bucket: str, key: str, data: bytes, etag: str, metadata: dict[str, str]) -> Stored:
        """Store an object."""
        self.generation += 1
        stored = Stored(data, self.generation, time.time(), f'"{etag}"', metadata)
        self.buckets[bucket][key] = stored
        return stored


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GcsServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, key = parts.path.lstrip("/").partition("/")
        self.bucket, self.key = unquote(bucket), unquote(key)
        self.server.asked.append((self.command, self.path))
        self.fault = self.server.spoil(self.command, self.path)
        if self.fault > 2:
            return self.refuse(self.fault, "Spoilt")
        with self.server.lock:
            if self.bucket not in self.server.buckets:
                return self.refuse(404, "NoSuchBucket")
            return getattr(self, f"on_{self.command.lower()}")(self.server.buckets[self.bucket])

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

    def on_get(self, objects: dict[str, Stored]) -> None:
        if not self.key:
            return self.listing(objects)
        found = objects.get(self.key)
        if found is None:
            return self.refuse(404, "NoSuchKey")
        if self.headers.get("If-Match", found.etag) != found.etag:
            return self.refuse(412, "PreconditionFailed")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        about = self.about(found)
        if wanted is None:
            return self.answer(200, found.data, about)
        start, size = int(wanted[1]), len(found.data)
        end = min(int(wanted[2] or size - 1), size - 1)
        if start > end:
            return self.refuse(416, "InvalidRange")
        about["Content-Range"] = f"bytes {start}-{end}/{size}"
        return self.answer(206, found.data[start : end + 1], about)

    on_head = on_get

    def on_put(self, objects: dict[str, Stored]) -> None:
        etag = hashlib.md5(self.body).hexdigest()
        if "uploadId" in self.query:
            self.server.uploads[self.query["uploadId"]].parts[int(self.query["partNumber"])] = self.body
            return self.answer(200, b"", {"ETag": f'"{etag}"'})
        there = objects[self.key].generation if self.key in objects else 0
        wanted = int(self.headers.get("x-goog-if-generation-match", there))
        if wanted != there and self.server.heeds_conditions:
            return self.refuse(412, "PreconditionFailed")
        return self.answer(200, b"", self.about(self.put(self.body, etag, self.metadata())))

    def on_post(self, objects: dict[str, Stored]) -> None:
        if "uploads" in self.query:
            name = hashlib.sha256(self.path.encode() + str(time.time()).encode()).hexdigest()[:16]
            self.server.uploads[name] = Upload(self.key, {}, self.metadata())
            return self.answer(200, _xml("InitiateMultipartUploadResult", UploadId=name))
        upload = self.server.uploads.pop(self.query["uploadId"], None)
        if upload is None:
            return self.refuse(404, "NoSuchUpload")
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", self.body)]
        etag = f"{hashlib.md5(self.query['uploadId'].encode()).hexdigest()}-{len(numbers)}"
        stored = self.put(b"".join(upload.parts[number] for number in numbers), etag, upload.metadata)
        return self.answer(200, _xml("CompleteMultipartUploadResult", ETag=stored.etag), self.about(stored))

    def on_delete(self, objects: dict[str, Stored]) -> None:
        if "uploadId" in self.query:
            self.server.uploads.pop(self.query["uploadId"], None)
            return self.answer(204, b"")
        if objects.pop(self.key, None) is None:
            return self.refuse(404, "NoSuchKey")
        return self.answer(204, b"")

    def put(self, data: bytes, etag: str, metadata: dict[str, str]) -> Stored:
        return self.server.store(self.bucket, self.key, data, etag, metadata)

    def metadata(self) -> dict[str, str]:
        names = [name for name in self.headers if name.lower().startswith("x-goog-meta-")]
        return {name.lower(): self.headers[name] for name in names}

    def about(self, found: Stored) -> dict[str, str]:
        told = {"ETag": found.etag, "x-goog-generation": str(found.generation)}
        return told | {"Last-Modified": formatdate(found.modified, usegmt=True)} | found.metadata

    def listing(self, objects: dict[str, Stored]) -> None:
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
        below = {key[: key.index("/", len(prefix)) + 1] for key in keys if "/" in key[len(prefix) :]}
        keys = [key for key in keys if "/" not in key[len(prefix) :]]
        page, more = keys[:PAGE], len(keys) > PAGE
        text = "".join(self.entry(key, objects[key]) for key in page)
        text += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in below)
        if more:
            text += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        whole = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{text}</ListBucketResult>"
        self.answer(200, whole.encode())

    def entry(self, key: str, stored: Stored) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stored.modified))
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{len(stored.data)}</Size>"
            f"<LastModified>{moment}.{int(stored.modified % 1 * 1000):03}Z</LastModified>"
            f"<ETag>{escape(stored.etag)}</ETag></Contents>"
        )

    def refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>in words: {code}</Message></Error>"
        self.answer(status, body.encode())

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        if self.fault == 2:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if self.fault == 1 else body)
        self.close_connection = self.close_connection or self.fault == 1


def _xml(name: str, **inside: str) -> bytes:
    inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in inside.items())
    return f"<{name}>{inner}</{name}>".encode()


class GcsBucket(NamedTuple):
    """
    A bucket of one test's own.

    Attributes:
        server: Where it is.
        name: Its name.
        credentials: A file that makes obstore ask nobody for a token.
    """

    server: GcsServer
    name: str
    credentials: Path

    @property
    def objects(self) -> dict[str, Stored]:
        """All objects by key."""
        return self.server.buckets[self.name]


@pytest.fixture(name="gcs_bucket")
def fixture_gcs_bucket(tmp_path: Path) -> Iterator[GcsBucket]:
    """Return an empty bucket at a server of its own."""
    server = GcsServer()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    credentials = tmp_path / "service-account.json"
    key = {"gcs_base_url": server.url, "disable_oauth": True, "client_email": "", "private_key": "",
           "private_key_id": ""}  # fmt: skip
    credentials.write_text(json.dumps(key))
    server.buckets["test-bucket"] = {}
    try:
        yield GcsBucket(server, "test-bucket", credentials)
    finally:
        server.shutdown()
        server.server_close()
