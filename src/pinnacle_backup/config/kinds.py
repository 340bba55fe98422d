"""What the values of the configuration can be, beyond what JSON tells apart."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta


def doc(text: str) -> Meta:
    """Return what a key means, in words."""
    return Meta(description=text)


def text_of(pattern: str, expected: str) -> Meta:
    """Return the rule for a text, and the words for what it must be."""
    return Meta(pattern=pattern, extra={"expected": expected})


# \Z and not $: in Python $ also matches before a line end, and a line end forges a mail header or a log line.
FilePath = Annotated[str, text_of(r"^[^\x00]+\Z", "a path")]
Rule = Annotated[str, text_of(r"^[^\x00]+\Z", "a pattern")]
TimeOfDay = Annotated[str, text_of(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", 'a time of day such as "02:00"')]
EmailAddress = Annotated[str, text_of(r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+\Z", "an e-mail address")]
EmailAddresses = Annotated[
    str,
    text_of(
        r"^[^@,\x00-\x20\x7f]+@[^@,\x00-\x20\x7f]+(, *[^@,\x00-\x20\x7f]+@[^@,\x00-\x20\x7f]+)*\Z",
        "one or more e-mail addresses, separated by commas",
    ),
]
HostName = Annotated[str, text_of(r"^[^\x00-\x20\x7f/@]*\Z", "the name of a server")]
Word = Annotated[str, text_of(r"^[^\x00-\x20\x7f/]*\Z", "a name without spaces and slashes")]
Prefix = Annotated[
    str,
    text_of(
        r"^([A-Za-z0-9_=+@,()-][A-Za-z0-9._=+@,() -]*(/(?=[^/])|/?\Z))*\Z", 'a place such as "studio/backups"'
    ),
]
Url = Annotated[str, text_of(r"^https?://[^\x00-\x20\x7f@]+\Z", 'a URL such as "https://s3.example.com"')]
Days = Annotated[int, Meta(ge=0, le=36500)]
Count = Annotated[int, Meta(ge=0, le=1000)]
