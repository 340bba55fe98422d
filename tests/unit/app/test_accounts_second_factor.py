"""A second factor: asked for when it was confirmed, each code good once."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pinnacle_backup.app import qr
from pinnacle_backup.app.accounts import find_user
from pinnacle_backup.app.second_factor import begin_totp, confirm_totp, switch_totp_off
from pinnacle_backup.crypto.totp import code_of, step_of
from pinnacle_backup.errors import CodeRequired, NotAuthenticated, TooManyAttempts, UsageError

from .server import ADMIN, ELSEWHERE, WRONG, Server


class Phone:
    """An authenticator app with its key."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = base64.b32decode(key)

    def code(self, steps: int = 0) -> str:
        """Return the code that it shows now, or so many steps later."""
        return code_of(self._key, step_of(self._server.now) + steps)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    server = Server(tmp_path / "studio")
    server.add()
    return server


def enrol(server: Server) -> tuple[Phone, tuple[str, ...]]:
    """Switch it on; time goes by afterwards, so that the phone shows another code."""
    anna = find_user(server.studio, "anna")
    phone = Phone(server, begin_totp(server.studio, anna).key)
    codes = confirm_totp(server.studio, anna, phone.code(), by=ADMIN)
    server.later(minutes=5)
    return phone, codes


def test_nothing_is_asked_for_before_the_first_code_was_confirmed(server: Server) -> None:
    anna = find_user(server.studio, "anna")
    phone = Phone(server, begin_totp(server.studio, anna).key)
    with pytest.raises(NotAuthenticated, match="the code is wrong"):
        confirm_totp(server.studio, anna, "000000" if phone.code() != "000000" else "1", by=ADMIN)
    server.log_in()
    confirm_totp(server.studio, anna, phone.code(), by=ADMIN)
    with pytest.raises(CodeRequired):
        server.log_in()
    assert find_user(server.studio, "anna").totp


def test_a_login_needs_password_and_code(server: Server) -> None:
    phone, _ = enrol(server)
    with pytest.raises(CodeRequired):
        server.log_in()
    with pytest.raises(NotAuthenticated, match="wrong name, password or code") as caught:
        server.log_in(password=WRONG, code=phone.code())
    assert not isinstance(caught.value, CodeRequired)
    with pytest.raises(NotAuthenticated, match="wrong name, password or code"):
        server.log_in(code=phone.code(5))
    server.log_in(code=phone.code())


def test_who_does_not_know_the_password_is_not_told_that_a_code_is_needed(server: Server) -> None:
    enrol(server)
    with pytest.raises(NotAuthenticated) as caught:
        server.log_in(password=WRONG)
    assert type(caught.value) is NotAuthenticated


def test_no_code_is_good_twice(server: Server) -> None:
    """Also the one that confirmed it, and an older one than the last."""
    anna = find_user(server.studio, "anna")
    phone = Phone(server, begin_totp(server.studio, anna).key)
    confirm_totp(server.studio, anna, phone.code(), by=ADMIN)
    for steps, good in ((0, False), (1, True), (1, False), (0, False)):
        if good:
            server.log_in(code=phone.code(steps))
        else:
            with pytest.raises(NotAuthenticated):
                server.log_in(code=phone.code(steps))


def test_each_recovery_code_lets_in_once(server: Server) -> None:
    _, codes = enrol(server)
    assert len(set(codes)) == 10
    server.log_in(code=codes[3].upper().replace("-", " "))
    assert ("server:anna", "recovery-code", "anna", "good") in server.audited()
    with pytest.raises(NotAuthenticated):
        server.log_in(code=codes[3])
    server.log_in(code=codes[4])


def test_recovery_codes_are_kept_as_sha_256_alone(server: Server) -> None:
    _, codes = enrol(server)
    kept = server.kept()
    assert not any(form in kept for code in codes for form in (code.encode(), code.replace("-", "").encode()))


def test_guessing_codes_has_to_wait(server: Server) -> None:
    phone, _ = enrol(server)
    made = 0
    for number in range(1000):
        try:
            server.log_in(code=f"{number:06}", address=ELSEWHERE)
        except TooManyAttempts:
            break
        except NotAuthenticated:
            made += 1
    assert made == 5
    server.later(seconds=1)
    server.log_in(code=phone.code())


def test_asking_for_the_code_first_costs_nothing(server: Server) -> None:
    """Pages ask for the code after the password: that is no wrong attempt."""
    phone, _ = enrol(server)
    for _ in range(20):
        with pytest.raises(CodeRequired):
            server.log_in()
    server.log_in(code=phone.code())
    assert ("server", "login", "anna", "started") in server.audited()


def test_it_is_switched_off_and_on_with_another_key(server: Server) -> None:
    phone, codes = enrol(server)
    anna = find_user(server.studio, "anna")
    with pytest.raises(UsageError, match="has a second factor already"):
        begin_totp(server.studio, anna)
    assert switch_totp_off(server.studio, "anna", by=ADMIN)
    assert not switch_totp_off(server.studio, "anna", by=ADMIN)
    server.log_in()
    enrol(server)
    for old in (phone.code(), codes[0]):
        with pytest.raises(NotAuthenticated):
            server.log_in(code=old)
    assert [event[1] for event in server.audited() if event[1].startswith("totp")] == [
        "totp-on",
        "totp-off",
        "totp-on",
    ]


def test_confirming_what_was_not_begun_is_an_error(server: Server) -> None:
    anna = find_user(server.studio, "anna")
    with pytest.raises(UsageError, match="waits to be confirmed"):
        confirm_totp(server.studio, anna, "123456", by=ADMIN)


def test_a_code_without_a_second_factor_does_no_harm(server: Server) -> None:
    server.log_in(code="123456")


def test_the_qr_code_is_svg_that_a_strict_page_may_show() -> None:
    pytest.importorskip("segno")
    svg = qr.qr_svg("otpauth://totp/A:anna?secret=GEZDGNBV")
    assert svg.startswith("<svg ")
    assert not any(word in svg for word in ("style", "script", "class=", "href"))
    assert "█" in qr.qr_text("otpauth://totp/A:anna?secret=GEZDGNBV")
