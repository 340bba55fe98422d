"""JSON Schema of what the API answers with, from the very structs; what they say of themselves goes along."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec

from pinnacle_backup.model.backup import BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.web.shapes import Shape

_REFERENCE: Final = "#/components/schemas/{name}"
_ATTRIBUTES: Final = re.compile(r"\s*^Attributes:\n", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"^    (\w+(?:, \w+)*): (.+(?:\n {6,}.+)*)", re.MULTILINE)
_ANSWER: Final = "Answer"
_OPTIONAL: Final = msgspec.UnsetType
_ENTRY: Final[Mapping[str, Any]] = {
    "path": str,
    "path_base64": str | _OPTIONAL,
    "type": str,
    "mode": str,
    "uid": int,
    "gid": int,
    "size": int,
    "mtime_ns": int,
    "sha256": str | None,
    "target": str | _OPTIONAL,
    "target_base64": str | _OPTIONAL,
    "group": int | str | _OPTIONAL,
    "changed": bool | _OPTIONAL,
    "xattrs": list[str] | _OPTIONAL,
}
_BACKUP: Final[Mapping[str, Any]] = {
    field.name: field.type
    for part in (BackupHeader, BackupTotals, BackupInfo)
    for field in msgspec.structs.fields(part)
    if field.name not in ("header", "totals")
}
_FLAT: Final = (
    ("BackupInfo", _BACKUP, (BackupInfo, BackupHeader, BackupTotals)),
    ("Entry", _ENTRY, (Entry,)),
)
"""What ``app.plain`` shows otherwise than the structs have it: the members, and what describes them."""


def schemas(shapes: Mapping[str, Shape]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return the schema of each shape, by the key that it has, and the components that they refer to.

    Args:
        shapes: Structs and objects; media types have no schema and are left out.
    """
    known = {key: shape for key, shape in shapes.items() if not isinstance(shape, str)}
    types = [_type(shape, f"{_ANSWER}{place}") for place, shape in enumerate(known.values())]
    found, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=_REFERENCE)
    inner = {name: components.pop(name) for name in [*components] if re.fullmatch(rf"{_ANSWER}\d+", name)}
    for name, members, parts in _FLAT:
        words = "\n".join(inspect.getdoc(part) or "" for part in parts)
        components[name] = {**_plain_object(members), "title": name, "description": words}
    _leave_out(components["BackupSummary"], ("index", "backup", "totals"))
    for component in components.values():
        _tell(component)
    answers = [inner.get(schema.get("$ref", "").rpartition("/")[2], schema) for schema in found]
    used = _reachable(answers, components)
    return (
        dict(zip(known, map(_untitled, answers), strict=True)),
        {name: components[name] for name in sorted(used)},
    )


def _reachable(schemas: Any, components: Mapping[str, Any]) -> set[str]:
    """Return the names of the components that these schemas lead to."""
    found: set[str] = set()
    waiting = [schemas]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, dict):
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(components[name])
            waiting += value.values()
    return found


def _type(shape: Any, name: str) -> Any:
    return _struct(name, shape) if isinstance(shape, Mapping) else shape


def _struct(name: str, members: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Return a struct with these members, of which some may be left out."""
    fields = [
        (member, kind, msgspec.UNSET) if msgspec.UnsetType in get_args(kind) else (member, kind)
        for member, kind in members.items()
    ]
    return msgspec.defstruct(name, fields, kw_only=True)


def _anything(_: type[Any]) -> dict[str, Any]:
    """Return the schema of what may be anything: members of a plain object."""
    return {"description": "Anything."}


def _plain_object(members: Mapping[str, Any]) -> dict[str, Any]:
    struct = _struct("Plain", members)
    _, components = msgspec.json.schema_components([struct], schema_hook=_anything, ref_template=_REFERENCE)
    described: dict[str, Any] = components["Plain"]
    return described


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}


def _leave_out(schema: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        schema["properties"].pop(name)
        schema["required"].remove(name)


def _tell(schema: dict[str, Any]) -> None:
    """Give each property its words from the list of attributes, and leave the summary to the whole."""
    text, *lists = _ATTRIBUTES.split(schema.get("description", ""))
    if text:
        schema["description"] = _readable(text)
    attributes = "\n".join(lists)
    for names, words in _ATTRIBUTE.findall(attributes):
        for name in names.split(", "):
            if name in schema.get("properties", {}):
                told = _readable(words)
                given = schema["properties"][name]
                schema["properties"][name] = (
                    {"allOf": [given], "description": told}
                    if "$ref" in given
                    else {**given, "description": told}
                )


def _readable(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
