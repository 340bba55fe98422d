"""Mail through real servers: encrypted, with accounts, broken, hostile and silent ones."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.config.notifications import Smtp
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import NotificationError
from pinnacle_backup.notify.message import Message
from pinnacle_backup.notify.smtp import offer_mail, send_mail

from ...mail_servers import HOST, Authority, MailServer, free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

PASSWORD = "canary-pass-word"
ACCOUNT = ("backup", PASSWORD)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signs certificates for localhost and others."""
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(port: int, authority: Authority | None = None, **more: object) -> Smtp:
    """Return settings for a server here; encrypted where an authority is given."""
    values: dict[str, object] = {
        "enabled": True,
        "server": "localhost",
        "port": port,
        "use_tls": authority is not None,
        "ca_file": str(authority.file) if authority else None,
        "from_email": "backup@example.org",
        "to_email": "admin@example.org",
        "timeout_seconds": 10,
    }
    return Smtp(**{**values, **more})


def failure(message: Message, smtp: Smtp, root: str = "/") -> NotificationError:
    """Return the error of a mail: one line, a hint, and no secret in it."""
    with pytest.raises(NotificationError) as caught:
        send_mail(message, smtp, root=root)
    error = caught.value
    assert "\n" not in error.message + error.hint
    assert error.hint
    plain = b64encode(f"\0{ACCOUNT[0]}\0{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, b64encode(PASSWORD.encode()).decode(), plain):
        assert secret not in f"{error.message} {error.hint} {error.__cause__!r}"
    return error


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS"])
@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["open", "account"])
def test_a_mail_arrives_encrypted(
    implicit: bool, account: tuple[str, str] | None, authority: Authority, message: Callable[..., Message]
):
    tls = authority.server("localhost")
    user, password = account or (None, "")
    with MailServer(tls, implicit=implicit, account=account) as server:
        smtp = settings(
            server.port,
            authority,
            use_ssl=implicit,
            username=user,
            password=Secret(password) if account else None,
        )
        send_mail(message(), smtp, root="/")

    (mail,) = server.mails
    assert mail.recipients == ["admin@example.org"]
    assert mail.message["Subject"] == "Backup failed: studio on nas"
    assert "Make room on the disk." in mail.text
    assert "Make room on the disk." in mail.html


def test_a_mail_arrives_unencrypted_where_that_is_configured(message: Callable[..., Message]):
    with MailServer() as server:
        send_mail(message(), settings(server.port), root="/")

    assert len(server.mails) == 1


def test_a_ca_file_counts_from_the_studio_root(authority: Authority, message: Callable[..., Message]):
    with MailServer(authority.server("localhost")) as server:
        smtp = settings(server.port, authority, ca_file=authority.file.name)
        send_mail(message(), smtp, root=str(authority.file.parent))

    assert len(server.mails) == 1


def test_a_password_may_have_any_letters(authority: Authority, message: Callable[..., Message]):
    account = ("bäckup", "pässwörd 備份")
    with MailServer(authority.server("localhost"), account=account) as server:
        smtp = settings(server.port, authority, username=account[0], password=Secret(account[1]))
        send_mail(message(), smtp, root="/")

    assert len(server.mails) == 1


def test_several_recipients_get_one_mail(message: Callable[..., Message]):
    with MailServer() as server:
        send_mail(message(), settings(server.port, to_email="a@example.org, b@example.org"), root="/")

    (mail,) = server.mails
    assert mail.recipients == ["a@example.org", "b@example.org"]


def test_who_is_refused_is_said_and_the_others_get_their_mail_once(message: Callable[..., Message]):
    with MailServer(refuses=frozenset(("gone@example.org",))) as server:
        smtp = settings(server.port, to_email="a@example.org, gone@example.org")
        refused = offer_mail(message(), smtp, root="/")
        again = offer_mail(message(), smtp, root="/", recipients=tuple(refused))

    assert [mail.recipients for mail in server.mails] == [["a@example.org"]]
    assert list(refused) == list(again) == ["gone@example.org"]
    assert "refused the recipient gone@example.org: 550 5.1.1 no such user" in refused["gone@example.org"]


def test_a_recipient_that_is_refused_is_an_error(message: Callable[..., Message]):
    with MailServer(refuses=frozenset(("admin@example.org",))) as server:
        error = failure(message(), settings(server.port))

    assert error.message == (
        f"mail server localhost:{server.port} refused the recipient admin@example.org: 550 5.1.1 no such user"
    )


