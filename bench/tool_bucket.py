"""The tools that work straight on a bucket, with no copy on this machine; all of them encrypt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, Protocol

from measure import Command
from tool import FULL, INCREMENTAL, PASSWORD, Tool, empty
from tool_pinnacle import Pinnacle
from tool_restic import Restic

BUCKET = "bench"


class Identity(Protocol):
    """Who asks."""

    access_key: str
    secret_key: str


class Bucket:
    """
    A bucket on a server.

    Args:
        url: Of the server.
        region: That it says it is in.
        who: Its owner.
        client: Of botocore, for what no tool is measured at.
    """

    def __init__(self, url: str, region: str, who: Identity, client: Any) -> None:
        self.url, self.region, self.who, self._client = url, region, who, client
        client.create_bucket(Bucket=BUCKET)

    def size(self, prefix: str) -> int:
        """Return the bytes of all objects below a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        return sum(entry["Size"] for page in pages for entry in page.get("Contents", ()))

    def variables(self) -> dict[str, str]:
        """Return what tools of Amazon's kind read from the environment."""
        return {
            "AWS_ACCESS_KEY_ID": self.who.access_key,
            "AWS_SECRET_ACCESS_KEY": self.who.secret_key,
            "AWS_DEFAULT_REGION": self.region,
        }


class BucketPinnacle(Pinnacle):
    """This project; the bucket is the only place of the backups."""

    def __init__(self, root: str, place: str, bucket: Bucket) -> None:
        super().__init__(root, place, encrypted=True)
        self._bucket, self._prefix = bucket, ""

    def setup(self) -> None:
        """Begin at a prefix of its own, with nothing remembered."""
        super().setup()
        self._prefix = f"pinnacle-{os.urandom(4).hex()}"
        path = os.path.join(self._root, "config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        config["backup"]["primary"] = "cloud"
        config["cloud_storage"] = {
            "enabled": True,
            "bucket": BUCKET,
            "prefix": self._prefix,
            "endpoint_url": self._bucket.url,
            "region": self._bucket.region,
            "access_key": self._bucket.who.access_key,
            "secret_key": self._bucket.who.secret_key,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def forget(self) -> None:
        """Have the next command know nothing of the bucket."""
        shutil.rmtree(os.path.join(self._place, "state"), ignore_errors=True)

    def size(self) -> int:
        """Return the bytes of the objects."""
        return self._bucket.size(self._prefix)


class BucketRestic(Restic):
    """restic with its defaults."""

    def __init__(self, root: str, place: str, bucket: Bucket) -> None:
        super().__init__(root, place)
        self._bucket, self._prefix = bucket, ""

    def setup(self) -> Command:
        """Make an empty repository at a prefix of its own."""
        self._prefix = f"restic-{os.urandom(4).hex()}"
        return super().setup()

    def size(self) -> int:
        """Return the bytes of the objects."""
        return self._bucket.size(self._prefix)

    def _variables(self) -> dict[str, str]:
        repository = f"s3:{self._bucket.url}/{BUCKET}/{self._prefix}"
        return {**super()._variables(), **self._bucket.variables(), "RESTIC_REPOSITORY": repository}


class Rclone:
    """
    rclone, with names and contents encrypted; it does not compress, and keeps one state.

    Args:
        root: The folder with `data`.
        place: Where it may write.
        bucket: Where it copies to.
    """

    name = "rclone"
    needs: tuple[str, ...] = ("rclone",)
    nanoseconds = True
    folders = False

    def __init__(self, root: str, place: str, bucket: Bucket) -> None:
        self._root, self._place, self._bucket, self._prefix = root, place, bucket, ""
        self._password = ""

    def setup(self) -> None:
        """Begin at a prefix of its own."""
        empty(self._place)
        self._prefix = f"rclone-{os.urandom(4).hex()}"
        obscure = ["rclone", "obscure", PASSWORD]
        self._password = subprocess.run(obscure, capture_output=True, check=True, text=True).stdout.strip()

    def full(self, label: str = FULL) -> Command:  # noqa: ARG002 - there is one state
        """Copy everything."""
        return self._run("sync", "--metadata", "data", "c:data")

    def incremental(self, label: str = INCREMENTAL) -> Command:  # noqa: ARG002 - there is one state
        """Copy what has another size or time."""
        return self.full()

    def restore(self, target: str, part: str = "", label: str = FULL) -> Command:  # noqa: ARG002 - one state
        """Copy everything back, or a part of it."""
        source, whole = (os.path.join(place, "data", part).rstrip("/") for place in ("c:", target))
        verb = "copyto" if os.path.isfile(os.path.join(self._root, "data", part)) else "copy"
        return self._run(verb, "--metadata", source.replace("c:/", "c:"), whole)

    def verify(self) -> Command:
        """Read every byte back, and compare it with the data: nothing else says what it should be."""
        return self._run("check", "--download", "data", "c:data")

    def thin(self) -> Command:
        """Do nothing: there is one state."""
        return self.help()

    def keep_newest(self) -> Command:
        """Do nothing: there is one state."""
        return self.help()

    def listing(self) -> Command:
        """List the folders."""
        return self._run("lsd", "c:")

    def help(self) -> Command:
        """Print the help."""
        return self._run("help")

    def size(self) -> int:
        """Return the bytes of the objects."""
        return self._bucket.size(self._prefix)

    def _run(self, *arguments: str) -> Command:
        settings = {
            "RCLONE_CONFIG": os.path.join(self._place, "none.conf"),
            "RCLONE_CONFIG_S_TYPE": "s3",
            "RCLONE_CONFIG_S_PROVIDER": "Other",
            "RCLONE_CONFIG_S_ENV_AUTH": "true",
            "RCLONE_CONFIG_S_ENDPOINT": self._bucket.url,
            "RCLONE_CONFIG_S_REGION": self._bucket.region,
            "RCLONE_CONFIG_C_TYPE": "crypt",
            "RCLONE_CONFIG_C_REMOTE": f"s:{BUCKET}/{self._prefix}",
            "RCLONE_CONFIG_C_PASSWORD": self._password,
        }
        options = ["--quiet"] if arguments[0] != "help" else []
        return Command(["rclone", *options, *arguments], self._root, {**self._bucket.variables(), **settings})


def bucket_tools(root: str, place: str, bucket: Bucket) -> dict[str, Tool]:
    """Return the tools that back up into a bucket."""
    return {
        "encrypted": BucketPinnacle(root, os.path.join(place, "encrypted"), bucket),
        "restic": BucketRestic(root, os.path.join(place, "restic"), bucket),
        "rclone": Rclone(root, os.path.join(place, "rclone"), bucket),
    }
