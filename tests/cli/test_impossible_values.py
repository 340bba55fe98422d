"""Values that no record can hold are answered like any other that is not there, never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..studios import Studio

HUGE = str(10**22)
NO_TEXT = b"\xff".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("token", "revoke", HUGE), 10, f"no token {HUGE}"),
        (("audit", "--who", NO_TEXT), 0, ""),
        (("audit", "--action", NO_TEXT), 0, ""),
        (("runs", "--day", "0001-01-01"), 3, "expected a day"),
    ],
    ids=["a number", "who", "what", "a day"],
)
def test_they_are_no_unexpected_error(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    ended = Studio(tmp_path / "studio").run(*words)
    assert ended.code == code, ended
    assert "unexpected" not in ended.err
    assert said in ended.err