def test_a_certificate_of_somebody_else_is_refused(
    authority: Authority, tmp_path: Path, message: Callable[..., Message]
):
    other = Authority(tmp_path, "other")
    for implicit in (False, True):
        with MailServer(authority.server("localhost"), implicit=implicit) as server:
            error = failure(message(), settings(server.port, other, use_ssl=implicit))

        assert error.message.startswith(
            f"the certificate of mail server localhost:{server.port} is not trusted: "
        )
        assert "notifications.smtp.ca_file" in error.hint
        assert not server.mails


def test_a_certificate_for_another_name_is_refused(authority: Authority, message: Callable[..., Message]):
    with MailServer(authority.server("mail.example.org")) as server:
        error = failure(message(), settings(server.port, authority))

    assert (
        error.message
        == f'the certificate of mail server localhost:{server.port} is not for the name "localhost"'
    )
    assert "notifications.smtp.server" in error.hint
    assert not server.mails


def test_a_certificate_that_has_expired_is_refused(authority: Authority, message: Callable[..., Message]):
    with MailServer(authority.server("localhost", expired=True)) as server:
        error = failure(message(), settings(server.port, authority))

    assert error.message == f"the certificate of mail server localhost:{server.port} has expired"


def test_no_certificate_is_refused_where_that_is_configured(
    authority: Authority, message: Callable[..., Message]
):
    for implicit in (False, True):
        with MailServer(authority.server("elsewhere", expired=True), implicit=implicit) as server:
            smtp = settings(server.port, use_tls=True, use_ssl=implicit, verify_certificate=False)
            send_mail(message(), smtp, root="/")

        assert len(server.mails) == 1


def test_nothing_is_sent_where_starttls_is_not_offered(message: Callable[..., Message]):
    with MailServer() as server:
        smtp = settings(server.port, use_tls=True, username="backup", password=Secret(PASSWORD))
        error = failure(message(), smtp)

    assert "does not offer STARTTLS, so nothing was sent" in error.message
    assert not server.mails


def test_a_wrong_password_is_said_without_the_password(authority: Authority, message: Callable[..., Message]):
    with MailServer(authority.server("localhost"), account=("backup", "another")) as server:
        smtp = settings(server.port, authority, username="backup", password=Secret(PASSWORD))
        error = failure(message(), smtp)

    assert error.message.startswith(f"mail server localhost:{server.port} refused the login of backup: 535")
    assert "notifications.smtp.password" in error.hint
    assert not server.mails


def test_gmail_wants_an_app_password():
    from pinnacle_backup.notify.smtp_errors import _login_hint

    assert "app password" in _login_hint(Smtp(server="smtp.gmail.com"))


def test_an_account_without_a_password_is_said(authority: Authority, message: Callable[..., Message]):
    with MailServer(authority.server("localhost")) as server:
        error = failure(message(), settings(server.port, authority, username="backup"))

    assert "no password for backup" in error.message


def test_a_server_without_accounts_is_said(message: Callable[..., Message]):
    replies = {b"EHLO": b"250 x"}
    with scripted(replies) as port:
        error = failure(message(), settings(port, username="backup", password=Secret(PASSWORD)))

    assert "offers no login" in error.message


def test_a_server_that_is_down_is_said(message: Callable[..., Message]):
    port = free_port()

    assert failure(message(), settings(port)).message == (
        f"mail server localhost:{port} cannot be reached: connection refused"
    )


def test_a_server_that_is_nowhere_is_said(message: Callable[..., Message]):
    error = failure(message(), settings(25, server="no-such-host.invalid"))

    assert error.message == "mail server no-such-host.invalid cannot be found"


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".org", "é" * 70])
def test_names_that_no_server_can_have_are_said(name: str, message: Callable[..., Message]):
    assert "cannot be found" in failure(message(), settings(25, server=name)).message


@pytest.mark.parametrize("file", ["missing.pem", "empty.pem", "folder"])
def test_a_ca_file_that_is_none_is_said(file: str, tmp_path: Path, message: Callable[..., Message]):
    (tmp_path / "empty.pem").write_text("no certificate")
    (tmp_path / "folder").mkdir()

    error = failure(message(), settings(25, use_tls=True, ca_file=file), root=str(tmp_path))

    assert f"{tmp_path}/{file} cannot be used: " in error.message
    assert "notifications.smtp.ca_file" in error.hint


