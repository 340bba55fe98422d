"""
What an error of obstore means, in words for people.

obstore tells everything in one text, with addresses that may hold signatures and with Rust's own account of
the matter. Only what the server said is shown of it, and that unescaped never.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from pinnacle_backup.errors import ObjectNotFound, PinnacleError, StoreDenied, StoreError, StoreFull
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.messages import cut, joined, where
from pinnacle_backup.store.cloud.place import GCS, CloudPlace

NO_BUCKET: Final = frozenset(("ContainerNotFound", "NoSuchBucket", "ContainerBeingDeleted"))
_BUSY: Final = frozenset((429, 503))
_FORBIDDEN: Final = frozenset((401, 403))
_FULL: Final = frozenset(("AccountLimitExceeded", "QuotaExceeded", "InsufficientStorage"))
_WRONG_KEY: Final = (
    "the credentials were not accepted",
    "check access_key, secret_key or credentials_file, and the clock of this machine",
)
_DENIED: Final = "the key may not do this", "give it the right to read, write, list and delete objects there"
_REFUSED: Final = (
    "the server refused it",
    "check access_key, secret_key or credentials_file, and what they may do from this address",
)
_PROTECTED: Final = (
    "a retention policy or a hold of the provider protects it",
    "cleanup removes it when that has ended",
)
_CHANGED: Final = "somebody else changed it meanwhile", "try again"
_CODES: Final = {
    "AuthenticationFailed": _WRONG_KEY,
    "InvalidAuthenticationInfo": _WRONG_KEY,
    "NoAuthenticationInformation": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "AuthorizationFailure": _REFUSED,
    "AuthorizationPermissionMismatch": _DENIED,
    "InsufficientAccountPermissions": _DENIED,
    "AccessDenied": _DENIED,
    "BlobImmutableDueToPolicy": _PROTECTED,
    "BlobImmutableDueToLegalHold": _PROTECTED,
    "RetentionPolicyNotMet": _PROTECTED,
    "ObjectUnderActiveHold": _PROTECTED,
    "LeaseIdMissing": ("somebody locked it at the provider", "break the lease there"),
    "BlobArchived": ("the object is in cold storage", "have the provider bring it back first"),
    "InvalidResourceName": ("that is no name of a container", "check bucket"),
    "InvalidBucketName": ("that is no name of a bucket", "check bucket"),
}
_STATUSES: Final = {
    401: _WRONG_KEY,
    403: _REFUSED,
    409: _CHANGED,
    412: _CHANGED,
    501: ("the server cannot do this", ""),
}
_NO_KEYS: Final = {
    True: "set credentials_file, or GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default "
    "login`",
    False: "set access_key (the account) and secret_key (its key), or AZURE_STORAGE_ACCOUNT_NAME and "
    "AZURE_STORAGE_ACCOUNT_KEY",
}
_METADATA: Final = ("169.254.169.254", "metadata.google.internal")
"""Where the machine of a provider is asked for credentials, when there are no others."""

# What obstore says before it asks anybody, and how connections fail, in the order in which it is looked for.
_SIGNS: Final = (
    ("Account must be specified", "no account is named", "set access_key, or AZURE_STORAGE_ACCOUNT_NAME"),
    ("Invalid Access Key", "secret_key is no account key", "copy it anew: it is Base64"),
    ("Unable to open service account file", "credentials_file cannot be read", "check its path and rights"),
    ("Unable to decode service account file", "credentials_file is no key of a service account", ""),
    ("credential error", "credentials_file cannot be used", "have the provider make a new key, in JSON"),
    ("oken request", "the provider gave no access for these credentials", "check them; are they revoked?"),
    ("dns error", "there is no server of that name", "check endpoint_url and the network"),
    ("certificate", "the server's certificate was not accepted", "set ca_file to the one that signed it"),
    ("Connection refused", "the server was not reached", "check endpoint_url and the network"),
    ("TimedOut", "the server did not answer", "check endpoint_url, the network and firewalls"),
    ("operation timed out", "the server did not answer", "check endpoint_url, the network and firewalls"),
    ("HTTP error", "the connection broke or was not made", "check endpoint_url and the network"),
)


@contextlib.contextmanager
def failures(place: CloudPlace, doing: str, name: str = "") -> Iterator[None]:
    """Turn what obstore raises into errors of ours."""
    try:
        yield
    except PinnacleError:
        raise
    except Exception as error:
        if not is_from_obstore(error):
            raise
        raise store_error(error, doing, place, name) from None  # its text is long, and may hold signatures


def is_from_obstore(error: BaseException) -> bool:
    """Tell whether obstore raised it; its classes are others in each process."""
    return isinstance(error, (OSError, ValueError)) or type(error).__module__ == "obstore.exceptions"


def is_missing(error: BaseException) -> bool:
    """Tell whether the object is not there, or what it is in."""
    return isinstance(error, FileNotFoundError)


def is_refused(error: BaseException) -> bool:
    """Tell whether the key may not do it."""
    return type(error).__name__ == "PermissionDeniedError"


def is_conflict(error: BaseException) -> bool:
    """Tell whether the object is not what the request said it must be."""
    return type(error).__name__ in ("AlreadyExistsError", "PreconditionError")


def store_error(error: Exception, doing: str, place: CloudPlace, name: str = "") -> StoreError:
    """
    Return the error to raise.

    Args:
        error: From obstore.
        doing: What was tried, as a verb: ``read``.
        place: Where.
        name: Of the object; empty for the place itself.
    """
    text, what = str(error), f"cannot {doing} {printable(joined(place, name))}"
    status, code = int(_found(r"status code: (\d{3})", text) or 0), _found(r"<Code>([^<]+)</Code>", text)
    if code in NO_BUCKET:
        kind = "bucket" if place.provider == GCS else "container"
        missing = f"{what}: there is no {kind} {printable(place.bucket)}{where(place)}"
        return StoreError(missing, hint="make it, or check bucket and endpoint_url")
    if name and is_missing(error):  # only an object: a bucket that is not there is a mistake
        return ObjectNotFound(f"{what}: there is no such object")
    if any(host in text for host in _METADATA):
        return StoreError(f"{what}: there are no credentials", hint=_NO_KEYS[place.provider == GCS])
    if code in _FULL or status == 507:
        return StoreFull(f"{what}: no space or quota left", hint="free some, or raise the quota")
    if status in _BUSY:
        return StoreError(f"{what}: the server asks to slow down{_tries(text)}", hint="try again later")
    reason, hint = _reason(text, code, status, is_conflict(error))
    raised = StoreDenied if status in _FORBIDDEN else StoreError
    return raised(f"{what}: {reason}{_tries(text)}{where(place)}", hint=hint)


def _reason(text: str, code: str, status: int, conflict: bool) -> tuple[str, str]:  # noqa: FBT001
    if code in _CODES:
        return _CODES[code]
    for sign, reason, hint in _SIGNS:
        if sign in text and (not status or sign == "oken request"):
            return reason, hint
    if conflict:
        return _CHANGED
    if status in _STATUSES:
        return _STATUSES[status]
    if status:
        said = _found(r"<Message>([^<\n]+)", text) or _found(r'"message":\s*"([^"]+)"', text)
        return f"the server answered {status} {cut(code)}: {cut(said)}", ""
    return cut(text.partition("\n")[0].partition("http")[0]), ""


def _tries(text: str) -> str:
    retries = _found(r"after (\d+) retries", text)
    return f" (tried {int(retries) + 1} times)" if retries else ""


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""
