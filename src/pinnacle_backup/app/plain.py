"""
Results as plain values: what ``--json`` prints and what the API answers.

Keys are the names of the attributes. A backup is one flat object; a path that is not UTF-8 stands
escaped in ``path`` and exactly in ``path_base64``.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from pinnacle_backup.model.backup import BackupInfo, BackupSummary
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable, to_bytes


def plain(value: object) -> Any:
    """Return the value as objects, arrays, text, numbers, booleans and null."""
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, int | float):  # most values: a list of a thousand backups has many
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return b64encode(value).decode() if isinstance(value, bytes) else _struct(value)


def _struct(value: object) -> Any:
    if isinstance(value, BackupInfo):
        return _backup(value)
    if isinstance(value, Entry):
        return _entry(value)
    if isinstance(value, BackupSummary):
        return _summary(value)
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value


def _backup(backup: BackupInfo) -> dict[str, Any]:
    """Return one flat object: nobody who reads a list cares which part of an archive a value comes from."""
    flat = {"name": backup.name}
    for part in (backup.header, backup.totals, backup):
        flat |= {
            name: plain(getattr(part, name))
            for name in part.__struct_fields__
            if name not in ("header", "totals")
        }
    return flat


def _summary(summary: BackupSummary) -> dict[str, Any]:
    """Return what is not said elsewhere already, without the manifest's index."""
    names = (name for name in summary.__struct_fields__ if name not in ("index", "backup", "totals"))
    return {name: plain(getattr(summary, name)) for name in names}


def _entry(entry: Entry) -> dict[str, Any]:
    """Return what a person or a script can use of an entry; where its bytes lie is the archive's affair."""
    fields: dict[str, Any] = {"path": printable(entry.path), "type": entry.type}
    fields |= _exact("path", entry.path)
    fields |= {"mode": f"{entry.mode:04o}", "uid": entry.uid, "gid": entry.gid, "size": entry.size}
    fields |= {"mtime_ns": entry.mtime_ns, "sha256": entry.sha256}
    if entry.target:
        fields |= {"target": printable(entry.target), **_exact("target", entry.target)}
    for name in ("group", "changed"):
        if getattr(entry, name):
            fields[name] = getattr(entry, name)
    if entry.xattrs:
        fields["xattrs"] = sorted(printable(name) for name in entry.xattrs)
    return fields


def _exact(key: str, path: str) -> dict[str, str]:
    """Return the bytes of a path that text cannot carry."""
    exact = to_bytes(path)
    return {} if exact == printable(path).encode() else {f"{key}_base64": b64encode(exact).decode()}
