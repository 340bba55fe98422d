"""What ``user`` and ``token`` share: who acts, which password, and how accounts are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import age, instant, local
from pinnacle_backup.config.secrets import Secret, read_secret_file
from pinnacle_backup.errors import PasswordError
from pinnacle_backup.model.accounts import Actor, Session, Token, User
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import ADMINISTRATOR

_NEVER = Cell("never", "dim")


def who_and_where(context: Context) -> tuple[Studio, Actor]:
    """Return the studio, and the user of this machine who acts on it."""
    studio = context.studio()
    return studio, actor_of(studio)


def new_password(context: Context, name: str, file: str | None) -> Secret:
    """
    Return a new password: of the file, else of the person, asked twice.

    Raises:
        PasswordError: There is no file and nobody to ask.
        ConfigError: The file cannot be used.
    """
    if file is not None:
        found = read_secret_file(file)
        if found.exposed:
            context.out.warn(f"every user of this machine can read {printable(file)}")
        return Secret(found.text)
    if not context.can_ask:
        raise PasswordError(
            f"a password for {printable(name)}: none was given and there is nobody to ask",
            hint="add --password-file FILE",
        )
    return Secret(context.ask_password(f"Password for {printable(name)}", twice=True))


def show_user(out: Output, user: User, sentence: str) -> int:
    """Tell what became of a user."""
    out.json({"user": user})
    out.say(sentence)
    return DONE


def show_users(out: Output, users: Sequence[User], now: datetime) -> int:
    """Print a line for each user."""
    out.json({"users": users})
    if not users:
        out.data(
            "There is no user yet.",
            out.as_called("The first one: pinnacle-backup user add NAME --role administrator"),
        )
        return DONE
    columns = (Column("NAME"), Column("ROLE"), Column("LAST LOGIN"), Column("2ND FACTOR"), Column("STATE"))
    rows = [
        (
            Cell(user.name),
            Cell(user.role, "strong" if user.role == ADMINISTRATOR else ""),
            _when(user.last_login, now),
            Cell("yes" if user.totp else "no", "" if user.totp else "dim"),
            Cell("disabled", "warn") if user.disabled else Cell("active", "good"),
        )
        for user in users
    ]
    out.table(columns, rows)
    return DONE


def show_sessions(out: Output, sessions: Sequence[Session], now: datetime) -> int:
    """Print a line for each session."""
    out.json({"sessions": sessions})
    if not sessions:
        out.data("Nobody is logged in.")
        return DONE
    columns = (
        Column("SESSION", right=True),
        Column("USER"),
        Column("SINCE"),
        Column("USED"),
        Column("FROM"),
        Column("WITH"),
    )
    rows = [
        (
            Cell(str(session.id)),
            Cell(session.user),
            Cell(local(instant(session.created))),
            _when(session.last_used, now),
            Cell(printable(session.address)),
            Cell(printable(session.agent)[:32], "dim"),
        )
        for session in sessions
    ]
    out.table(columns, rows)
    return DONE


def show_tokens(out: Output, tokens: Sequence[Token], now: datetime) -> int:
    """Print a line for each token."""
    out.json({"tokens": tokens})
    if not tokens:
        out.data("There is no token.")
        return DONE
    columns = (
        Column("TOKEN", right=True),
        Column("NAME"),
        Column("ROLE"),
        Column("OWNER"),
        Column("USED"),
        Column("EXPIRES"),
    )
    rows = [
        (
            Cell(str(token.id)),
            Cell(printable(token.name)[:32]),
            Cell(token.role, "strong" if token.role == ADMINISTRATOR else ""),
            Cell(printable(token.owner), "dim"),
            _when(token.last_used, now),
            _expiry(token, now),
        )
        for token in tokens
    ]
    out.table(columns, rows)
    return DONE


def _when(iso: str, now: datetime) -> Cell:
    if not iso:
        return _NEVER
    how_long = age(instant(iso), now)
    return Cell("just now" if how_long == "now" else f"{how_long} ago")


def _expiry(token: Token, now: datetime) -> Cell:
    if not token.expires:
        return _NEVER
    ends = instant(token.expires)
    return Cell(local(ends)) if ends > now else Cell(f"expired {local(ends)}", "warn")
