"""Is somebody there, over a line that can be trusted, and who are we to him?"""

from __future__ import annotations

import os
import socket
import ssl
import time
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.words import duration
from pinnacle_backup.store.cloud.failures import NO_TLS, NO_TLS_ADVICE, code_of, status_of
from pinnacle_backup.store.cloud.probes.probe import (
    Findings,
    Probe,
    Stop,
    failed,
    failed_by,
    good,
    note,
    warning,
)

_SECONDS: Final = 10
_SOON_DAYS: Final = 14
_LOOPBACK: Final = ("127.", "::1")
_SOURCES: Final = {
    "explicit": "access_key and secret_key of the configuration",
    "env": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    "shared-credentials-file": "the file ~/.aws/credentials",
    "config-file": "the file ~/.aws/config",
    "assume-role": "a role that the profile names",
    "assume-role-with-web-identity": "a web identity",
    "sso": "a single sign-on",
    "container-role": "the role of this container",
    "iam-role": "the role of this machine",
    "custom-process": "the program that the profile names",
}
_CLOCK_GOOD: Final = 5
_CLOCK_BAD: Final = 60


def address(probe: Probe) -> Findings:
    """Ask whether the server's name leads to it, and over what kind of line."""
    parts = urlsplit(probe.client.meta.endpoint_url)
    try:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        yield failed("address", f"{printable(parts.netloc)} is no address: {error}", "check endpoint_url")
        raise Stop from None
    proxy = getproxies().get(parts.scheme, "")
    if proxy and not proxy_bypass(host):
        yield note("address", f"{printable(host)} by way of the proxy {_without_secrets(proxy)}")
        return
    began = time.monotonic()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield failed(
            "address", f"no such host: {printable(host)} ({error.strerror})", "check endpoint_url and region"
        )
        raise Stop from None
    number = str(found[0][4][0])
    where = printable(host) if number == host else f"{printable(host)} is {number}"
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as line:
            took = duration(time.monotonic() - began) if time.monotonic() - began > 0.05 else "at once"
            if parts.scheme == "https":
                yield _encrypted(probe, line, host, f"{where}, port {port} answers {took}")
                return
    except ssl.SSLError as error:
        yield _not_trusted(where, error)
        raise Stop from None
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "check endpoint_url, its port, the network and firewalls"
        yield failed("address", f"{where}, but port {port} does not answer: {reason}", advice)
        raise Stop from None
    yield _plain(where, port, took, loopback=number.startswith(_LOOPBACK))


def _not_trusted(where: str, error: ssl.SSLError) -> Any:
    if error.reason == NO_TLS:
        return failed("address", f"{where}, but what answers speaks no TLS", NO_TLS_ADVICE)
    reason = getattr(error, "verify_message", "") or error.reason or str(error)
    advice = "set ca_file to the certificate that signed the server's, or endpoint_url to the name it is for"
    return failed("address", f"{where}, but its certificate was not accepted: {printable(reason)}", advice)


def _encrypted(probe: Probe, line: socket.socket, host: str, where: str) -> Any:
    context = ssl.create_default_context(
        cafile=probe.place.ca_file or os.environ.get("AWS_CA_BUNDLE") or None
    )
    with context.wrap_socket(line, server_hostname=host) as encrypted:
        certificate = encrypted.getpeercert() or {}
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        days = (ends - datetime.now(UTC)).days
        words = f"{where}, {encrypted.version()}, certificate until {ends:%F}"
    if days < _SOON_DAYS:
        return warning("address", f"{words}: {days} days", "have the server's certificate renewed")
    return good("address", words)


def _plain(where: str, port: int, took: str, *, loopback: bool) -> Any:
    words = f"{where}, port {port} answers {took}, not encrypted"
    if loopback:
        return good("address", words)
    advice = "use https in endpoint_url; backups that are not encrypted can be read on the way"
    return warning("address", words, advice)


def credentials(probe: Probe) -> Findings:
    """Ask where the keys come from; the secret is never shown."""
    try:
        found = probe.client._request_signer._credentials  # noqa: SLF001 - nothing public tells which were chosen
    except AttributeError:
        return
    if found is None:
        advice = (
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, fill ~/.aws/credentials, or set access_key and "
            "secret_key in config.json"
        )
        yield failed("credentials", "there are none", advice)
        raise Stop
    source = _SOURCES.get(found.method, printable(str(found.method)))
    temporary = ", temporary" if found.token else ""
    key = str(found.access_key)
    yield good("credentials", f"{source}: {printable(key[:4])}...{printable(key[-2:])}{temporary}")


def bucket(probe: Probe) -> Findings:
    """Ask whether the bucket is there, in which region, and whether the keys are known."""
    try:
        answer = probe.ask("head_bucket")
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        yield _region(probe, headers.get("x-amz-bucket-region", ""))
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        yield from _clock(headers.get("date", ""))  # what is wrong may be just that
        yield from _no_bucket(probe, error)
        return
    except BotoCoreError as error:
        yield failed_by("bucket", probe.error(error, "reach"))
        raise Stop from None
    yield from _clock(headers.get("date", ""))


def _region(probe: Probe, there: str) -> Any:
    here = probe.client.meta.region_name
    if there and there != here:
        return warning(
            "bucket",
            f"it is there, in {printable(there)}, not in {here}",
            f"set region to {printable(there)}",
        )
    return good(
        "bucket", f"{printable(probe.place.bucket)} is there" + (f", in {printable(there)}" if there else "")
    )


def _no_bucket(probe: Probe, error: ClientError) -> Findings:
    """HEAD has no body that says why, so the reason is found by asking for a list."""
    refusal = error
    try:
        probe.ask("list_objects_v2", MaxKeys=1)
    except ClientError as said:
        refusal = said
    except BotoCoreError:
        pass
    if status_of(refusal) == 403 and code_of(refusal) == "AccessDenied":
        yield note("bucket", "the key may not ask whether it is there", "give it s3:ListBucket on the bucket")
        return
    yield failed_by("bucket", probe.error(refusal, "use"))
    raise Stop


def _clock(date: str) -> Findings:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to import

    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return
    behind = (there - datetime.now(UTC)).total_seconds()
    words = f"this machine's is {duration(abs(behind))} {'behind' if behind > 0 else 'ahead'}"
    if abs(behind) <= _CLOCK_GOOD:
        yield good("clock", "the same here and there")
    elif abs(behind) <= _CLOCK_BAD:
        yield note("clock", words)
    else:
        yield warning("clock", words, "set it: `timedatectl set-ntp true`; from 15 minutes on nothing works")


def _without_secrets(proxy: str) -> str:
    parts = urlsplit(proxy)
    return printable(f"{parts.hostname or proxy.rpartition('@')[2]}:{parts.port or ''}".rstrip(":"))
