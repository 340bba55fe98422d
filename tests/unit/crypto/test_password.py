"""From a password to a key."""

from __future__ import annotations

import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from pinnacle_backup.crypto import password as module
from pinnacle_backup.crypto.password import Argon2Parameters, derive
from pinnacle_backup.crypto.turns import Turns
from pinnacle_backup.errors import FormatError, PasswordError, TooManyAttempts

SALT = bytes(range(16))

OUT_OF_RANGE = [
    Argon2Parameters(65_535, 3, 4),
    Argon2Parameters(1_048_577, 3, 4),
    Argon2Parameters(0, 3, 4),
    Argon2Parameters(2**32 - 1, 3, 4),
    Argon2Parameters(2**63, 3, 4),
    Argon2Parameters(65_536, 2, 4),
    Argon2Parameters(65_536, 17, 4),
    Argon2Parameters(65_536, 2**32 - 1, 4),
    Argon2Parameters(65_536, 3, 0),
    Argon2Parameters(65_536, 3, 17),
    Argon2Parameters(65_536, -3, 4),
]


def test_a_password_always_gives_the_same_key():
    """Checked against the reference implementation of argon2 (argon2-cffi, version 0x13)."""
    key = derive("correct horse", SALT, Argon2Parameters())

    assert key.hex() == "577f1ff37e9a3e52c97d39f8e83891c1b73b0e87ffe0429cee8ede2fb005fe44"


def test_another_password_salt_or_parameter_gives_another_key():
    keys = {
        derive("correct horse", SALT, Argon2Parameters()),
        derive("correct horsf", SALT, Argon2Parameters()),
        derive("correct horse", SALT[::-1], Argon2Parameters()),
        derive("correct horse", SALT, Argon2Parameters(lanes=3)),
        derive("correct horse", SALT, Argon2Parameters(passes=4)),
        derive("correct horse", SALT, Argon2Parameters(memory_kib=65_544)),
    }

    assert len(keys) == 6


def test_threads_that_derive_at_the_same_time_all_get_their_key(monkeypatch: pytest.MonkeyPatch):
    """OpenSSL's argon2 would hang for ever, nearly always: that the test ends is the proof."""
    monkeypatch.setattr(module._TURNS, "_wait_seconds", 1_000)  # a busy machine takes its time
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: derive("correct horse", SALT, Argon2Parameters()), range(8)))

    assert set(keys) == {derive("correct horse", SALT, Argon2Parameters())}


def test_of_many_who_derive_few_wait(full_password_turns: Turns):
    """Who waits takes a thread of the server: a hundred who wait would keep out whoever wants to log in."""
    with pytest.raises(TooManyAttempts, match="too many passwords at once") as caught:
        derive("correct horse", SALT, Argon2Parameters())
    assert caught.value.retry_after == 10


def test_composed_and_decomposed_characters_are_the_same_password():
    composed, decomposed = "Stra\u00dfencaf\u00e9", "Stra\u00dfencafe\u0301"

    assert composed != decomposed
    assert derive(composed, SALT, Argon2Parameters()) == derive(decomposed, SALT, Argon2Parameters())


@pytest.mark.parametrize("parameters", OUT_OF_RANGE, ids=repr)
def test_parameters_out_of_range_are_refused_before_anything_is_computed(parameters):
    """Some of these would take all memory, or years: that the test ends is the proof."""
    with pytest.raises(FormatError, match="refused"):
        derive("correct horse", SALT, parameters)


@pytest.mark.parametrize(
    "parameters", [Argon2Parameters(65_536, 3, 1), Argon2Parameters(1_048_576, 16, 16)], ids=repr
)
def test_the_limits_themselves_are_allowed(parameters):
    parameters.check()


@pytest.mark.parametrize("password", ["", "pass\udcffword"], ids=ascii)
def test_what_is_no_password_is_refused(password):
    with pytest.raises(PasswordError):
        derive(password, SALT, Argon2Parameters())


def test_a_refused_password_is_not_in_the_traceback():
    with pytest.raises(PasswordError) as caught:
        derive("hunter2\udcff", SALT, Argon2Parameters())

    shown = "".join(traceback.format_exception(caught.value)).replace('derive("hunter2', "")
    assert "hunter2" not in shown


def test_too_little_memory_is_said_in_words():
    program = """
import resource
from pinnacle_backup.crypto.password import Argon2Parameters, derive
from pinnacle_backup.errors import PinnacleError
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
try:
    derive("correct horse", bytes(16), Argon2Parameters(memory_kib=1_048_576))
except PinnacleError as error:
    print(error, "|", error.hint)
"""
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert "needs 1,024 MiB of memory" in done.stdout
    assert "memory limit" in done.stdout
