"""What one process uses to talk to one place: an S3 client, threads, what it learnt of the server."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from pinnacle_backup import __version__
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.answers import expect_fields
from pinnacle_backup.store.cloud.bandwidth import Bandwidth
from pinnacle_backup.store.cloud.body import Body, hand_over
from pinnacle_backup.store.cloud.descriptions import descriptions
from pinnacle_backup.store.cloud.failures import DAMAGED, Incomplete, code_of, failures
from pinnacle_backup.store.cloud.place import CloudPlace

ATTEMPTS: Final = 6
"""How often a request is sent at most."""

SMALL_READS: Final = 16
"""How many small requests are sent at once: their answers are what takes time, not their bytes."""

_DAMAGED_ATTEMPTS: Final = 3
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_DEFAULT_REGION: Final = "us-east-1"


class Connection:
    """
    Never shared between processes; see ``connection_to``.

    Attributes:
        place: Where to.
        client: botocore's.
        pool: For requests that run at once. Whoever runs in it never waits for another that does.
        download: Paces what comes.
        is_quick: The last answer came so quickly that the next one needs no watching.
        refuses_conditions: The server said that it cannot complete uploads conditionally.
    """

    def __init__(self, place: CloudPlace) -> None:
        self.place = place
        self.client = _client(place)
        self.pool = ThreadPoolExecutor(place.connections, thread_name_prefix="cloud")
        self.upload, self.download = Bandwidth(place.upload_limit), Bandwidth(place.download_limit)
        self.is_quick = False
        self.refuses_conditions = False
        self.client.meta.events.register("before-send.s3", self._hand_over)

    def ask(self, operation: str, name: str | None = None, **parameters: Any) -> dict[str, Any]:
        """
        Make one request, with all its retries.

        Args:
            operation: As botocore calls it: ``head_object``.
            name: Of the object; None for requests about the bucket.
            parameters: As botocore calls them.

        Raises:
            ClientError: The server refused it.
            BotoCoreError: It was not reached.
            Incomplete: The answer is none; whether the request was carried out is not known.
        """
        if name is not None:
            parameters["Key"] = self.place.key(name)
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(Bucket=self.place.bucket, **parameters)
        except ResponseParserError as error:
            raise Incomplete("the answer is not one of S3") from error
        expect_fields(operation, answer)
        return answer

    def _hand_over(self, request: Any, **_: object) -> None:
        hand_over(request, self.upload)

    def send(self, operation: str, name: str, data: bytes | memoryview, **parameters: Any) -> dict[str, Any]:
        """
        Make one request with a body; see ``ask``.

        The body's MD5 is sent along, and signed: every server compares it, where some take no notice of the
        SHA-256 in the signature, or refuse newer checksums. What arrives damaged is sent again.
        """
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        for _ in range(_DAMAGED_ATTEMPTS - 1):
            try:
                return self.ask(operation, name, Body=Body(data), ContentMD5=digest, **parameters)
            except ClientError as error:
                if code_of(error) not in DAMAGED:
                    raise
        return self.ask(operation, name, Body=Body(data), ContentMD5=digest, **parameters)


def _client(place: CloudPlace) -> Any:
    if place.ca_file:
        _expect_certificates(place.ca_file)
    session = botocore.session.Session(profile=place.profile or None)
    session.register_component("data_loader", descriptions())
    if place.credentials_file:
        session.set_config_variable("credentials_file", place.credentials_file)
    return session.create_client(
        "s3",
        region_name=place.region or session.get_config_variable("region") or _DEFAULT_REGION,
        endpoint_url=place.endpoint_url or None,
        verify=place.ca_file or None,
        aws_access_key_id=place.access_key or None,
        aws_secret_access_key=place.secret_key or None,
        config=Config(
            # Many servers know no checksum trailers; see ``send`` for what is used instead.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": place.addressing},
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=place.connections + SMALL_READS,
            tcp_keepalive=True,
            user_agent=f"pinnacle-backup/{__version__} botocore/{botocore.__version__}",
        ),
    )


def _expect_certificates(file: str) -> None:
    """Pass where they can be read: botocore would blame the server's certificate."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        reason = "it holds none" if isinstance(error, ssl.SSLError) else error.strerror
        raise StoreError(
            f"cannot read the certificates in {printable(file)}: {reason}", hint="check ca_file"
        ) from error


# Which connections are open is a fact about the process, so this stands here and is passed nowhere. A child
# begins with none: sockets and threads of its parent are of no use to it.
_open_here: Final[dict[CloudPlace, Connection]] = {}
_opening: Final = threading.Lock()


def connection_to(place: CloudPlace) -> Connection:
    """
    Return this process's connection; made when it is first asked for.

    Raises:
        StoreError: The place makes no sense: no such profile, an address that is none.
    """
    with _opening:
        if place not in _open_here:
            with failures(place, "reach"):
                _open_here[place] = Connection(place)
        return _open_here[place]


def _in_child() -> None:
    _open_here.clear()
    _opening.release()


os.register_at_fork(before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_in_child)
