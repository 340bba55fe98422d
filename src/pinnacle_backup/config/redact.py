"""What may be written down: lines without secrets and without characters that fake or break a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from pinnacle_backup.model.paths import printable

MASK: Final = "********"

_SUSPECTS: Final = r"""
    (?P<before>
        --(?:encrypt|decrypt|[a-z-]*password) (?: = | ["'],\ ["'] | \s+ ) (?!--)
      | (?:password|passphrase|passwd|secret|secret_key|access_key|token) (?: = | ["']\s*[:=]\s* )
      | \b(?:Basic|Bearer)\s+ (?=[A-Za-z0-9+/=._~-]{8})
    )
    (?: "[^"]*" | '[^']*' | [^\s"',;&)\]}]+ )
  | (?P<scheme>://) [^/\s@]+ (?=@)
"""
"""Password arguments, assignments and members with telling names, authorization headers, URLs with a user."""

_WHOLE_WORD_BELOW: Final = 8
"""A shorter secret is masked only where it is a whole word: masks inside other words would spell it out."""

_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What a URL holds as it is (RFC 3986, 2.3)."""


def one_line(text: str, *, limit: int | None = None) -> str:
    """Return the text in printable characters, all others escaped, cut to the limit."""
    if limit is not None and len(text) > limit:
        text = text[: limit - 3] + "..."
    return printable(text.encode("utf-8", "backslashreplace").decode("utf-8"))


class Redactor:
    """Masks the secrets it knows, in every form they take, and what looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        texts = {text for secret in secrets for text in (secret, *_parts(secret))}
        forms = sorted({form for text in texts for form in _forms(text)}, key=len, reverse=True)
        self._known = re.compile("|".join(_matching(form) for form in forms)) if forms else None
        self._suspects = re.compile(_SUSPECTS, re.VERBOSE | re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return the text with masks."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return self._suspects.sub(lambda match: (match["before"] or match["scheme"]) + MASK, text)


def _parts(secret: str) -> list[str]:
    """
    Return what is secret in a URL by itself: an error names the path alone, or who logged in.

    The name of a host is none; what stands in its place without a dot is a token of some service.
    """
    _, is_url, rest = secret.partition("://")
    if not is_url:
        return []
    authority, *others = re.split(r"[/?&=#]", rest)
    user, _, host = authority.rpartition("@")
    has_name = "." in host or host.startswith("localhost")
    tokens = [*user.split(":"), *others, *([] if has_name else host.split(":"))]
    return [token for token in tokens if len(token) >= _WHOLE_WORD_BELOW]


def _forms(secret: str) -> set[str]:
    """Return the secret as plain text, Python, JSON, this module and a URL write it."""
    octets = secret.encode("utf-8", "surrogatepass")
    in_url = "".join(chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in octets)
    in_json = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {secret, repr(secret)[1:-1], one_line(secret), in_url, *in_json} - {""}


def _matching(form: str) -> str:
    pattern = re.escape(form)
    return pattern if len(form) >= _WHOLE_WORD_BELOW else rf"(?<!\w){pattern}(?!\w)"
