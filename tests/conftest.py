"""What all tests share."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .azurite import fixture_azurite, fixture_container
from .canaries import leaks, logs_below
from .gcs_server import fixture_gcs_bucket
from .s3_servers import fixture_bucket, fixture_locked_bucket, fixture_s3

__all__ = [
    "fixture_azurite",
    "fixture_bucket",
    "fixture_container",
    "fixture_gcs_bucket",
    "fixture_locked_bucket",
    "fixture_s3",
]

# A shell that ignores hang-ups (nohup) or interrupts (`&` in a script) hands that on; tests that send one
# need a program that hears it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of all that Python collects: thousands of forks need no copy of them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that leaves a secret in the log of any studio that it made, whatever else it is about."""
    result = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if isinstance(folder, Path):
        found = leaks(logs_below(folder))
        assert not found, f"secrets in logs: {found}"
    return result


@pytest.fixture(autouse=True)
def no_file_is_followed_any_more() -> Iterator[None]:
    """Fail a test that leaves an archive unfinished: it keeps a thread that waits for its end."""
    yield
    assert "read back" not in {thread.name for thread in threading.enumerate()}
