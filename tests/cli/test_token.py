"""`token`: keys for programs, from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

CLI = Callable[..., Any]


def test_the_token_is_all_that_is_printed(cli: CLI) -> None:
    ended = cli("token", "create", "--role", "operator", "--name", "deploy")
    assert re.fullmatch(r"pb_[A-Za-z0-9_-]{43}\n", ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert cli("token", "create", "--role", "viewer", "--quiet").out.startswith("pb_")


def test_it_is_nowhere_else(cli: CLI) -> None:
    secret = cli("token", "create", "--role", "administrator").out.strip()
    shown = cli("token", "list").out + cli("token", "list", "--json").out + cli("audit", "--json").out
    kept = b"".join(path.read_bytes() for path in cli.root.rglob("*") if path.is_file())
    assert secret not in shown
    assert secret.encode() not in kept


def test_tokens_are_listed(cli: CLI) -> None:
    assert cli("token", "list").out == "There is no token.\n"
    cli("token", "create", "--role", "operator", "--name", "deploy", "--days", "7")
    made = json.loads(cli("token", "create", "--role", "viewer", "--no-expiry", "--json").out)
    assert made["secret"].startswith("pb_")
    assert made["token"]["expires"] == ""
    title, first, second = cli("token", "list").out.splitlines()
    assert title.split() == ["TOKEN", "NAME", "ROLE", "OWNER", "USED", "EXPIRES"]
    assert first.split()[:3] == ["2", "token", "viewer"]
    assert first.split()[-1] == "never"
    assert second.split()[:3] == ["1", "deploy", "operator"]
    tokens = json.loads(cli("token", "list", "--json").out)["tokens"]
    assert [token["name"] for token in tokens] == ["token", "deploy"]
    assert tokens[0]["owner"].startswith("command:")


def test_a_token_is_revoked(cli: CLI) -> None:
    cli("token", "create", "--role", "operator", "--name", "deploy")
    assert cli("token", "revoke", "1").out == "Token 1 (deploy) works no more.\n"
    ended = cli("token", "revoke", "1")
    assert (ended.code, "no token 1" in ended.err) == (10, True)


@pytest.mark.parametrize(
    "args",
    [(), ("--role", "king"), ("--role", "viewer", "--days", "0"), ("--role", "viewer", "--days", "366")],
)
def test_what_cannot_be_made_is_a_usage_error(cli: CLI, args: tuple[str, ...]) -> None:
    assert cli("token", "create", *args).code == 3
    assert json.loads(cli("token", "list", "--json").out) == {"tokens": []}
