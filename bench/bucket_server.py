"""The S3 server of the tests, for measurements in a bucket; it needs what the tests need."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tool import PROJECT
from tool_bucket import Bucket

_SERVER = "weed"


class NoServerError(Exception):
    """There is no S3 server on this machine."""


@contextmanager
def bucket_server() -> Iterator[Bucket]:
    """
    Run a server on the loopback interface with an empty bucket.

    Raises:
        NoServerError: It is not installed.
    """
    beside = os.path.join(os.path.dirname(sys.executable), _SERVER)
    if not (os.access(beside, os.X_OK) or shutil.which(_SERVER)):
        raise NoServerError("no S3 server is installed; run `scripts/install.sh dev`")
    sys.path[:0] = [PROJECT, os.path.join(PROJECT, "src")]
    from tests.s3_servers import ADMIN, REGION, s3_server  # noqa: PLC0415 - from the test dependencies

    with s3_server() as server:
        yield Bucket(server.url, REGION, ADMIN, server.client())
