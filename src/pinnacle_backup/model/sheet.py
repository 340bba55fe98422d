"""The recovery sheet: what a person needs on paper when the machine is gone. It holds no secret."""

from __future__ import annotations

import msgspec


class SheetPlace(msgspec.Struct, frozen=True, kw_only=True):
    """
    A place where backups lie.

    Attributes:
        name: What it is called.
        address: Exactly where; the same words that ``recover`` takes.
        elsewhere: Whether it outlives this machine, as far as can be told.
        credentials: What opens the door to it, in words; empty where nothing is needed.
    """

    name: str
    address: str
    elsewhere: bool = False
    credentials: str = ""


class SheetStep(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing to do.

    Attributes:
        words: What.
        commands: What to type; empty where there is nothing to type.
    """

    words: str
    commands: tuple[str, ...] = ()


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """
    The recovery sheet of a studio.

    Attributes:
        studio: What the studio is called.
        facts: Names and values that identify it.
        places: Where backups lie, the most useful one after a loss first.
        encrypted: Whether it takes a password.
        passwords: What the passwords that open the newest backup are called; empty where that is unknown.
        steps: How to get everything back.
        without: How to open an archive without this program.
    """

    studio: str
    facts: tuple[tuple[str, str], ...]
    places: tuple[SheetPlace, ...]
    encrypted: bool
    passwords: tuple[str, ...] = ()
    steps: tuple[SheetStep, ...] = ()
    without: tuple[SheetStep, ...] = ()

    @property
    def address(self) -> str:
        """The address to recover from; empty where all backups lie on this machine alone."""
        return next((place.address for place in self.places if place.elsewhere), "")

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The facts, and the places after them."""
        return (*self.facts, *((f"Backups: {place.name}", place.address) for place in self.places))
