"""
Microsoft's emulator of Azure Blob Storage, where it is installed: ``npm install -g azurite``.

It needs Node and some 370 packages, so tests do not demand it: where there is no ``azurite-blob``, nothing is
tested in Azure's name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from .mail_servers import HOST, free_port

ACCOUNT = "studio"
KEY = base64.b64encode(b"a key of the tests, which opens nothing").decode()
COMMAND = shutil.which("azurite-blob")


class Container(NamedTuple):
    """
    A container of one test's own.

    Attributes:
        url: Of the emulator.
        name: Of the container.
    """

    url: str
    name: str


@pytest.fixture(scope="session", name="azurite")
def fixture_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the emulator, one for each test process, and return its address."""
    assert COMMAND is not None
    port, folder = free_port(), tmp_path_factory.mktemp("azurite")
    options = ["--blobHost", HOST, "--blobPort", str(port), "--silent", "--inMemoryPersistence"]
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        COMMAND,
        *options,
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    environment = os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}", "HOME": str(folder)}
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL)
    url = f"http://{HOST}:{port}/{ACCOUNT}"
    try:
        _wait(url)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture(name="container")
def fixture_container(azurite: str) -> Container:
    """Return an empty container."""
    name = f"test-{os.urandom(6).hex()}"
    make_container(azurite, name)
    return Container(azurite, name)


def make_container(url: str, name: str) -> None:
    """Make a container, by the request that Azure's documentation describes under "Shared Key"."""
    date = formatdate(usegmt=True)
    signed = f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest())
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {ACCOUNT}:{signature.decode()}",
        "Content-Length": "0",
    }
    with urlopen(Request(f"{url}/{name}?restype=container", method="PUT", headers=headers)):
        pass


def _wait(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urlopen(url, timeout=5)
        except HTTPError:
            return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("Azurite does not come up", pytrace=False)
