"""
What each route of the API answers with: one table, for the description.

A test compares it with the routes, and real answers with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pinnacle_backup.app.delivering import Delivery
from pinnacle_backup.app.found import Found
from pinnacle_backup.app.growth import Growth
from pinnacle_backup.app.live import LiveProgress
from pinnacle_backup.app.notifications import ChannelTest, NotificationsView
from pinnacle_backup.app.results import RunResult
from pinnacle_backup.app.scheduling import CronPreview
from pinnacle_backup.model.accounts import AuditCheck, AuditEvent, Session, Token, User
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.calendar import CalendarDay
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.model.drills import DrillRecord, Genuineness
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.health import Check, Health, Space
from pinnacle_backup.model.probes import PlaceTest
from pinnacle_backup.model.queries import (
    BackupDetails,
    ListedBackups,
    PathVersion,
    ScheduleView,
    StudioStatus,
)
from pinnacle_backup.model.results import CleanupPlan, Problem, RestorePlan
from pinnacle_backup.model.runs import Run, RunLine
from pinnacle_backup.model.settings import FieldFault, SettingChange, SettingsView
from pinnacle_backup.state.samples import Sample

BYTES: Final = "application/octet-stream"
EVENTS: Final = "text/event-stream"
METRICS: Final = "text/plain"
ANY: Final = dict[str, Any]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run was started, and goes on.

    Attributes:
        run: Its number.
        href: Its page.
    """

    run: int
    href: str


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """
    The plan of a restore; 202 and no plan where it takes longer.

    Attributes:
        id: To ask for it again.
        href: Its page.
        ready: Whether it is made.
        plan: What the restore would do; its first 500 paths.
    """

    id: str
    href: str
    ready: bool
    plan: RestorePlan | None


def _members(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(struct)}


Shape = type[Any] | str | Mapping[str, Any]
"""A struct, the members of an object, or the media type of what is no JSON."""

