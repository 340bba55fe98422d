"""
The scheduler, or the server with it, as a service: installed, taken away, looked at.

A unit file names the studio that it is for, so it is found again whatever its name is, and that of another
studio, or one that is not ours, is never touched.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from shlex import join
from typing import Final

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.service_unit import (
    SUFFIX,
    Unit,
    checked_name,
    names_for,
    serve_options_of,
    studio_of,
    text_of,
)
from pinnacle_backup.app.studio import user_name
from pinnacle_backup.app.systemctl import Systemd, lingers
from pinnacle_backup.config.load import FILE_NAME, load
from pinnacle_backup.config.secrets import missing_in
from pinnacle_backup.errors import ConfigError, PinnacleError, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.service import Service, ServiceState

_SIZE_LIMIT: Final = 1 << 20
_FACTS: Final = ("ActiveState", "SubState", "UnitFileState", "MainPID", "StateChangeTimestamp", "StatusText")


def unit_of(
    place: Place,
    systemd: Systemd,
    program: Sequence[str],
    name: str | None = None,
    serve: Sequence[str] | None = None,
) -> Unit:
    """
    Return the unit of a studio.

    Args:
        place: The studio.
        systemd: Whose unit it is.
        program: The words that run this program from anywhere; the first one is an absolute path.
        name: Its name; None keeps the one that it has, or takes one after the folder of the studio.
        serve: Options of the server that it is; None leaves it what it is, or makes it the scheduler.

    Raises:
        UsageError: The name is none.
    """
    former = _found(systemd, place.root)
    chosen = checked_name(name) if name else former or _free(systemd, place.root)
    if serve is None and former:
        serve = serve_options_of(_read(os.path.join(systemd.units, former + SUFFIX)) or "")
    return Unit(
        name=chosen,
        root=place.root,
        command=command_of(place, program, ("schedule", "--start-scheduler"))
        if serve is None
        else command_of(place, program, ("serve", *serve)),
        serve=None if serve is None else tuple(serve),
        user=systemd.user,
    )


def command_of(place: Place, program: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that start a command for a studio from anywhere."""
    usual = place.file == os.path.join(place.root, FILE_NAME)
    where = ("--root", place.root) if usual else ("--config", place.file)
    return (*program, *where, *words)


def install(
    place: Place,
    systemd: Systemd,
    program: Sequence[str],
    name: str | None = None,
    serve: Sequence[str] | None = None,
) -> Service:
    """
    Write the unit of a studio, enable it and start it; one that was changed is started again.

    Args:
        place, systemd, program, name, serve: See ``unit_of``.

    Raises:
        UsageError: There is no systemd, or the name is another unit's.
        ConfigError: With a wrong configuration it would not run.
        PinnacleError: It does not start, or may not be written.
    """
    _need(systemd, place, program, serve)
    place.configuration()
    unit = unit_of(place, systemd, program, name, serve)
    _refuse_foreign(systemd, unit)
    text, file = text_of(unit), os.path.join(systemd.units, unit.file_name)
    before = _read(file)
    if before != text:
        _write(file, text)
        systemd.order("daemon-reload")
    systemd.order("enable", unit.file_name)
    systemd.order("start" if before == text else "restart", unit.file_name, hint=_look(systemd, unit.name))
    action = "installed" if before is None else "unchanged" if before == text else "updated"
    return _service(unit.name, file, place, systemd, action, tuple(_notes(place, systemd, unit.name)))


def uninstall(place: Place, systemds: Sequence[Systemd]) -> Service:
    """
    Stop the service of a studio, cleanly, and take its unit away.

    Raises:
        UsageError: There is none.
        PinnacleError: It may not be removed, or does not stop.
    """
    systemd, name = _where(place, systemds)
    file = os.path.join(systemd.units, name + SUFFIX)
    if not os.access(systemd.units, os.W_OK):
        raise PinnacleError(f"{printable(file)} may not be removed by {user_name()}", hint="run it as root")
    if systemd.runs():
        systemd.order("disable", "--now", name + SUFFIX)
    os.unlink(file)
    if systemd.runs():
        systemd.order("daemon-reload")
    return _service(name, file, place, systemd, "removed", ())


def state(place: Place, systemds: Sequence[Systemd], program: Sequence[str]) -> ServiceState:
    """Return how the service of a studio stands."""
    try:
        systemd, name = _where(place, systemds)
    except UsageError:
        return ServiceState(installed=False)
    file = os.path.join(systemd.units, name + SUFFIX)
    facts = systemd.show(name + SUFFIX, *_FACTS) if systemd.runs() else {}
    states = [facts[key] for key in ("ActiveState", "SubState") if facts.get(key)]
    return ServiceState(
        installed=True,
        name=name,
        file=file,
        user=systemd.user,
        enabled=facts.get("UnitFileState", ""),
        active=" ".join([*states[:1], *(f"({word})" for word in states[1:])]),
        pid=int(facts.get("MainPID") or 0),
        since=facts.get("StateChangeTimestamp", ""),
        says=facts.get("StatusText", ""),
        current=_read(file) == text_of(unit_of(place, systemd, program, name)),
    )


