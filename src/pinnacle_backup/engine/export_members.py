"""Which members of earlier archives an export may copy."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.archive.content import Member
from pinnacle_backup.archive.members import Codec

LARGEST_WRITTEN: Final = 16 << 20
"""A writer makes no members of more bytes, decompressed (format.md, 1)."""


def is_copyable(member: Member, codec: Codec) -> bool:
    """Tell whether a member may stand as it is in a new archive that is made with this codec."""
    return member.codec == codec.name and len(member.data) <= LARGEST_WRITTEN
