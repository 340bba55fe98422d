"""Settings as people see and change them: never with a secret in them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

FROM_DEFAULT: Final = "default"
FROM_FILE: Final = "file"


class SettingValue(msgspec.Struct, frozen=True, kw_only=True):
    """
    One setting with its value in force.

    Attributes:
        path: Its place: ``backup.retention_days``.
        kind: ``array``, ``boolean``, ``number`` or ``text``.
        value: As JSON; of a secret only ``{"set": true}``, of a list of secrets also how many.
        default: As JSON.
        source: Where the value comes from: ``default``, ``file``, or the name of a variable or of a file.
        locked: Whether a variable of the environment says what it is, so that the file cannot.
        secret: Whether it can be set and cleared, but never read.
        nullable: Whether it may be null.
        expected: What it must be, in words.
        description: What it means.
        choices: All that it may be; empty where that cannot be listed.
        least, most: Of a number.
        items: What an array holds: ``text`` or ``object``; empty for all else.
    """

    path: str
    kind: str
    value: Any
    default: Any
    source: str
    locked: bool
    secret: bool
    nullable: bool
    expected: str
    description: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    items: str = ""


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """
    All settings.

    Attributes:
        file: The name of the configuration's file.
        settings: In the order of the schema.
        warnings: What a person should know.
    """

    file: str
    settings: tuple[SettingValue, ...]
    warnings: tuple[str, ...]


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """
    One change.

    Attributes:
        path: Of what.
        before, after: As JSON; of a secret only whether it is set.
        sensitive: Whether it takes the own password again.
    """

    path: str
    before: Any
    after: Any
    sensitive: bool = False


class FieldFault(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is wrong with one setting.

    Attributes:
        field: Its path.
        message: What was expected and what was found.
    """

    field: str
    message: str


class SettingsCheck(msgspec.Struct, frozen=True, kw_only=True):
    """
    What changes would do.

    Attributes:
        changes: What would be another than now.
        errors: Why they cannot be made; empty where they can.
    """

    changes: tuple[SettingChange, ...]
    errors: tuple[FieldFault, ...] = ()

    @property
    def sensitive(self) -> bool:
        """Whether they take the own password again."""
        return any(change.sensitive for change in self.changes)
