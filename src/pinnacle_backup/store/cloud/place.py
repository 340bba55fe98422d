"""Where in a cloud backups lie, and how to get there: plain values."""

from __future__ import annotations

from typing import Final

import msgspec

S3: Final = "s3"
GCS: Final = "gcs"
AZURE: Final = "azure"

_SCHEMES: Final = {S3: "s3", GCS: "gs", AZURE: "az"}


class CloudPlace(msgspec.Struct, frozen=True, kw_only=True):
    """
    A bucket, or a part of one.

    Attributes:
        provider: ``s3``, ``gcs`` or ``azure``.
        bucket: Its name.
        prefix: What the keys of all objects begin with, without the slash after it; empty for none.
        region: Empty for what the environment says, else ``us-east-1``.
        endpoint_url: Of a server other than the provider's own.
        access_key: Empty for the standard sources of credentials.
        secret_key: Belongs to it.
        profile: Of the provider's own configuration file, where no key is given.
        credentials_file: With ``gcs``, the key of a service account; empty for the standard sources.
        ca_file: Certificates to trust instead of the system's.
        addressing: How the bucket is named in requests: ``auto``, ``path`` or ``virtual``.
        upload_limit: Bytes per second; 0 for none.
        download_limit: Bytes per second; 0 for none.
        object_lock_days: How long what is stored cannot be deleted; 0 for what the bucket says.
        object_lock_mode: ``governance`` or ``compliance``.
        storage_class: Empty for the bucket's own.
        connections: How many requests run at once.
    """

    provider: str = S3
    bucket: str
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    access_key: str = ""
    secret_key: str = ""
    profile: str = ""
    credentials_file: str = ""
    ca_file: str = ""
    addressing: str = "auto"
    upload_limit: int = 0
    download_limit: int = 0
    object_lock_days: int = 0
    object_lock_mode: str = "governance"
    storage_class: str = ""
    connections: int = 4

    @property
    def address(self) -> str:
        """The place for people, and for the command line: ``s3://bucket/prefix``."""
        return f"{_SCHEMES.get(self.provider, self.provider)}://{self.bucket}" + (
            f"/{self.prefix}" if self.prefix else ""
        )

    def key(self, name: str) -> str:
        """Return the key of an object."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<CloudPlace {self.address}>"
