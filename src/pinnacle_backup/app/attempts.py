"""
Attempts at passwords: counted by account and by address, so that guessing takes for ever.

Nobody is locked out: an account waits a minute at most, an address a quarter of an hour. And whoever has
logged in from an address before is counted by himself there, so that strangers who guess at his password from
elsewhere, all the time, do not keep him waiting.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.crypto.bearer import digest
from pinnacle_backup.errors import CodeRequired, NotAuthenticated, TooManyAttempts
from pinnacle_backup.model.accounts import is_name
from pinnacle_backup.state.logins import Limit, Logins

ACCOUNT_SECONDS: Final = 60.0
ADDRESS_SECONDS: Final = 900.0
_LONGEST: Final = 64


def limits_of(studio: Studio, name: str, address: str) -> tuple[Limit, ...]:
    """Return what attempts to be the user of a name from an address are counted by."""
    account, place = f"account {digest(name.casefold())}", place_of(address)
    if not place:
        return (Limit(account, ACCOUNT_SECONDS),)
    if is_name(name) and Logins(studio.state).is_known(name, place, studio.now()):
        return (Limit(f"{account} at {place}", ACCOUNT_SECONDS),)
    return Limit(account, ACCOUNT_SECONDS), *limits_of_address(address)


def limits_of_address(address: str) -> tuple[Limit, ...]:
    """Return what attempts without a name are counted by."""
    place = place_of(address)
    return (Limit(f"address {place}", ADDRESS_SECONDS),) if place else ()


@contextmanager
def attempt(studio: Studio, limits: Sequence[Limit]) -> Iterator[None]:
    """
    Count what happens in the block as a wrong password where it ends with ``NotAuthenticated``.

    Raises:
        TooManyAttempts: It has to wait; the block was not begun.
    """
    logins, began = Logins(studio.state), studio.now()
    wait = logins.begin(limits, began)
    if wait > 0:
        seconds = math.ceil(wait)
        raise TooManyAttempts(f"too many wrong passwords; try again in {seconds} s", retry_after=seconds)
    try:
        yield
    except CodeRequired:
        logins.forgive(limits, began)
        raise
    except NotAuthenticated:
        raise
    except BaseException:
        logins.forgive(limits, began)
        raise
    logins.forgive(limits, began)
    for limit in limits:
        if limit.subject.startswith("account"):  # an address stays what it was: others guess from there, too
            logins.forget(limit.subject)


def place_of(address: str) -> str:
    """Return what stands for an address: of IPv6 its network of 64 bits, which one customer has alone."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return one_line(address, limit=_LONGEST)
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