@contextlib.contextmanager
def scripted(replies: dict[bytes, bytes], greeting: bytes = b"220 x") -> Iterator[int]:
    """Serve one session that answers what the script says: 250, and nothing at all to an empty reply."""
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(greeting + b"\r\n" if greeting else b"")
                body = False
                for line in lines:
                    body = body and line != b".\r\n"
                    word = line[:4].upper()
                    if not body and (reply := replies.get(word, b"354 go" if word == b"DATA" else b"250 ok")):
                        connection.sendall(reply + b"\r\n")
                    body = body or word == b"DATA"

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join()


@pytest.mark.parametrize("silent_at", ["greeting", "EHLO", "MAIL", "DATA"])
def test_a_silent_server_is_given_up_in_time(silent_at: str, message: Callable[..., Message]):
    replies = {silent_at.encode(): b""}
    with scripted(replies, greeting=b"" if silent_at == "greeting" else b"220 x") as port:
        begun = time.monotonic()
        error = failure(message(), settings(port, timeout_seconds=1))

    assert time.monotonic() - begun < 5
    assert error.message == f"mail server localhost:{port} did not answer within 1 s"


def test_a_server_that_talks_without_end_is_given_up(message: Callable[..., Message]):
    with scripted({}, greeting=b"220-x\r\n" * 300_000) as port:
        assert failure(message(), settings(port)).message.endswith("failed: it says too much")


def test_a_slow_server_has_one_time_limit_for_everything(message: Callable[..., Message]):
    listener = socket.create_server((HOST, 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while not stop.wait(0.3):
                connection.sendall(b"220-still here\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    begun = time.monotonic()
    try:
        with pytest.raises(NotificationError, match="did not answer within 1 s"):
            send_mail(message(), settings(listener.getsockname()[1], timeout_seconds=1), root="/")
    finally:
        stop.set()
        thread.join()
        listener.close()

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("replies", "greeting", "words"),
    [
        ({}, b"554 go away", "refused: 554 go away"),
        ({b"MAIL": b"550 not you"}, b"220 x", "refused the sender backup@example.org: 550 not you"),
        ({b"DATA": b"554 no data"}, b"220 x", "refused the mail: 554 no data"),
        ({b".\r\n": b"552 too large"}, b"220 x", "refused the mail: 552 too large"),
        (
            {b"RCPT": b"451 later, canary-pass-word"},
            b"220 x",
            "refused the recipient admin@example.org: 451 later, ****",
        ),
        ({b"MAIL": b"550 \x1b[31mred\x00"}, b"220 x", "550 \\x1b[31mred\\x00"),
        ({b"MAIL": b"550 " + b"x" * 5000}, b"220 x", "550 xxx"),
    ],
)
def test_what_the_server_says_is_passed_on_in_one_clean_line(
    replies: dict[bytes, bytes], greeting: bytes, words: str, message: Callable[..., Message]
):
    with scripted(replies, greeting) as port:
        smtp = msgspec.structs.replace(settings(port), password=Secret(PASSWORD))
        error = failure(message(), smtp)

    assert words in error.message
    assert len(error.message) < 400
    assert re.fullmatch(r"[\x20-\x7e]+", error.message)


def test_after_421_nobody_counts_as_told(message: Callable[..., Message]):
    with scripted({b"RCPT": b"421 closing"}) as port:
        refused = offer_mail(message(), settings(port, to_email="a@x.org, b@x.org"), root="/")

    assert set(refused) == {"a@x.org", "b@x.org"}


def test_a_bad_good_bye_does_not_undo_a_mail(message: Callable[..., Message]):
    with scripted({b"QUIT": b"500 no"}) as port:
        assert offer_mail(message(), settings(port), root="/") == {}


def test_plain_where_tls_is_spoken_and_the_other_way_round_end_with_a_hint(
    authority: Authority, message: Callable[..., Message]
):
    with MailServer(authority.server("localhost"), implicit=True) as server:
        error = failure(message(), settings(server.port, authority, use_ssl=False, timeout_seconds=1))
    assert "notifications.smtp.use_ssl to true" in error.hint

    with MailServer(authority.server("localhost")) as server:
        error = failure(message(), settings(server.port, authority, use_ssl=True))
    assert "no encrypted connection" in error.message
    assert "notifications.smtp.use_ssl to false" in error.hint
