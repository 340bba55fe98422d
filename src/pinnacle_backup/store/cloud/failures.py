"""What an error of object storage means, in words for people. No answer of a server is shown unescaped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import botocore.exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from pinnacle_backup.errors import ObjectNotFound, PinnacleError, StoreDenied, StoreError, StoreFull
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.messages import cut, joined, where
from pinnacle_backup.store.cloud.place import CloudPlace

_DENIED: Final = "the key may not do this", "give it the right to {action} on the bucket, or use another key"
_REASONS: Final = {
    "InvalidAccessKeyId": ("the server does not know the access key", "check access_key"),
    "SignatureDoesNotMatch": (
        "the secret key is wrong",
        "check secret_key; a region or proxy can spoil it, too",
    ),
    "RequestTimeTooSkewed": ("the clock of this machine is wrong", "set it: `timedatectl set-ntp true`"),
    "RequestExpired": ("the clock of this machine is wrong", "set it: `timedatectl set-ntp true`"),
    "ExpiredToken": ("the temporary credentials have expired", "get new ones"),
    "ExpiredTokenException": ("the temporary credentials have expired", "get new ones"),
    "InvalidToken": ("the session token is not valid", "get new credentials"),
    "TokenRefreshRequired": ("the temporary credentials have expired", "get new ones"),
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "Forbidden": _DENIED,
    "403": ("the server refused it", "check the keys and their right to {action}"),
    "AuthorizationHeaderMalformed": ("the region is wrong", "set region to that of the bucket"),
    "PermanentRedirect": (
        "the bucket is in another region",
        "set region and endpoint_url to those of the bucket",
    ),
    "IllegalLocationConstraintException": (
        "the bucket is in another region",
        "set region to that of the bucket",
    ),
    "301": ("the bucket is in another region", "set region to that of the bucket"),
    "InvalidBucketName": ("that is no name of a bucket", "check bucket"),
    "NotImplemented": ("the server cannot do this", "`cloud test` shows what it can"),
    "501": ("the server cannot do this", "`cloud test` shows what it can"),
    "NoSuchUpload": ("the unfinished upload is gone", "somebody swept it; try again"),
    "InvalidObjectState": ("the object is in cold storage", "have the provider bring it back first"),
    "EntityTooLarge": ("the object is larger than the server takes", ""),
    "XAmzContentSHA256Mismatch": ("the bytes arrived damaged", "check the network and proxies in between"),
    "BadDigest": ("the bytes arrived damaged", "check the network and proxies in between"),
    "PreconditionFailed": ("somebody else changed it meanwhile", "try again"),
    "ConditionalRequestConflict": ("somebody else changed it meanwhile", "try again"),
    "412": ("somebody else changed it meanwhile", "try again"),
}
DAMAGED: Final = frozenset(("BadDigest", "XAmzContentSHA256Mismatch"))
"""What servers say when a body is not the one that was sent."""

_FORBIDDEN: Final = 403
_FULL: Final = frozenset(
    ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "StorageQuotaExceeded", "507")
)
_BUSY: Final = frozenset(("SlowDown", "Throttling", "TooManyRequests", "RequestLimitExceeded", "429"))
_ACTIONS: Final = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:GetObject and s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
}
_NO_KEYS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, fill ~/.aws/credentials, or set access_key and "
    "secret_key in config.json"
)
NO_TLS: Final = "WRONG_VERSION_NUMBER"
"""What OpenSSL says where the other side does not speak TLS at all."""

NO_TLS_ADVICE: Final = "check endpoint_url: its port, or http:// in place of https://"
_UNREACHED: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (boto.NoCredentialsError, "there are no credentials", _NO_KEYS),
    (boto.PartialCredentialsError, "the credentials are incomplete", "set both access_key and secret_key"),
    (boto.ProfileNotFound, "there is no such profile", "check profile and ~/.aws/config"),
    (boto.CredentialRetrievalError, "credentials could not be had", "check the sources in the profile"),
    (boto.InvalidRegionError, "that is no region", "check region"),
    (boto.ParamValidationError, "that is no name of a bucket", "check bucket"),
    (boto.SSLError, "the server's certificate was not accepted", "set ca_file to the one that signed it"),
    (boto.ProxyConnectionError, "the proxy was not reached", "check HTTPS_PROXY and NO_PROXY"),
    (boto.ConnectTimeoutError, "the server did not answer", "check endpoint_url, the network and firewalls"),
    (boto.ReadTimeoutError, "the server stopped answering", "try again later"),
    (boto.EndpointConnectionError, "the server was not reached", "check endpoint_url and the network"),
    (boto.ConnectionClosedError, "the server closed the connection", "try again later"),
    (boto.ResponseStreamingError, "the connection broke", "try again later"),
    (boto.IncompleteReadError, "the connection broke", "try again later"),
    (HTTPClientError, "the connection broke", "check endpoint_url and the network"),
)  # fmt: skip


class Incomplete(Exception):
    """An answer that is not the one asked for; worth asking again."""


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a refusal."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """Return the server's own word for a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def failures(place: CloudPlace, doing: str, name: str = "") -> Iterator[None]:
    """Turn what botocore raises into errors of ours."""
    try:
        yield
    except PinnacleError:
        raise
    except (ClientError, BotoCoreError, Incomplete, OSError, ValueError) as error:
        raise store_error(error, doing, place, name) from error


def store_error(error: Exception, doing: str, place: CloudPlace, name: str = "") -> StoreError:
    """
    Return the error to raise.

    Args:
        error: From botocore.
        doing: What was tried, as a verb: ``read``.
        place: Where.
        name: Of the object; empty for the place itself.
    """
    what = f"cannot {doing} {printable(joined(place, name))}"
    if isinstance(error, ClientError):
        return _refusal(error, what, place, name)
    if isinstance(error, boto.SSLError) and NO_TLS in str(error):
        return StoreError(f"{what}: the server speaks no TLS{where(place)}", hint=NO_TLS_ADVICE)
    for kind, reason, hint in _UNREACHED:
        if isinstance(error, kind):
            return StoreError(f"{what}: {reason}{where(place)}", hint=hint)
    return StoreError(f"{what}: {cut(str(error))}{where(place)}")


def _refusal(error: ClientError, what: str, place: CloudPlace, name: str) -> StoreError:
    """Only an object can be missing: a folder may be new, but a bucket that is not there is a mistake."""
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket":
        hint = "make it, or check bucket, region and endpoint_url"
        return StoreError(f"{what}: there is no bucket {printable(place.bucket)}{where(place)}", hint=hint)
    if name and (code in ("NoSuchKey", "404") or (status == 404 and code != "NoSuchUpload")):
        return ObjectNotFound(f"{what}: there is no such object")
    if code in _FULL or status == 507:
        return StoreFull(f"{what}: no space or quota left", hint="free some, or raise the quota")
    if code in _BUSY or status == 429:
        return StoreError(f"{what}: the server asks to slow down{_tries(error)}", hint="try again later")
    if code in _REASONS:
        reason, hint = _REASONS[code]
        action = _ACTIONS.get(error.operation_name, f"s3:{error.operation_name}")
        kind = StoreDenied if status == _FORBIDDEN else StoreError
        return kind(f"{what}: {reason}", hint=hint.format(action=action))
    said = cut(str(error.response.get("Error", {}).get("Message", "")))
    answer = code if code == str(status) else f"{status} {cut(code)}"
    return StoreError(f"{what}: the server answered {answer}: {said}{_tries(error)}")


def _tries(error: ClientError) -> str:
    retries = int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
    return f" (tried {retries + 1} times)" if retries else ""
