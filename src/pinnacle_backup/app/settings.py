"""
The settings, looked at and changed one by one: checked as one types, secrets only ever written.

Values from variables and files (``$env``, ``$file``) are written into ``config.json`` by hand: who may change
settings over the network must not be able to have any file of the machine read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from pinnacle_backup.app.auditing import audit
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.edit import tried, update
from pinnacle_backup.config.load import document, values_of
from pinnacle_backup.config.redact import MASK
from pinnacle_backup.config.schema import SECTIONS, Configuration
from pinnacle_backup.config.secrets import masked, secrets_in
from pinnacle_backup.config.settings import ARRAY, OBJECT, Setting, settings
from pinnacle_backup.config.strict_json import SIZE_LIMIT
from pinnacle_backup.config.values import ENVIRONMENT, FILE, Values, walk
from pinnacle_backup.errors import ConfigError, FieldErrors
from pinnacle_backup.model.accounts import Actor
from pinnacle_backup.model.settings import (
    FROM_DEFAULT,
    FROM_FILE,
    FieldFault,
    SettingChange,
    SettingsCheck,
    SettingsView,
    SettingValue,
)

_AT: Final = re.compile(r"(?P<path>[a-z_]+(?:\.\w+|\[\d+\])+): (?P<what>.*)", re.DOTALL)
_SET: Final[dict[str, bool]] = {"set": True}
_SENSITIVE: Final = (
    "backup.destinations",
    "backup.drill.checks",
    "backup.encryption.",
    "backup.primary",
    "cloud_storage.",
    "notifications.smtp.",
)
"""Who changes these decides who can read backups, what runs on this machine, and who is sent passwords."""

_BY_HAND: Final = "backup.state_directory"
"""The record lies there, users and audit trail included: all would be gone, and nobody could log in."""


def show_settings(place: Place) -> SettingsView:
    """
    Return all settings with their values in force.

    Raises:
        ConfigError: The configuration is wrong.
    """
    configuration, values = place.configuration(), _values(place)
    shown, known = _as_json(masked(configuration)), values.known
    count = _secret_counts(configuration)
    rows = (
        _shown(setting, known, shown, values, count)
        for setting in known.values()
        if setting.kind != OBJECT and "[]" not in setting.path
    )
    return SettingsView(
        file=os.path.basename(place.file), settings=tuple(rows), warnings=configuration.warnings
    )


def flattened(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes by path, whether they came as ``{"a.b": 1}`` or as ``{"a": {"b": 1}}``."""
    return dict(_flat(changes, "", settings()))


def check_settings(place: Place, changes: Mapping[str, object]) -> SettingsCheck:
    """Tell what changes would do, and everything that is wrong with them. Nothing is changed."""
    now = {setting.path: setting for setting in show_settings(place).settings}
    changes = _unmasked(place, changes, now)
    faults = {path: fault for path in changes if (fault := _refusal(path, changes[path], now))}
    fine = {path: _cleared(now[path], value) for path, value in changes.items() if path not in faults}
    made = {path: value for path, value in fine.items() if _differs(now[path], value)}
    faults |= _faults(place, made)
    shown = tuple(_change(now[path], value) for path, value in made.items())
    errors = tuple(FieldFault(field=path, message=fault) for path, fault in faults.items())
    return SettingsCheck(changes=shown, errors=errors)


def change_settings(studio: Studio, changes: Mapping[str, object], *, by: Actor) -> SettingsCheck:
    """
    Change settings: all of them, or none. The trail gets their names, never a value.

    Raises:
        FieldErrors: Some cannot be changed so.
        ConfigError: The file cannot be written.
    """
    place = studio.place
    changes = _unmasked(place, changes, {setting.path: setting for setting in show_settings(place).settings})
    found = check_settings(place, changes)
    if found.errors:
        fields = tuple((fault.field, fault.message) for fault in found.errors)
        raise FieldErrors("nothing was changed", fields)
    if found.changes:
        _make_sure_of_a_file(place)
        update(place.file, _written(changes, found), place.environ)
        if any(change.after == _SET or MASK in _texts(change.after) for change in found.changes):
            _hide(place.file)
        names = ", ".join(change.path for change in found.changes)
        audit(studio, by, "configure", os.path.basename(place.file), names)
    return found


