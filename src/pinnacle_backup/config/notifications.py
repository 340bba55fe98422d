"""The part of the configuration that says who is told what, and how."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from pinnacle_backup.config.kinds import EmailAddress, EmailAddresses, FilePath, HostName, doc
from pinnacle_backup.config.secrets import Secret

IMPLICIT_TLS_PORT = 465


class Smtp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that notifications go through."""

    enabled: Annotated[bool, doc("Send notifications by e-mail.")] = False
    server: Annotated[HostName, doc("Name or address of the mail server.")] = "localhost"
    port: Annotated[int, Meta(ge=1, le=65535, description="Port of the mail server.")] = 587
    use_tls: Annotated[
        bool, doc("Encrypt the connection: from its beginning at port 465, with STARTTLS at all others.")
    ] = True
    use_ssl: Annotated[bool | None, doc("Encrypt from the beginning; null decides by the port.")] = None
    verify_certificate: Annotated[bool, doc("Refuse a server whose certificate does not prove its name.")] = (
        True
    )
    ca_file: Annotated[
        FilePath | None, doc("Certificates to trust instead of the machine's, in PEM form.")
    ] = None
    username: Annotated[str | None, doc("Account on the mail server; null where none is needed.")] = None
    password: Annotated[
        Secret | None, doc('Password of that account; better as `{"$file": "PATH"}` than in this file.')
    ] = None
    from_email: Annotated[EmailAddress, doc("Sender of the notifications.")] = "backup@ultra-pinnacle.ai"
    to_email: Annotated[EmailAddresses, doc("Who is told; several are separated by commas.")] = (
        "admin@ultra-pinnacle.ai"
    )
    timeout_seconds: Annotated[
        int, Meta(ge=1, le=300, description="Seconds after which a silent mail server counts as unreachable.")
    ] = 20

    def __post_init__(self) -> None:
        """Refuse to be switched on without a server."""
        if self.enabled and not self.server:
            raise ValueError("server: expected the name of a mail server, found an empty text")
        if self.use_ssl and not self.use_tls:
            raise ValueError("use_ssl: expected use_tls to be true as well")

    @property
    def implicit_tls(self) -> bool:
        """Whether the connection is encrypted before the first word."""
        if self.use_ssl is None:
            return self.use_tls and self.port == IMPLICIT_TLS_PORT
        return self.use_ssl


class Events(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told. Each is told once, when things change, and not again while they stay as they are."""

    failure: Annotated[bool, doc("A run failed, was killed, or found damage.")] = True
    warning: Annotated[bool, doc("A run ended with warnings.")] = True
    overdue: Annotated[bool, doc("A backup that should have been made was not.")] = True
    recovered: Annotated[bool, doc("What was wrong is right again.")] = True
    success: Annotated[bool, doc("Every run that went well.")] = False
    weekly_digest: Annotated[bool, doc("A summary of the week, on Monday at 8.")] = False


class Notifications(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told how backups went."""

    enabled: Annotated[bool, doc("Whether anybody is told at all.")] = True
    smtp: Smtp = Smtp()
    urls: Annotated[
        tuple[Secret, ...],
        doc(
            "Other services (chat, SMS, push) as addresses that Apprise understands; "
            "needs the extra `apprise`."
        ),
    ] = ()
    ping_url: Annotated[
        Secret | None,
        doc("Address that is called at the start and the end of each backup, as healthchecks.io expects."),
    ] = None
    events: Events = Events()
