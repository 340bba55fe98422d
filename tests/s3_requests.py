"""What S3 clients and servers say to one another, as bytes: requests by the name of their operation, answers."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

Headers = list[tuple[str, str]]

BUCKET_CALLS = {
    "GET": "ListObjectsV2",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "POST": "DeleteObjects",
}
OBJECT_CALLS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
UPLOAD_CALLS = {
    "GET": "ListParts",
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "DELETE": "AbortMultipartUpload",
}
SUBRESOURCES = {
    "retention": "ObjectRetention",
    "legal-hold": "ObjectLegalHold",
    "object-lock": "ObjectLockConfiguration",
    "versioning": "BucketVersioning",
    "location": "BucketLocation",
    "lifecycle": "BucketLifecycleConfiguration",
    "policy": "BucketPolicy",
}


@dataclass(frozen=True)
class Request:
    """
    The head of a request.

    Attributes:
        method: Its method.
        target: Path and query as they stood there.
        headers: All of them, in order.
        raw: Its bytes, up to and with the empty line.
    """

    method: str
    target: str
    headers: Headers
    raw: bytes

    @property
    def query(self) -> dict[str, str]:
        """What the query has."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def key(self) -> str:
        """Key of the object; empty: about the bucket or the server."""
        return unquote(urlsplit(self.target).path.lstrip("/")).partition("/")[2]

    @property
    def operation(self) -> str:
        """Name of the S3 operation."""
        query = self.query
        for name, what in SUBRESOURCES.items():
            if name in query:
                return self.method.capitalize() + what
        if "uploads" in query:
            return "CreateMultipartUpload" if self.method == "POST" else "ListMultipartUploads"
        if "versions" in query:
            return "ListObjectVersions"
        if "uploadId" in query:
            name = UPLOAD_CALLS.get(self.method, "")
        else:
            name = (OBJECT_CALLS if self.key else BUCKET_CALLS).get(self.method, "")
        if self.header("x-amz-copy-source"):
            return {"UploadPart": "UploadPartCopy", "PutObject": "CopyObject"}.get(name, name)
        return name or self.method

    def header(self, name: str) -> str:
        """Return the value of a header; empty: it has none."""
        return _header(self.headers, name)

    @property
    def forwarded(self) -> bytes:
        """The head for the server: the proxy has told the client to go on, and asks for one answer."""
        raw = re.sub(rb"(?im)^(expect|connection):[^\r\n]*\r\n", b"", self.raw)
        return raw[:-2] + b"Connection: close\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """An answer of the server, or one that stands in for it."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    body_size: int = -1  # what Content-Length says, where it is not the length of the body (HEAD)

    def encode(self) -> bytes:
        """Return it as it is sent."""
        length = len(self.body) if self.body_size < 0 else self.body_size
        kept = [pair for pair in self.headers if pair[0].lower() not in HOP_BY_HOP]
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in kept]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body

    def header(self, name: str) -> str:
        """Return the value of a header; empty: it has none."""
        return _header(self.headers, name)

    def with_body(self, body: bytes) -> Answer:
        """Return it with another body, of which it says the right length; the answer to a HEAD has none."""
        return self if self.body_size >= 0 else Answer(self.status, self.reason, self.headers, body)


HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read the head of a request; None: the client has no more."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, headers = _head(raw)
    method, target, _ = line.split(" ", 2)
    if target.startswith("http://"):  # spoken to as a forward proxy
        parts = urlsplit(target)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        raw = raw.replace(line.encode("latin-1"), f"{method} {target} HTTP/1.1".encode("latin-1"), 1)
    return Request(method, target, headers, raw)


async def read_answer(reader: asyncio.StreamReader, method: str) -> Answer:
    """Read the whole answer to a request of this method."""
    status, reason, headers = 100, "", Headers()
    while status < 200:
        line, headers = _head(await reader.readuntil(b"\r\n\r\n"))
        number, _, reason = line.partition(" ")[2].partition(" ")
        status = int(number)
    if method == "HEAD" or status in (204, 304):
        return Answer(status, reason, headers, b"", int(_header(headers, "content-length") or 0))
    return Answer(status, reason, headers, await read_body(reader, headers, to_end=True))


async def read_body(reader: asyncio.StreamReader, headers: Headers, *, to_end: bool = False) -> bytes:
    """Read a body; chunks lose their frames in an answer and keep them in a request."""
    if "chunked" in _header(headers, "transfer-encoding").lower():
        return await _chunks(reader, framed=not to_end)
    length = _header(headers, "content-length")
    if length:
        return await reader.readexactly(int(length))
    return await reader.read() if to_end else b""


async def _chunks(reader: asyncio.StreamReader, *, framed: bool) -> bytes:
    whole, plain = bytearray(), bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        data = await reader.readexactly(size)
        end = await reader.readuntil(b"\r\n")
        while not size and end != b"\r\n":  # trailers
            data += end
            end = await reader.readuntil(b"\r\n")
        whole += line + data + end
        if not size:
            return bytes(whole if framed else plain)
        plain += data


def _head(raw: bytes) -> tuple[str, Headers]:
    line, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (entry.partition(":") for entry in rest)
    return line, [(name, value.strip()) for name, _, value in pairs]


def _header(headers: Headers, name: str) -> str:
    return next((value for have, value in headers if have.lower() == name), "")
