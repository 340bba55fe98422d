"""What is known of a backup as a whole."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

FULL: Final = "full"
INCREMENTAL: Final = "incremental"

FORMAT_VERSION: Final = 1

Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
"""A number of paths or bytes; decoding refuses others, which nothing could add up or show."""


class BackupHeader(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """
    Who a backup is. Fixed before its first byte is written; readable without a password.

    Attributes:
        format: Version of the archive format.
        repository: Id of the repository, 32 hex digits.
        id: Id of the backup, 32 hex digits.
        type: ``full`` or ``incremental``.
        created: Instant that the backup stands for, UTC, ISO 8601 with microseconds and ``Z``.
        base: Id of the full backup that an incremental builds on.
        safety: True for what a restore saved before it overwrote: only the paths it touched.
        compression: ``gzip`` or ``zstd``.
    """

    format: int = FORMAT_VERSION
    repository: str
    id: str
    type: str
    created: str
    base: str = ""
    safety: bool = False
    compression: str = "gzip"


class BackupTotals(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """
    What a backup amounts to. Readable without a password.

    Attributes:
        entries: Paths in the complete state (for an incremental: base and changes together).
        size: Bytes of content that the complete state represents.
        added: New paths against the base; of a full: all.
        changed: Paths whose content or metadata differ from the base's.
        deleted: Paths of the base that are gone.
        references: Ids of the other backups whose archives hold some of the content.
        warnings: How many sources could not be read, or changed while they were read.
        shrunk: True when suspiciously little was left of the sources: cleanup waits for a person.
    """

    entries: Count = 0
    size: Count = 0
    added: Count = 0
    changed: Count = 0
    deleted: Count = 0
    references: tuple[str, ...] = ()
    warnings: Count = 0
    shrunk: bool = False


class ManifestPart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    One member of the manifest: the entries from ``first`` on.

    Attributes:
        first: Path of the part's first entry, as base64 of its bytes.
        member: Offset of the member in the archive's plain stream.
        stored: Its compressed length.
        length: Its decompressed length.
        sha256: Of the compressed member, in hex.
    """

    first: bytes
    member: int
    stored: int
    length: int
    sha256: str


class BackupSummary(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """
    The manifest's last line: all that is not an entry.

    Attributes:
        backup: The header.
        totals: The totals.
        tool: Name and version of the writer.
        host: Name of the machine.
        sources: The configured paths that were read.
        databases: Paths of the SQLite databases among the entries, all of one instant.
        archives: Ids of backups by extent index; the first is this one.
        users: Names by uid (as decimal text).
        groups: Names by gid (as decimal text).
        warnings: One line for each source that could not be read as it should; at most 1,000.
        index: The manifest's parts in path order.
    """

    backup: BackupHeader
    totals: BackupTotals
    tool: str
    host: str
    sources: tuple[str, ...]
    archives: tuple[str, ...]
    index: tuple[ManifestPart, ...]
    databases: tuple[str, ...] = ()
    users: dict[str, str] = {}
    groups: dict[str, str] = {}
    warnings: tuple[str, ...] = ()


class BackupInfo(msgspec.Struct, frozen=True, kw_only=True):
    """
    A backup as ``list`` shows it: from the catalog, no password needed.

    Attributes:
        name: File name of the archive.
        header: The header.
        totals: The totals.
        stored: Size of the archive in bytes.
        encrypted: Whether a password is needed.
        pinned: Whether a person said that it stays.
        verified: Instant of the last successful verify, ISO 8601 UTC; empty when never.
    """

    name: str
    header: BackupHeader
    totals: BackupTotals
    stored: int
    encrypted: bool = False
    pinned: bool = False
    verified: str = ""
