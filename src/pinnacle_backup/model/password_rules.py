"""
Which passwords an account may have: long ones that nobody guesses first. Nothing is said about kinds of
characters, and nobody has to change one by the calendar (NIST SP 800-63B, 3.1.1).
"""

from __future__ import annotations

from typing import Final

from pinnacle_backup.model.common_passwords import COMMON

SHORTEST: Final = 10
LONGEST_BYTES: Final = 1024
_FEWEST_DIFFERENT: Final = 5
_LEET: Final = str.maketrans("@$013457", "asoieast")


def objection(name: str, password: str) -> str:
    """Return why a user cannot have this password, beginning with a small letter; empty where he can."""
    octets = len(password.encode("utf-8", "surrogatepass"))
    if len(password) < SHORTEST:
        return f"it has to have at least {SHORTEST} characters"
    if octets > LONGEST_BYTES:
        return f"it may have at most {LONGEST_BYTES:,} bytes"
    if len(set(password.casefold())) < _FEWEST_DIFFERENT:
        return f"it has to have at least {_FEWEST_DIFFERENT} different characters"
    if _is_made_of(password, frozenset((name.casefold(), name.casefold().partition("@")[0]))):
        return "it is the name of the user"
    if _is_made_of(password, COMMON):
        return "it is one of the commonest passwords"
    return ""


def _is_made_of(password: str, words: frozenset[str]) -> bool:
    """Tell whether it is one of the words, with or without digits and signs around, also as leetspeak."""
    folded = password.casefold()
    forms = {folded, folded.translate(_LEET)}
    return any(form in words or _core(form) in words for form in forms | {_core(folded).translate(_LEET)})


def _core(text: str) -> str:
    """Return the text between the first and the last letter."""
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else text
