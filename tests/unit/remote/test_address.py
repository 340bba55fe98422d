"""Addresses of servers: what is one, and what would be dangerous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.errors import UsageError
from pinnacle_backup.remote.address import parse_address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://backup.example:8443", "https://backup.example:8443"),
        ("https://backup.example/", "https://backup.example"),
        ("  https://backup.example  ", "https://backup.example"),
        ("https://Backup.Example:443", "https://backup.example"),
        ("https://example.org/pinnacle/", "https://example.org/pinnacle"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_understood(text: str, url: str) -> None:
    assert parse_address(text).url == url


@pytest.mark.parametrize(
    "text",
    ["", "backup.example", "backup.example:8443", "ftp://backup.example", "https://", "https://a:99999", "https:///x",
     "https://a b/", "https://[::1", "file:///etc/passwd", "https://a%00b"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a server") as caught:
        parse_address(text)
    assert "https://backup.example:8443" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "http://backup.example",
        "http://192.168.0.7:8000",
        "http://localhost.evil.example",
        "http://[2001:db8::1]",
    ],
)
def test_no_token_travels_in_the_clear(text: str) -> None:
    with pytest.raises(UsageError, match="in the clear") as caught:
        parse_address(text)
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["https://anna:secret@backup.example", "https://backup.example/?token=x", "https://backup.example/#x"],
)
def test_secrets_do_not_belong_into_addresses(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "secret" not in caught.value.message
    assert "--token-file" in caught.value.hint


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        found = parse_address(text)
    except UsageError:
        return
    assert parse_address(found.url) == found
