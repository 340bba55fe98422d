"""The configuration of a lost studio, as its backup holds it, where not all is there that it refers to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinnacle_backup.app.addresses import is_address, place_of_address
from pinnacle_backup.app.content import first_bytes
from pinnacle_backup.app.destinations import destinations_of, primary_of
from pinnacle_backup.app.opening import Opened
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.edit import update
from pinnacle_backup.config.load import FILE_NAME, document, interpret
from pinnacle_backup.config.schema import SECTIONS, Configuration
from pinnacle_backup.config.secrets import missing_in
from pinnacle_backup.config.strict_json import SIZE_LIMIT
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.entry import FILE

_REFERENCES = ("$env", "$file")


@dataclass(frozen=True)
class Known:
    """
    What is known of a studio's settings before it is back.

    Attributes:
        configuration: In force while it is recovered.
        there: Whether the backup holds them.
        lacking: What they refer to and this machine does not have yet, in words; empty where nothing is.
    """

    configuration: Configuration
    there: bool = False
    lacking: str = ""


def known_settings(opened: Opened, place: Place) -> Known:
    """
    Return the settings that a backup holds; the defaults where it holds none.

    What cannot be had on this machine, such as the file of a password, does not stand in the way.
    """
    content = _content(opened)
    if content is None:
        return Known(_interpreted(b"{}", place))
    try:
        configuration = _interpreted(content, place)
        lacking = "; ".join(missing.fault.message for missing in missing_in(configuration))
        return Known(configuration, there=True, lacking=lacking)
    except ConfigError as error:
        return Known(_without_references(content, place), there=True, lacking=error.message)


def name_of_place(studio: Studio, address: str) -> str:
    """Return what the studio's settings call the place at an address; empty where they do not know it."""
    places = (*destinations_of(studio), primary_of(studio))
    return next((each.name for each in places if each and _is_same(each.address, address)), "")


def introduce(studio: Studio, address: str) -> bool:
    """
    Make a bucket that the settings do not know their ``cloud_storage``, if they have none.

    Raises:
        ConfigError: The file cannot be changed.
    """
    if not is_address(address) or studio.configuration.cloud_storage.enabled:
        return False
    place = place_of_address(address)
    wanted: dict[str, Any] = {"enabled": True, "provider": place.provider, "bucket": place.bucket}
    for key in ("prefix", "region", "endpoint_url", "profile"):
        if value := getattr(place, key):
            wanted[key] = value
    if not os.path.lexists(studio.place.file):
        with open(studio.place.file, "x", encoding="utf-8", opener=_private) as file:
            file.write("{}\n")
    update(studio.place.file, {f"cloud_storage.{k}": v for k, v in wanted.items()}, studio.place.environ)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_same(one: str, address: str) -> bool:
    if is_address(address):
        return is_address(one) and one == place_of_address(address).address
    return not is_address(one) and os.path.realpath(one) == os.path.realpath(address)


def _content(opened: Opened) -> bytes | None:
    state = opened.state()
    try:
        found = state.find(FILE_NAME)
    finally:
        state.close()
    if found is None or found[0].type != FILE or found[0].size > SIZE_LIMIT:
        return None
    return first_bytes(opened, found[0], found[0].size)


def _interpreted(content: bytes, place: Place) -> Configuration:
    return interpret(content, name=FILE_NAME, root=place.root, environ=place.environ)


def _without_references(content: bytes, place: Place) -> Configuration:
    """Return the settings with null for all that lies outside the file; the defaults where it is no good."""
    try:
        everything = document(content, FILE_NAME)
        ours = {key: _resolved(value) for key, value in everything.items() if key in SECTIONS}
        return _interpreted(json.dumps(ours).encode(), place)
    except ConfigError:
        return _interpreted(b"{}", place)


def _resolved(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolved(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1 and next(iter(value)) in _REFERENCES:
        return None
    return {key: _resolved(each) for key, each in value.items()}
