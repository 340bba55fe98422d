"""
Answers turned back into the values of the model: the other direction of ``app.plain``.

A backup comes as one flat object, an entry with its mode as text and its path in base64 where text cannot
carry it. Where bytes lie is the archive's affair and does not travel; what decodes is equal in all that is
printed.
"""

from __future__ import annotations

from base64 import b64decode
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from pinnacle_backup.model.backup import BackupHeader, BackupInfo, BackupSummary, BackupTotals
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes

T = TypeVar("T")


def decode(body: bytes, kind: type[T]) -> T:
    """
    Return the value that an answer holds.

    Raises:
        msgspec.MsgspecError, ValueError: It holds no such value.
    """
    return convert(msgspec.json.decode(body), kind)


def convert(value: object, kind: type[T]) -> T:
    """
    Return a value of the model from objects, arrays, text and numbers.

    Raises:
        msgspec.MsgspecError, ValueError: They make none.
    """
    return msgspec.convert(_shaped(value, kind), type=kind)


def _shaped(value: Any, kind: Any) -> Any:
    """Return the value in the shape that the kind has."""
    if isinstance(value, dict):
        return _object(value, kind)
    if isinstance(value, list):
        inner = next(iter(get_args(_only(kind))), Any)
        return [_shaped(each, inner) for each in value]
    return value


def _object(value: dict[str, Any], kind: Any) -> Any:
    kind = _only(kind)
    if kind is BackupInfo and "header" not in value:
        return _backup(value)
    if kind is Entry:
        return _entry(value)
    if kind is BackupSummary:
        return _summary(value)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        kinds = {field.name: field.type for field in msgspec.structs.fields(kind)}
        return {name: _shaped(each, kinds.get(name, Any)) for name, each in value.items()}
    return value


def _only(kind: Any) -> Any:
    """Return what a kind is where it is not None."""
    if get_origin(kind) in (Union, UnionType):
        return next((each for each in get_args(kind) if each is not type(None)), kind)
    return kind


def _backup(value: dict[str, Any]) -> dict[str, Any]:
    header = {name: value[name] for name in BackupHeader.__struct_fields__ if name in value}
    totals = {name: value[name] for name in BackupTotals.__struct_fields__ if name in value}
    own = {name: value[name] for name in BackupInfo.__struct_fields__ if name in value}
    return {**own, "header": header, "totals": totals}


def _entry(value: dict[str, Any]) -> dict[str, Any]:
    known = {name: each for name, each in value.items() if name in Entry.__struct_fields__}
    known["mode"] = int(str(value["mode"]), 8)
    known["xattrs"] = dict.fromkeys(value.get("xattrs", ()), "")
    for name in ("path", "target"):
        if exact := value.get(f"{name}_base64"):
            known[name] = from_bytes(b64decode(exact))
    return known


def _summary(value: dict[str, Any]) -> dict[str, Any]:
    """Return a summary; what the backup itself says already is left empty."""
    header = {"repository": "", "id": "", "type": "", "created": ""}
    return {**value, "backup": header, "totals": {}, "index": []}
