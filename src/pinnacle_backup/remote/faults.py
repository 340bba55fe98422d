"""Whatever can go wrong on a network, as one line that says what, where, and what to do."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import PinnacleError, ServerError
from pinnacle_backup.remote.address import Address

_CERTIFICATE: Final = (
    "with a self-made certificate, name a copy of it with --ca-file FILE; if it was good before, "
    "somebody may stand in between"
)
_WHERE: Final = "is it the right address, and does the server run?"
_PLAIN: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")


@contextmanager
def named_faults(address: Address) -> Iterator[None]:
    """
    Name what goes wrong in the block.

    Raises:
        ServerError: Something did.
    """
    try:
        yield
    except PinnacleError:
        raise
    except ssl.SSLError as error:
        raise _of_encryption(address, error) from None
    except http.client.IncompleteRead:
        raise ServerError(
            f"{address.url} broke off in the middle of its answer",
            hint="look at its log; `runs` shows what goes on there",
        ) from None
    except http.client.RemoteDisconnected:
        raise ServerError(f"{address.url} hung up without an answer", hint=_WHERE) from None
    except (http.client.HTTPException, UnicodeError):
        raise ServerError(f"{address.url} does not speak HTTP", hint=_WHERE) from None
    except OSError as error:
        raise _of_network(address, error) from None


def _of_encryption(address: Address, error: ssl.SSLError) -> ServerError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = one_line(error.verify_message.rstrip("."))
        return ServerError(f"the certificate of {address.url} cannot be trusted: {why}", hint=_CERTIFICATE)
    if (error.reason or "") in _PLAIN:
        return ServerError(f"{address.url} is not encrypted: no TLS is spoken there", hint=_WHERE)
    reason = (error.reason or "it broke off").replace("_", " ").lower()
    return ServerError(f"no encrypted connection to {address.url}: {reason}", hint=_WHERE)


def _of_network(address: Address, error: OSError) -> ServerError:
    if isinstance(error, socket.gaierror):
        return ServerError(f"nobody knows a machine {address.host}", hint="is the name right?")
    if isinstance(error, ConnectionRefusedError):
        return ServerError(f"nothing listens at {address.url}", hint=_WHERE)
    if isinstance(error, TimeoutError):
        return ServerError(f"{address.url} does not answer", hint=_WHERE)
    if isinstance(error, ConnectionError):
        return ServerError(f"{address.url} hung up without an answer", hint=_WHERE)
    return ServerError(f"{address.url} cannot be reached: {error.strerror or error}", hint=_WHERE)
