"""The tools that are measured, by the names that `--tools` takes."""

from __future__ import annotations

import os

from tool import PASSWORD, PROJECT, Tool
from tool_borg import Borg
from tool_duplicity import Duplicity
from tool_pinnacle import Pinnacle
from tool_restic import Restic
from tool_tar import Tar

__all__ = ["PASSWORD", "PROJECT", "NAMES", "Tool", "all_tools"]

NAMES = ("plain", "encrypted", "deduplicated", "restic", "borg", "duplicity", "tar", "tar-zstd", "rclone")


def all_tools(root: str, place: str) -> dict[str, Tool]:
    """Return the tools that back up into a folder."""
    own = {name: os.path.join(place, name) for name in NAMES}
    return {
        "plain": Pinnacle(root, own["plain"]),
        "encrypted": Pinnacle(root, own["encrypted"], encrypted=True),
        "deduplicated": Pinnacle(root, own["deduplicated"], encrypted=True, deduplicated=True),
        "restic": Restic(root, own["restic"]),
        "borg": Borg(root, own["borg"]),
        "duplicity": Duplicity(root, own["duplicity"]),
        "tar": Tar(root, own["tar"]),
        "tar-zstd": Tar(root, own["tar-zstd"], "zstd"),
    }
