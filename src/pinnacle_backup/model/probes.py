"""What a test of a bucket found: one finding a question, each with a verdict and what to do."""

from __future__ import annotations

from typing import Final

import msgspec

GOOD: Final = "good"
NOTE: Final = "note"
WARNING: Final = "warning"
FAILED: Final = "failed"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """
    The answer to one question.

    Attributes:
        about: What was asked, in a word or two.
        verdict: ``good``; ``note``: good enough, but worth knowing; ``warning``; ``failed``.
        words: What was found.
        advice: What to change; empty where nothing need be.
    """

    about: str
    verdict: str
    words: str
    advice: str = ""


class PlaceTest(msgspec.Struct, frozen=True, kw_only=True):
    """
    One place was tested.

    Attributes:
        name: What it is called.
        address: Exactly where.
        findings: In the order of the questions. The last one that failed may have ended the test.
        requests: How many requests it took.
        seconds: Wall time.
    """

    name: str
    address: str
    findings: tuple[Finding, ...]
    requests: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """What a command that found this exits with."""
        verdicts = {finding.verdict for finding in self.findings}
        return 2 if FAILED in verdicts else int(WARNING in verdicts)
