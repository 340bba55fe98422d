"""No secret and no forged line gets into what is written down."""

from __future__ import annotations

import json
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.config.redact import MASK, Redactor, one_line

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=8)


@hypothesis.settings(deadline=None)
@given(st.text(st.characters()))
def test_one_line_is_printable(text: str):
    assert one_line(text).isprintable()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a b ä 漢", "a b ä 漢"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb\u2028", "a\\u202eb\\u2028"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_one_line_escapes_what_breaks_or_fakes_a_line(text: str, line: str):
    assert one_line(text) == line


def test_one_line_can_be_cut():
    assert one_line("x" * 10, limit=10) == "x" * 10
    assert one_line("x" * 11, limit=10) == "xxxxxxx..."


@hypothesis.settings(deadline=None)
@given(secrets, st.sampled_from([str, repr, json.dumps, one_line, lambda text: quote(text, safe="")]))
def test_a_known_secret_is_masked_in_every_form(secret: str, form):
    written = form(secret)
    core = written[1:-1] if form in (repr, json.dumps) else written

    assert Redactor([secret])(f"before {core} after") == f"before {MASK} after"


def test_a_short_secret_is_masked_as_a_word_only():
    """Masks inside other words would tell what it is."""
    redact = Redactor(["cat"])

    assert redact("the cat sat; catalog, cat_1") == f"the {MASK} sat; catalog, cat_1"


def test_the_longest_of_two_secrets_goes_whole():
    assert Redactor(["password", "password-and-more"])("x password-and-more y") == f"x {MASK} y"


def test_no_secrets_and_empty_ones_mask_nothing():
    assert Redactor()("plain text") == "plain text"
    assert Redactor([""])("plain text") == "plain text"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("create --encrypt hunter2 --name x", "create --encrypt ******** --name x"),
        ("create --encrypt=hunter2", "create --encrypt=********"),
        ("restore b.tar.gz.enc --decrypt 'two words' -y", "restore b.tar.gz.enc --decrypt ******** -y"),
        ("['create', '--encrypt', 'hunter2']", "['create', '--encrypt', '********']"),
        ("--new-password x", "--new-password ********"),
        ("create --encrypt --name x", "create --encrypt --name x"),
        ("--password-file /run/key", "--password-file /run/key"),
        ("password=hunter2&x=1", "password=********&x=1"),
        ('{"password": "hun ter2", "port": 587}', '{"password": ********, "port": 587}'),
        ("{'secret_key': 'hunter2'}", "{'secret_key': ********}"),
        ("PINNACLE_PASSWORD=hunter2", "PINNACLE_PASSWORD=********"),
        ("https://me:hunter2@host/path", "https://********@host/path"),
        ("Authorization: Basic aHVudGVyMjpodW50ZXIy", "Authorization: Basic ********"),
        (
            "wrong password: backup_20261120_140322.tar.gz.enc",
            "wrong password: backup_20261120_140322.tar.gz.enc",
        ),
        ("mail to admin@ultra-pinnacle.ai", "mail to admin@ultra-pinnacle.ai"),
        ("a basic backup", "a basic backup"),
    ],
)
def test_what_looks_like_a_password_is_masked(text: str, masked: str):
    assert Redactor()(text) == masked


def test_a_hostile_line_is_no_trap():
    """Time grows with the length and no faster."""
    redact = Redactor(["secret-of-mine"])

    for part in ("://", "--encrypt ", "password=", '"', "Basic ", "a"):
        redact(part * 100_000)


@pytest.mark.parametrize(
    ("url", "text", "masked"),
    [
        ("https://hc.example/ping/0123-4567-89ab", "GET /ping/0123-4567-89ab: 404", f"GET /ping/{MASK}: 404"),
        ("json://anna:correct-horse@mail.example/x", "correct-horse is wrong", f"{MASK} is wrong"),
        ("tgram://123456789:ABC-token/Chat", "bot 123456789", f"bot {MASK}"),
        ("ntfy://localhost:8080/topic-of-ours", "no answer from localhost", "no answer from localhost"),
        (
            "https://hooks.example/T0/?key=0123456789",
            "hooks.example: key=0123456789",
            f"hooks.example: key={MASK}",
        ),
        ("https://hooks.example/api/send", "api: send failed", "api: send failed"),
    ],
)
def test_a_secret_url_is_masked_in_its_parts_too(url: str, text: str, masked: str):
    """An error names the path alone, or who logged in; the name of the host helps, and stays."""
    assert Redactor([url])(text) == masked
