"""The configuration: checked, shown, and its schema."""

from __future__ import annotations

from typing import Any

from pinnacle_backup.app.place import Place
from pinnacle_backup.config.json_schema import json_schema
from pinnacle_backup.config.schema import SECTIONS
from pinnacle_backup.config.secrets import masked
from pinnacle_backup.model.queries import ConfigurationCheck


def check_configuration(place: Place) -> ConfigurationCheck:
    """
    Check a studio's configuration.

    Raises:
        ConfigError: It is wrong: at which key, what was expected, what was found.
    """
    return ConfigurationCheck(file=place.file, warnings=place.configuration().warnings)


def shown_configuration(place: Place) -> dict[str, Any]:
    """Return the configuration in force, secrets masked."""
    everything = masked(place.configuration())
    return {section: everything[section] for section in SECTIONS}


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration."""
    return json_schema()
