"""A second factor, set up at the terminal."""

from __future__ import annotations

import click

from pinnacle_backup.app import second_factor as use_cases
from pinnacle_backup.app.accounts import find_user
from pinnacle_backup.app.qr import qr_text
from pinnacle_backup.cli.accounts import who_and_where
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.errors import UsageError


def switch_on(context: Context, name: str) -> int:
    """Show what an authenticator app needs, have its first code confirmed, and print the recovery codes."""
    studio, by = who_and_where(context)
    user = find_user(studio, name)
    if not context.can_ask:
        raise UsageError(
            "a second factor is switched on at a terminal: its first code has to be confirmed",
            hint="leave --no-input out, or let the user do it in the browser",
        )
    enrolment = use_cases.begin_totp(studio, user)
    write = context.stderr.write
    write(f"{qr_text(enrolment.uri)}\n".lstrip("\n"))
    write(f"Scan this with an authenticator app, or type the key into it:\n\n  {enrolment.key}\n")
    write(f"  {enrolment.uri}\n\n")
    context.out.flush()
    code = str(click.prompt("The code that it shows", err=True))
    codes = use_cases.confirm_totp(studio, user, code, by=by)
    out = context.out
    out.json({"user": user.name, "recovery_codes": codes})
    out.say(f"A login as {user.name} needs a code from now on.", "")
    out.say("Keep these recovery codes: without the app, each lets you in once.", "")
    out.data(*(f"  {code}" for code in codes))
    return DONE


def switch_off(context: Context, name: str) -> int:
    """Ask for no code any more."""
    studio, by = who_and_where(context)
    was_on = use_cases.switch_totp_off(studio, name, by=by)
    context.out.json({"user": name, "was_on": was_on})
    context.out.say(f"A login as {name} needs no code{' any more' if was_on else ', and never did'}.")
    return DONE
