"""What ``service`` says."""

from __future__ import annotations

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, FAILED
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.service import Service, ServiceState

_DONE = {
    "installed": "is installed and runs: backups are made by themselves from now on",
    "updated": "is up to date and was started again",
    "unchanged": "is installed already and runs",
}


def show_installed(out: Output, service: Service) -> int:
    """Tell what was installed, and where to look."""
    out.json(service)
    out.say(f"{out.style(service.name, 'good')} {_DONE[service.action]}.")
    if not out.quiet:
        out.facts(
            [
                ("unit", printable(service.file)),
                ("its log", _journal(service.name, user=service.user)),
                ("its state", out.as_called("pinnacle-backup service status")),
            ],
            indent="  ",
        )
    if not out.as_json:
        for note in service.notes:
            out.warn(note)
    return DONE


def show_removed(out: Output, service: Service) -> int:
    """Tell what is no longer there."""
    out.json(service)
    out.say(f"{service.name} was stopped and removed: no backup is made by itself any more.")
    return DONE


def show_state(out: Output, state: ServiceState) -> int:
    """Tell how the service stands, and return the exit code."""
    out.json(state)
    if not state.installed:
        out.data(out.as_called("No service is installed for this studio: pinnacle-backup service install"))
        return FAILED
    active = state.active or "systemd does not run here"
    since = f", since {state.since}" if state.since else ""
    out.facts(
        [
            ("service", state.name),
            ("state", out.style(active, "good" if state.runs else "bad") + since),
            ("says", printable(state.says)),
            ("process", str(state.pid or "")),
            ("at start", state.enabled),
            ("unit", printable(state.file)),
            ("its log", _journal(state.name, user=state.user)),
        ]
    )
    if not state.current and not out.as_json:
        out.warn(out.as_called("the unit is of another version: pinnacle-backup service install renews it"))
    return DONE if state.runs else FAILED


def _journal(name: str, *, user: bool) -> str:
    return f"journalctl {'--user ' if user else ''}-u {name}"