_USER: Final = {"user": User}
_CHANGES: Final = {"changes": tuple[SettingChange, ...]}
_SESSIONS: Final = {"sessions": list[Session]}
_BACKUPS: Final = {"backups": list[BackupInfo], "problems": list[Problem]}
_EVENTS: Final = {"events": list[AuditEvent]}
_VERSIONS: Final = {"versions": list[PathVersion], "problems": list[Problem]}
_V1: Final[Mapping[str, Shape]] = {
    "GET /audit": _EVENTS,
    "GET /audit/check": AuditCheck,
    "GET /audit/export": _EVENTS,
    "GET /backups": ListedBackups,
    "POST /backups": Accepted,
    "GET /backups/{name}": BackupDetails,
    "DELETE /backups/{name}": BackupInfo,
    "POST /backups/{name}/verify": Accepted,
    "PUT /backups/{name}/pin": BackupInfo,
    "DELETE /backups/{name}/pin": BackupInfo,
    "POST /backups/{name}/unlock": {"backup": str, "seconds": int},
    "GET /backups/{name}/entries": {"backup": str, "path": str, "entries": list[Entry], "next": str},
    "GET /backups/{name}/content": BYTES,
    "GET /backups/{name}/image": BYTES,
    "GET /backups/{name}/download": BYTES,
    "POST /backups/{name}/downloads": {"href": str},
    "GET /downloads/{number}": BYTES,
    "POST /cleanup/plan": CleanupPlan,
    "POST /cleanup": Accepted,
    "GET /destinations": {"destinations": list[DestinationState]},
    "POST /destinations/copy": Accepted,
    "POST /destinations/test": PlaceTest,
    "GET /drills": {"drills": list[DrillRecord]},
    "POST /drills": Accepted,
    "GET /drills/{id}": Genuineness,
    "GET /events": EVENTS,
    "GET /health": Health,
    "GET /calendar": {"days": list[CalendarDay]},
    "GET /samples": {"samples": list[Sample], "space": Space | None},
    "GET /me": {"user": User, "session": Session | None},
    "PUT /me/password": {},
    "POST /me/totp": {"key": str, "uri": str, "qr": str},
    "DELETE /me/totp": {"was_on": bool},
    "POST /me/totp/confirm": {"recovery_codes": list[str]},
    "GET /notifications": NotificationsView,
    "POST /notifications/test": {"channels": list[ChannelTest]},
    "POST /notifications/retry": Delivery,
    "GET /openapi.json": ANY,
    "POST /restores/plan": PlanAnswer,
    "GET /restores/plan/{id}": PlanAnswer,
    "POST /restores": Accepted,
    "POST /undo/plan": PlanAnswer,
    "POST /undo": Accepted,
    "GET /runs": {"runs": list[Run]},
    "GET /runs/{number}": {"run": Run, "log": list[RunLine], "progress": LiveProgress | None},
    "GET /runs/{number}/result": {"result": RunResult | None},
    "POST /runs/{number}/cancel": Accepted,
    "GET /schedule": ScheduleView,
    "PUT /schedule": ScheduleView,
    "GET /schedule/preview": CronPreview,
    "POST /schedule/pause": ScheduleView,
    "POST /schedule/resume": ScheduleView,
    "POST /schedule/jobs": ScheduleView,
    "PUT /schedule/jobs/{name}": ScheduleView,
    "DELETE /schedule/jobs/{name}": ScheduleView,
    "POST /schedule/jobs/{name}/run": Accepted,
    "POST /schedule/blackout": ScheduleView,
    "DELETE /schedule/blackout/{number}": ScheduleView,
    "POST /scheduler/start": ScheduleView,
    "POST /scheduler/stop": ScheduleView,
    "GET /versions": {"path": str, **_VERSIONS},
    "GET /search": {"pattern": str, **_VERSIONS, "unsearched": int, "cut": bool},
    "GET /diff": {"first": BackupInfo, "second": BackupInfo | None, **_members(Growth)},
    "GET /session": {"name": str, "role": str, "session": bool, "version": str},
    "POST /session": {"name": str},
    "DELETE /session": {},
    "GET /sessions": {**_SESSIONS, "current": int},
    "DELETE /sessions": {"ended": int},
    "DELETE /sessions/{number}": {},
    "GET /settings": SettingsView,
    "PUT /settings": _CHANGES,
    "GET /settings/schema": ANY,
    "POST /settings/check": {**_CHANGES, "errors": list[FieldFault], "sensitive": bool},
    "GET /setup": {"set_up": bool},
    "POST /setup": {"name": str},
    "GET /setup/sources": Found,
    "POST /setup/encryption": _CHANGES,
    "POST /setup/backup": Accepted,
    "GET /tokens": {"tokens": list[Token]},
    "POST /tokens": {"secret": str, "token": Token},
    "DELETE /tokens/{number}": {"token": Token},
    "GET /users": {"users": list[User]},
    "POST /users": _USER,
    "PUT /users/{name}/role": _USER,
    "PUT /users/{name}/password": _USER,
    "POST /users/{name}/disable": _USER,
    "POST /users/{name}/enable": _USER,
    "DELETE /users/{name}": _USER,
    "DELETE /users/{name}/totp": {"was_on": bool},
    "GET /users/{name}/sessions": _SESSIONS,
    "DELETE /users/{name}/sessions": {"ended": int},
}
SHAPES: Final[Mapping[str, Shape]] = {
    **{route.replace(" ", " /api/v1", 1): shape for route, shape in _V1.items()},
    "GET /health": {
        "status": str,
        "headline": str | msgspec.UnsetType,
        "checks": list[Check] | msgspec.UnsetType,
    },
    "GET /backup/status": StudioStatus,
    "GET /backup/list": _BACKUPS,
    "GET /metrics": METRICS,
}
"""By route: what it answers with."""
