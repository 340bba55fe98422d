"""The service that makes backups by itself from every start of the machine on."""

from __future__ import annotations

import msgspec


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """
    What ``service install`` and ``service uninstall`` did.

    Attributes:
        name: How systemd calls it.
        file: The unit file.
        root: The studio root.
        user: Whether it belongs to one user instead of the machine.
        action: ``installed``, ``updated``, ``unchanged`` or ``removed``.
        notes: What a person should know.
    """

    name: str
    file: str
    root: str
    user: bool
    action: str
    notes: tuple[str, ...] = ()


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """
    How the service stands.

    Attributes:
        installed: Whether there is one for this studio.
        name, file, user: See ``Service``; empty where there is none.
        enabled: Whether it starts with the machine, in systemd's word.
        active: What it does now, in systemd's words; empty where systemd does not run.
        pid: Its process; 0 where it does not run.
        since: When it came into this state, in systemd's words.
        says: What it tells of itself.
        current: Whether the unit is what this version would write.
    """

    installed: bool
    name: str = ""
    file: str = ""
    user: bool = False
    enabled: str = ""
    active: str = ""
    pid: int = 0
    since: str = ""
    says: str = ""
    current: bool = True

    @property
    def runs(self) -> bool:
        """Whether it is up."""
        return self.active.startswith("active")
