"""Mails."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.mail import addresses, compose
from pinnacle_backup.notify.message import Message

SENDER = "backup@example.org"


def sent(message: Message, *recipients: str) -> EmailMessage:
    """Return the mail as it arrives."""
    octets = compose(message, sender=SENDER, recipients=recipients or ("admin@example.org",)).as_bytes()
    return message_from_bytes(octets, policy=default)


def test_a_mail_has_text_and_html_and_the_headers_of_a_program(message: Callable[..., Message]):
    mail = sent(message(), "a@example.org", "b@example.org")

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["From"] == "Pinnacle Backup <backup@example.org>"
    assert mail["To"] == "a@example.org, b@example.org"
    assert mail["Subject"] == "Backup failed: studio on nas"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@example.org>"
    assert mail["Date"].datetime == message().moment
    assert mail["Reply-To"] is None


def test_a_mail_that_is_sent_again_is_the_same_mail(message: Callable[..., Message]):
    assert sent(message())["Message-ID"] == sent(message())["Message-ID"]


@pytest.mark.parametrize(
    "subject",
    [
        "x\nBcc: thief@example.org",
        "x\r\nBcc: thief@example.org\r\n\r\n<b>",
        "x\x00\x0b\x0c\x85\u2028Bcc: y",
        "\r\n\r\n",
    ],
)
def test_no_subject_adds_a_header(subject: str, message: Callable[..., Message]):
    mail = sent(message(subject=subject))

    assert mail["Bcc"] is None
    assert set(mail.keys()) == set(sent(message()).keys())
    assert mail.get_content_type() == "multipart/alternative"


def test_subjects_in_all_languages_arrive(message: Callable[..., Message]):
    assert (
        sent(message(subject="Sicherung für Ünïcödé 備份 🚀"))["Subject"] == "Sicherung für Ünïcödé 備份 🚀"
    )


def test_a_very_long_subject_is_cut_and_lines_stay_short(message: Callable[..., Message]):
    octets = compose(message(subject="ü" * 5000), sender=SENDER, recipients=("a@example.org",)).as_bytes()

    assert max(map(len, octets.split(b"\r\n"))) <= 998


def test_hostile_text_arrives_as_it_is(message: Callable[..., Message]):
    line = "caf\udce9 <img src=x onerror=1> \r\n.\r\nQUIT"
    body = sent(message(details=(line,))).get_body(("plain",)).get_content()

    assert "<img src=x onerror=1>" in body
    assert "\n.\n" not in body


@pytest.mark.parametrize("address", ["a@b@c d", "<x>@y", "a@[", "x\n@y"])
def test_what_is_no_address_is_said(address: str, message: Callable[..., Message]):
    with pytest.raises(NotificationError, match="is not an e-mail address") as caught:
        compose(message(), sender=address, recipients=("a@example.org",))

    assert caught.value.hint == "set notifications.smtp.from_email"
    assert "\n" not in caught.value.message


def test_addresses_are_separated_by_commas_and_each_is_told_once():
    assert addresses("a@x.org, b@x.org,a@x.org") == ("a@x.org", "b@x.org")
