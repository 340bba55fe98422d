"""
The schema as a flat table: one row for every setting, by its JSON path.

It answers what an error message, a variable of the environment and the reference need to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from pinnacle_backup.config.schema import SECTIONS, Configuration

OBJECT: Final = "object"
ARRAY: Final = "array"
BOOLEAN: Final = "boolean"
NUMBER: Final = "number"
TEXT: Final = "text"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """
    One key of the configuration.

    Attributes:
        path: Its place: ``backup.retention_days``. Values in an array have its path and ``[]``.
        kind: ``object`` for a section, else ``array``, ``boolean``, ``number`` or ``text``.
        nullable: Whether it may be null.
        secret: Whether its value is never shown.
        expected: What it must be, in words.
        description: What it means.
        default: Its default as a JSON value; of a section: None.
        required: Whether it must be given.
        choices: All that it may be; empty where that cannot be listed.
        least, most: Of a number.
    """

    path: str
    kind: str
    nullable: bool = False
    secret: bool = False
    expected: str
    description: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None

    @property
    def variable(self) -> str:
        """Name of the variable of the environment that overrides it."""
        return "PINNACLE_" + self.path.upper().replace(".", "__")


def settings() -> dict[str, Setting]:
    """Return all settings by path, in the order of the schema."""
    root = inspect.type_info(Configuration)
    assert isinstance(root, inspect.StructType)
    fields = [field for field in root.fields if field.name in SECTIONS]
    return {
        setting.path: setting for field in fields for setting in _rows(field.name, field.type, field.default)
    }


def _rows(path: str, type_: inspect.Type, default: object, *, required: bool = False) -> Iterator[Setting]:
    described, extra, bare, nullable = _unwrapped(type_)
    expected = str(extra.get("expected") or _expected(bare))
    yield Setting(
        path=path,
        kind=_kind(bare),
        nullable=nullable,
        secret=isinstance(bare, inspect.CustomType),
        expected=f"{expected} or null" if nullable else expected,
        description=described or (bare.cls.__doc__ or "" if isinstance(bare, inspect.StructType) else ""),
        default=None if required or isinstance(bare, inspect.StructType) else msgspec.to_builtins(default),
        required=required,
        choices=tuple(map(str, bare.values)) if isinstance(bare, inspect.LiteralType) else (),
        least=bare.ge if isinstance(bare, inspect.IntType) else None,
        most=bare.le if isinstance(bare, inspect.IntType) else None,
    )
    if isinstance(bare, inspect.StructType):  # what is inherited comes last
        for field in sorted(bare.fields, key=lambda each: each.name not in bare.cls.__annotations__):
            yield from _rows(f"{path}.{field.name}", field.type, field.default, required=field.required)
    elif isinstance(bare, inspect.VarTupleType):
        yield from _rows(f"{path}[]", bare.item_type, None)


def _unwrapped(type_: inspect.Type) -> tuple[str, dict[str, Any], inspect.Type, bool]:
    """Return description, extras, the type itself and whether null is allowed beside it."""
    description, nullable = "", False
    extra: dict[str, Any] = {}
    while isinstance(type_, inspect.Metadata | inspect.UnionType):
        if isinstance(type_, inspect.Metadata):
            description = description or (type_.extra_json_schema or {}).get("description", "")
            extra |= type_.extra or {}
            type_ = type_.type
        else:
            nullable = True
            type_ = next(each for each in type_.types if not isinstance(each, inspect.NoneType))
    return description, extra, type_, nullable


def _kind(type_: inspect.Type) -> str:
    kinds = {
        inspect.StructType: OBJECT,
        inspect.VarTupleType: ARRAY,
        inspect.BoolType: BOOLEAN,
        inspect.IntType: NUMBER,
    }
    return kinds.get(type(type_), TEXT)


def _expected(type_: inspect.Type) -> str:
    if isinstance(type_, inspect.IntType):
        return f"a whole number from {type_.ge} to {type_.le}"
    if isinstance(type_, inspect.LiteralType):
        return " or ".join(f'"{value}"' for value in type_.values)
    if isinstance(type_, inspect.VarTupleType):
        what = _kind(_unwrapped(type_.item_type)[2])
        return "an array of objects" if what == OBJECT else "an array of texts"
    return {OBJECT: "an object", BOOLEAN: "true or false"}.get(_kind(type_), "text")