def _written(changes: Mapping[str, object], found: SettingsCheck) -> dict[str, object]:
    return {
        change.path: change.after if change.after is None or change.after == [] else changes[change.path]
        for change in found.changes
    }


def _hide(path: str) -> None:
    """Keep other users of the machine from reading a file that holds a secret now, where it is ours."""
    with suppress(OSError):
        status = os.stat(path)
        if status.st_mode & stat.S_IRWXO:
            os.chmod(path, stat.S_IMODE(status.st_mode) & ~stat.S_IRWXO)


def _content(place: Place) -> bytes:
    try:
        with open(place.file, "rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return b"{}"


def _values(place: Place) -> Values:
    content = _content(place)
    return values_of(content, name=os.path.basename(place.file), root=place.root, environ=place.environ)


def _secret_counts(configuration: Configuration) -> dict[str, int]:
    """Return how many secrets are set, by the path of the setting."""
    counts: dict[str, int] = {}
    for section in SECTIONS:
        for path, _ in secrets_in(getattr(configuration, section)):
            setting = f"{section}.{path.partition('[')[0]}"
            counts[setting] = counts.get(setting, 0) + 1
    return counts


def _shown(
    setting: Setting,
    known: Mapping[str, Setting],
    shown: Mapping[str, Any],
    values: Values,
    counts: Mapping[str, int],
) -> SettingValue:
    item = known.get(f"{setting.path}[]")
    secret = setting.secret or bool(item and item.secret)
    origin = values.origin(setting.path)
    source = origin.label if origin else FROM_FILE if _stands_in(values, setting.path) else FROM_DEFAULT
    return SettingValue(
        path=setting.path,
        kind=setting.kind,
        value=_set(setting, counts.get(setting.path, 0)) if secret else walk(shown, setting.path),
        default=_as_json(setting.default),
        source=source,
        locked=origin is not None and not source.startswith("$"),
        secret=secret,
        nullable=setting.nullable,
        expected=setting.expected,
        description=setting.description,
        choices=setting.choices,
        least=setting.least,
        most=setting.most,
        items=item.kind if item else "",
    )


def _as_json(value: Any) -> Any:
    """Return a value as it is after its way through JSON: lists, no tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _set(setting: Setting, count: int) -> dict[str, Any]:
    more = {"count": count} if setting.kind == ARRAY else {}
    return {"set": count > 0, **more}


def _stands_in(values: Values, path: str) -> bool:
    try:
        walk(values.data, path)
    except (KeyError, TypeError):
        return False
    return True


def _flat(changes: Mapping[str, Any], path: str, known: Mapping[str, Setting]) -> Iterator[tuple[str, Any]]:
    for key, value in changes.items():
        below = f"{path}.{key}" if path else key
        if isinstance(value, dict) and below in known and known[below].kind == OBJECT:
            yield from _flat(value, below, known)
        else:
            yield below, value


def _refusal(path: str, value: object, now: Mapping[str, SettingValue]) -> str:
    """Return why a setting cannot be changed at all, or not to that; empty where it can."""
    setting = now.get(path)
    if setting is None:
        return "there is no such setting"
    if setting.locked:
        return f"the variable {setting.source} of the environment says what it is; change it there"
    if path == _BY_HAND and value != setting.value:
        return "the record lies there, users included: stop the server, move the folder, change it by hand"
    if _has_reference(value):
        return f"{ENVIRONMENT} and {FILE} are written into the configuration by hand"
    if setting.items == OBJECT and MASK in _texts(value):
        return f"{MASK} stands for a secret that is not shown: write the secret itself, or change it by hand"
    return ""


def _unmasked(
    place: Place, changes: Mapping[str, object], now: Mapping[str, SettingValue]
) -> dict[str, object]:
    """Return changes with the secrets behind masks, which stand in the file below the same name."""
    made = {}
    for path, value in changes.items():
        setting = now.get(path)
        if setting is None or setting.items != OBJECT or not isinstance(value, list):
            made[path] = value
        elif value != setting.value:
            known = {each.get("name"): each for each in _written_now(place, path) if isinstance(each, dict)}
            made[path] = [_with_secrets(each, known) for each in value]
    return made


def _with_secrets(item: object, known: Mapping[Any, Mapping[str, Any]]) -> object:
    if not isinstance(item, dict):
        return item
    before = known.get(item.get("name"), {})
    return {key: before.get(key, each) if each == MASK else each for key, each in item.items()}


def _written_now(place: Place, path: str) -> list[Any]:
    try:
        found = walk(document(_content(place), os.path.basename(place.file)), path)
    except (KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in a JSON value, wherever they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _has_reference(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_has_reference, value))
    return isinstance(value, dict) and (
        ENVIRONMENT in value or FILE in value or any(map(_has_reference, value.values()))
    )


def _cleared(setting: SettingValue, value: object) -> object:
    """Return the value; what stands for nothing, if a secret is to be nothing."""
    if value or not setting.secret:
        return value
    return [] if setting.kind == ARRAY else None


def _differs(setting: SettingValue, value: object) -> bool:
    if setting.secret:
        return bool(value) or setting.value["set"]
    return bool(setting.value != value or isinstance(value, bool) != isinstance(setting.value, bool))


def _faults(place: Place, changes: Mapping[str, object]) -> dict[str, str]:
    """Return all that is wrong with changes, by path: what is wrong is left out, and the rest tried again."""
    faults: dict[str, str] = {}
    left = dict(changes)
    while True:
        try:
            tried(place.file, left, place.environ)
        except ConfigError as error:
            path, fault = _place_of(error, place, left)
            faults[path] = fault
            if path not in left:
                return faults
            del left[path]
        else:
            return faults


def _place_of(error: ConfigError, place: Place, changes: Mapping[str, object]) -> tuple[str, str]:
    """Return the setting that an error is about, one of the changes if it can be, and what it says."""
    text = error.message.removeprefix(f"{os.path.basename(place.file)}: ")
    match = _AT.fullmatch(text)
    if match is None:
        return "", text
    path = match["path"]
    changed = next((each for each in changes if path.startswith((f"{each}[", f"{each}."))), "")
    inner = path.removeprefix(changed).lstrip(".") if changed else ""
    return changed or path, f"{inner}: {match['what']}" if inner else match["what"]


def _change(setting: SettingValue, value: object) -> SettingChange:
    after = _SET if setting.secret and value else _hidden(setting.path, value)
    before = {"set": setting.value["set"]} if setting.secret else setting.value
    sensitive = setting.secret or setting.path.startswith(_SENSITIVE)
    return SettingChange(path=setting.path, before=before, after=after, sensitive=sensitive)


def _hidden(path: str, value: object) -> object:
    """Return the value without the secrets in its objects."""
    known = settings()
    if isinstance(value, list):
        return [_hidden(f"{path}[]", each) for each in value]
    if isinstance(value, dict):
        return {
            key: MASK if each and (known_as := known.get(f"{path}.{key}")) and known_as.secret else each
            for key, each in value.items()
        }
    return value


def _make_sure_of_a_file(place: Place) -> None:
    if not place.may_lack or os.path.lexists(place.file):
        return
    try:
        descriptor = os.open(place.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"{place.file}: cannot be made: {error.strerror}") from None
    with open(descriptor, "wb") as file:
        file.write(b"{}\n")