def _need(systemd: Systemd, place: Place, program: Sequence[str], serve: Sequence[str] | None) -> None:
    """Refuse where there is no systemd, and say what does the same."""
    if systemd.runs():
        return
    words = ("schedule", "--start-scheduler") if serve is None else ("serve", *serve)
    again = join(command_of(place, program, (*words, "--daemon"))).replace("%", "\\%")  # see crontab(5)
    raise UsageError(
        "systemd does not run here, so there is nothing to install a service into",
        hint=f"start it now: pinnacle-backup {join(words)} --daemon; "
        f"with the machine, a line for crontab: @reboot {again}",
    )


def _found(systemd: Systemd, root: str) -> str | None:
    """Return the name of the unit that a studio has there."""
    try:
        names = sorted(name for name in os.listdir(systemd.units) if name.endswith(SUFFIX))
    except OSError:
        return None
    texts = ((name, _read(os.path.join(systemd.units, name))) for name in names)
    return next((name.removesuffix(SUFFIX) for name, text in texts if text and studio_of(text) == root), None)


def _free(systemd: Systemd, root: str) -> str:
    plain, exact = names_for(root)
    return exact if os.path.lexists(os.path.join(systemd.units, plain + SUFFIX)) else plain


def _refuse_foreign(systemd: Systemd, unit: Unit) -> None:
    """Refuse a name that is taken; a studio has one service, whatever it was called before."""
    ours = _found(systemd, unit.root)
    if ours not in (None, unit.name):
        raise UsageError(
            f"the service of this studio is {ours}", hint="first: pinnacle-backup service uninstall"
        )
    file = os.path.join(systemd.units, unit.file_name)
    if not os.path.lexists(file):
        return
    other = studio_of(_read(file) or "")
    if other != unit.root:
        whose = "is not one of ours" if other is None else f"belongs to the studio {printable(other)}"
        raise UsageError(f"{file} {whose}", hint="take another one: --name NAME")


def _where(place: Place, systemds: Sequence[Systemd]) -> tuple[Systemd, str]:
    for systemd in systemds:
        if name := _found(systemd, place.root):
            return systemd, name
    raise UsageError(
        f"no service is installed for {printable(place.root)}", hint="pinnacle-backup service install"
    )


def _read(file: str) -> str | None:
    """Return what a unit file says; None where there is none that can be read."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_SIZE_LIMIT)
    except OSError:
        return None


def _write(file: str, text: str) -> None:
    """Put the text into the file, as a whole and at once."""
    folder = os.path.dirname(file)
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as new:
            try:
                new.write(text)
                new.flush()
                os.fchmod(new.fileno(), 0o644)
                os.fsync(new.fileno())
                os.replace(new.name, file)
            except BaseException:
                os.unlink(new.name)
                raise
    except PermissionError:
        raise PinnacleError(
            f"{printable(file)} may not be written by {user_name()}",
            hint="as root, or for yourself alone: pinnacle-backup service install --user",
        ) from None
    except OSError as error:
        raise PinnacleError(f"{printable(file)} cannot be written: {error.strerror}") from error


def _notes(place: Place, systemd: Systemd, name: str) -> list[str]:
    """Return what a person should know of the service that now runs."""
    notes = []
    user = user_name()
    if systemd.user and not lingers(user):
        notes.append(f"it runs while you are logged in; always, after `loginctl enable-linger {user}`")
    config = place.environ.get("XDG_CONFIG_HOME") or "~/.config" if systemd.user else "/etc"
    variables = f"{config}/{name}.env"
    if not os.path.exists(os.path.expanduser(variables)) and (lacking := _lacking(place)):
        notes.append(f"the service does not see your environment ({lacking}): write it into {variables}")
    return notes


def _lacking(place: Place) -> str:
    """Return which variables the service will miss, in words; nothing where it misses none."""
    ours = ("PINNACLE_ROOT", "PINNACLE_CONFIG")
    names = [name for name in sorted(place.environ) if name.startswith("PINNACLE_") and name not in ours]
    if names:
        return ", ".join(names)
    try:
        if not os.path.lexists(place.file):
            return ""
        here = {each.fault.message for each in missing_in(load(place.file, place.environ))}
        there = (each.fault.message for each in missing_in(load(place.file, {})))
        return next((fault for fault in there if fault not in here), "")
    except ConfigError as error:
        return error.message


def _look(systemd: Systemd, name: str) -> str:
    return f"see journalctl {'--user ' if systemd.user else ''}-u {name} -n 20"


def _service(
    name: str, file: str, place: Place, systemd: Systemd, action: str, notes: tuple[str, ...]
) -> Service:
    return Service(name=name, file=file, root=place.root, user=systemd.user, action=action, notes=notes)
