"""The part of the configuration that says where backups are kept besides the folder on this machine."""

from __future__ import annotations

import os
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from pinnacle_backup.config.kinds import Days, FilePath, Prefix, Url, Word, doc, text_of
from pinnacle_backup.config.schedule import JobName
from pinnacle_backup.config.secrets import Secret

CLOUD: Final = "cloud"
"""What the bucket of ``cloud_storage`` is called."""
LOCAL: Final = "local"
Speed = Annotated[int, Meta(ge=0, le=2**31)]
Addressing = Literal["auto", "path", "virtual"]


class Bucket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a bucket is, and how it is used."""

    bucket: Annotated[Word, doc("Name of the bucket; with `azure`, of the container.")] = (
        "ultra-pinnacle-backups"
    )
    prefix: Annotated[
        Prefix, doc("Where in the bucket: `studio/backups`. One place for each studio; empty is the top.")
    ] = ""
    access_key: Annotated[
        Secret | None,
        doc(
            "Access key; null, with `secret_key`, takes the standard AWS credentials. With `azure`, the "
            "name of the account."
        ),
    ] = None
    secret_key: Annotated[Secret | None, doc("Secret key that belongs to the access key.")] = None
    profile: Annotated[Word | None, doc("Profile of the standard AWS credentials; null is the default.")] = (
        None
    )
    credentials_file: Annotated[
        FilePath | None, doc("With `gcs`: the key of a service account; null takes the standard credentials.")
    ] = None
    region: Annotated[Word, doc("Region of the bucket.")] = "us-east-1"
    endpoint_url: Annotated[
        Url | None, doc("Address of a provider other than AWS (MinIO, DigitalOcean Spaces ...).")
    ] = None
    addressing: Annotated[
        Addressing,
        doc("Whether the bucket stands in the path of an address or in the name of its host."),
    ] = "auto"
    ca_file: Annotated[
        FilePath | None, doc("Certificates to trust in place of the system's, for an endpoint of your own.")
    ] = None
    upload_kib_per_second: Annotated[Speed, doc("Send no faster than this, in KiB/s; 0 is no limit.")] = 0
    download_kib_per_second: Annotated[Speed, doc("Fetch no faster than this, in KiB/s; 0 is no limit.")] = 0
    object_lock_days: Annotated[
        Days,
        doc(
            "Days for which the provider lets nobody delete or change what was stored; 0 asks for none. "
            "The bucket must have been made with Object Lock."
        ),
    ] = 0
    object_lock_mode: Annotated[
        Literal["governance", "compliance"],
        doc(
            "`compliance` binds even the owner of the account; `governance` can be lifted by a special right."
        ),
    ] = "governance"
    storage_class: Annotated[Word | None, doc("Such as `STANDARD_IA`; null is the bucket's own.")] = None
    retention_days: Annotated[
        Days | None, doc("Days that a full backup stays there; null is as long as here.")
    ] = None

    def check(self, provider: str) -> None:
        """
        Refuse a bucket that could not be used.

        Raises:
            ValueError: Begins with the key that it is about.
        """
        if not self.bucket:
            raise ValueError("bucket: expected the name of a bucket, found an empty text")
        if bool(self.access_key) != bool(self.secret_key):
            missing = "secret_key" if self.access_key else "access_key"
            raise ValueError(f"{missing}: expected access_key and secret_key together, or both null")
        if self.object_lock_days and provider != "s3":
            raise ValueError("object_lock_days: expected 0: only s3 has this lock")


class CloudStorage(Bucket, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second place for backups: a bucket at a provider that speaks S3, or at Google or Azure."""

    enabled: Annotated[bool, doc("Copy every backup to the bucket.")] = False
    provider: Annotated[
        Literal["s3", "gcs", "azure"], doc("The protocol: `s3` is S3, whoever the provider is.")
    ] = "s3"

    def __post_init__(self) -> None:
        """Refuse to be switched on without a bucket, or with half of the credentials."""
        if self.enabled:
            self.check(self.provider)


class Destination(Bucket, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One more place for backups: a folder, or a bucket in another region or at another provider."""

    name: Annotated[JobName, doc("What it is called in commands, messages and on pages.")]
    provider: Annotated[
        Literal["local", "s3", "gcs", "azure"], doc("`local` is a folder; the others are buckets.")
    ]
    path: Annotated[str, text_of(r"^[^\x00]*\Z", "a path"), doc("The folder, with `local`.")] = ""
    automatic: Annotated[
        bool, doc("Bring each backup there as soon as it is made; if false, only `copy` does.")
    ] = True

    def __post_init__(self) -> None:
        """Refuse what names no place. A message begins with the key it is about."""
        if self.name == CLOUD:
            raise ValueError(f'name: "{CLOUD}" is the name of the bucket in cloud_storage')
        if self.provider != LOCAL:
            self.check(self.provider)
        if (self.provider == LOCAL) != bool(self.path):
            raise ValueError("path: expected a folder with local, and none with a bucket")


def check_destinations(destinations: tuple[Destination, ...], directory: str) -> None:
    """
    Refuse two places of one name, and the folder that the backups are in already.

    Raises:
        ValueError: Begins with the key that it is about.
    """
    names = [each.name for each in destinations]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f'destinations: "{twice}" is there twice: expected a name of its own for each')
    for each in destinations:
        if each.path and os.path.normpath(each.path) == os.path.normpath(directory):
            raise ValueError(f'destinations: "{each.name}" is backup.directory: expected another folder')
