"""Changes settings from the command line, as the page of settings does."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pinnacle_backup.app.settings import change_settings
from pinnacle_backup.cli.accounts import who_and_where
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.config.settings import TEXT, settings
from pinnacle_backup.errors import FieldErrors, PasswordError, UsageError
from pinnacle_backup.model.paths import printable

_ASK = "-"


def change(context: Context, given: Iterable[str]) -> int:
    """Change settings given as ``KEY=VALUE``, and say which."""
    changes = dict(_parsed(context, each) for each in given)
    studio, by = who_and_where(context)
    try:
        found = change_settings(studio, changes, by=by)
    except FieldErrors as error:
        field, fault = error.fields[0]
        raise UsageError(f"{printable(field)}: {printable(fault)}", hint="nothing was changed") from None
    context.out.json({"changes": found.changes})
    for each in found.changes:
        context.out.say(f"{each.path} is changed.")
    if not found.changes:
        context.out.say("Everything is like that already.")
    return DONE


def _parsed(context: Context, given: str) -> tuple[str, object]:
    path, equals, text = given.partition("=")
    if not equals:
        raise UsageError(f"{printable(given)}: expected KEY=VALUE", hint="backup.retention_days=60")
    setting = settings().get(path)
    if setting is not None and setting.secret and text == _ASK:
        return path, _asked(context, path)
    if setting is not None and setting.kind == TEXT:
        return path, None if text == "null" and setting.nullable else text
    try:
        return path, json.loads(text)
    except ValueError:
        return path, text


def _asked(context: Context, path: str) -> str:
    if not context.can_ask:
        raise PasswordError(f"{path}: there is nobody to ask", hint="write it into config.json by hand")
    return context.ask_password(path, twice=True)
