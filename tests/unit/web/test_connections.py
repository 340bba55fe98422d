"""Connections: patience ends with those who are slow, never with an answer that is."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from pinnacle_backup.web.connections import Patience, protocol

HEAD = 0.3


async def _application(scope: Any, _receive: Any, send: Any) -> None:
    """Answer at once, or in pieces for longer than a client may take for its headers."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(5 if scope["path"] == "/long" else 0):
        await send({"type": "http.response.body", "body": b"part ", "more_body": True})
        await asyncio.sleep(HEAD / 2)
    await send({"type": "http.response.body", "body": b"end"})


@pytest.fixture
def address() -> Iterator[str]:
    config = uvicorn.Config(
        _application, http=protocol(Patience(head=HEAD)), lifespan="off", log_level="critical", ws="none"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_a_long_answer_on_a_connection_that_was_used_before_is_complete(address: str) -> None:
    """The time for the next request ends with its headers: a download or a stream goes on as long as it takes."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        for _ in range(2):
            assert client.get("/short").text == "end"
            assert client.get("/long").text == "part " * 5 + "end"
