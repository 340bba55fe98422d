"""Members of an archive that is never written."""

from __future__ import annotations


class Members:
    """Takes members as an archive writer does, and gives them back."""

    def __init__(self) -> None:
        self.members: dict[int, bytes] = {}
        self.end = 0

    def append(self, member: bytes) -> int:
        offset, self.end = self.end, self.end + len(member)
        self.members[offset] = bytes(member)
        return offset
