"""
Reports of drills as files: signed, kept, read again, and told genuine from forged.

The form of the file is documented in ``docs/design/drill-report.md``, so that anybody can check one.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from typing import Any, Final

import msgspec

from pinnacle_backup.app.drill_page import page
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.crypto import signing
from pinnacle_backup.errors import BackupNotFound, DamagedError, ObjectExists, StoreError, UsageError
from pinnacle_backup.model.drills import REPORT_FORMAT, DrillReport, Genuineness
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.local import LocalStore

FOLDER: Final = "drills"
"""Of the state directory."""

_JSON, _HTML = ".json", ".html"
_LONGEST: Final = 64 << 20
_MEMBERS: Final = frozenset(("report", "signature", "public_key", "fingerprint"))


class Reports:
    """
    The reports of a studio, as pairs of files: JSON to check, HTML to read and print.

    Args:
        studio: Whose.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._store = LocalStore(os.path.join(studio.state_directory, FOLDER))

    def keep(self, report: DrillReport) -> DrillReport:
        """
        Sign a report and store it; one whose id is taken gets the next one.

        Raises:
            StoreError, StateError: It cannot be stored, or not signed.
        """
        key = signing.own_key(key_path(self._studio))
        for number in range(2, 1000):
            try:
                self._store.put(report.id + _JSON, document(report, key))
                break
            except ObjectExists:
                report = msgspec.structs.replace(report, id=f"{report.id[:21]}_{number}")
        html = page(report, key.public, signature_of(report, key))
        self._store.put(report.id + _HTML, html.encode(), replace=True)
        return report

    def ids(self) -> tuple[str, ...]:
        """Return the ids of the reports, newest first."""
        if not os.path.isdir(self._store.directory):
            return ()
        found = [stored for stored in self._store.list() if stored.name.endswith(_JSON)]
        found.sort(key=lambda stored: (stored.modified_ns, stored.name), reverse=True)
        return tuple(stored.name.removesuffix(_JSON) for stored in found)

    def remove_old(self, keep: int, *, but: str = "") -> None:
        """
        Remove the oldest reports.

        Args:
            keep: How many stay; 0 keeps all.
            but: Id of one that stays in any case.
        """
        for report in self.ids()[keep:] if keep else ():
            for name in (report + _HTML, report + _JSON) if report != but else ():
                if self._store.exists(name):
                    self._store.delete(name)

    def find(self, reference: str = "") -> str:
        """
        Return the id of the report that a person means: an id, its beginning, or nothing for the newest.

        Raises:
            BackupNotFound: There is none.
            UsageError: More than one is meant.
        """
        ids = self.ids()
        found = [each for each in ids if each == reference] or [e for e in ids if e.startswith(reference)]
        if not found:
            what = f"there is no report {printable(reference)!r}" if reference else "there is no report yet"
            hint = "`drill list` shows all drills" if ids else "`drill` makes one"
            raise BackupNotFound(what, hint=hint)
        if reference and len(found) > 1:
            raise UsageError(
                f"{reference!r} means several reports: {', '.join(found[:5])}", hint="give one id"
            )
        return found[0]

    def check(self, report: str) -> Genuineness:
        """Return a report of ``ids``, and whether it is genuine."""
        return check_report(self.path(report, _JSON), key_path(self._studio))

    def path(self, report: str, extension: str = _HTML) -> str:
        """Return the absolute path of a report's page, or of its JSON file."""
        return os.path.join(self._store.directory, report + extension)


def key_path(studio: Studio) -> str:
    """Return where the studio's own key lies."""
    return os.path.join(studio.state_directory, signing.FILE_NAME)


def document(report: DrillReport, key: signing.SigningKey) -> bytes:
    """Return the content of a report's file: what is signed stands alone on its second line."""
    signed = canonical(msgspec.to_builtins(report))
    lines = (
        f'"report": {signed.decode()}',
        f'"signature": "{signature_of(report, key)}"',
        f'"public_key": "{b64encode(key.public).decode()}"',
        f'"fingerprint": "{signing.fingerprint(key.public)}"',
    )
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def signature_of(report: DrillReport, key: signing.SigningKey) -> str:
    """Return the signature of a report, base64."""
    return b64encode(key.sign(canonical(msgspec.to_builtins(report)))).decode()


def canonical(report: Any) -> bytes:
    """Return the bytes that are signed: keys sorted, no spaces, ASCII."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def check_report(path: str, key: str | None) -> Genuineness:
    """
    Read a report's file, and tell whether it is genuine.

    Args:
        path: The file.
        key: The file with the studio's own key; None where there is no studio.

    Raises:
        StoreError: It cannot be read.
        DamagedError: It is no report.
    """
    parsed = _parsed(path)
    try:
        signature, public = (b64decode(parsed[name], validate=True) for name in ("signature", "public_key"))
        report = msgspec.convert(parsed["report"], DrillReport)
    except (ValueError, TypeError, msgspec.ValidationError) as error:
        raise _foreign(path) from error
    if report.format != REPORT_FORMAT:
        raise _foreign(path)
    own = signing.read_key(key) if key is not None else None
    return Genuineness(
        report=report,
        fingerprint=signing.fingerprint(public),
        genuine=signing.is_signed(canonical(parsed["report"]), signature, public),
        own=own.public == public if own is not None else None,
    )


def _parsed(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST)
    except OSError as error:
        raise StoreError(f"cannot read {printable(path)}: {error.strerror}") from error
    try:
        parsed = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise _foreign(path) from error
    if not isinstance(parsed, dict) or not parsed.keys() >= _MEMBERS:
        raise _foreign(path)
    return parsed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands there twice: readers would differ in which one they show."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _foreign(path: str) -> DamagedError:
    return DamagedError(
        f"{printable(path)} is no report of a drill, or a damaged one", hint="give the .json file of a report"
    )
