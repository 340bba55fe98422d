"""What the gallery shows: a studio as it might be, with names as nasty as they come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from pinnacle_backup.model.results import PlannedPath
from pinnacle_backup.state.samples import Sample
from pinnacle_backup.web import charts

NOW = datetime(2026, 11, 22, 21, 14, 9, tzinfo=UTC)
TODAY = NOW.date()

HOSTILE = (
    "<img src=x onerror=alert(1)>.png",
    '"><script>alert(1)</script>.txt',
    "invoice\u202egnp.exe",
    "\udcff\udcfe not utf-8.bin",
    "two\nlines {{ 7*7 }}.txt",
    "' onmouseover='alert(1).db",
    "a-very-long-name-without-any-place-to-break-" + "x" * 90 + ".safetensors",
    "déjà vu 漢字 🏔️.md",
)


def days() -> list[charts.Day]:
    special = {
        9: ("warning", "2 backups, 1 with warnings: uploads/tmp could not be read"),
        17: ("failed", "full backup failed: no space left"),
        18: ("missed", "the full backup of 02:00 was not made"),
        22: ("other-failed", "7 backups; drill failed: app.db is malformed"),
        25: ("warning", "3 backups, 1 with warnings"),
        4: ("idle", "nothing was due"),
        11: ("idle", "nothing was due"),
    }
    return [
        charts.Day(
            day=TODAY - timedelta(days=29 - place), state=state, sentence=sentence, href=f"/runs?day={place}"
        )
        for place in range(30)
        for state, sentence in [special.get(place, ("good", "7 backups, all good"))]
    ]


def samples() -> list[Sample]:
    total = 120_000_000_000
    used = [
        31_000_000_000 + n * 640_000_000 + (n % 7) * 420_000_000 - (n // 15) * 2_500_000_000
        for n in range(60)
    ]
    return [
        Sample(day=TODAY - timedelta(days=59 - n), stored=stored, free=total - stored, total=total)
        for n, stored in enumerate(used)
    ]


def points() -> list[charts.Point]:
    zone = datetime.now(UTC).tzinfo
    found = []
    for n in range(30):
        moment = datetime(2026, 11, 16, 2, tzinfo=zone) + timedelta(hours=n * 5.5)
        full = n % 5 == 0
        found.append(
            charts.Point(
                moment=moment,
                href=f"/restore?at={n}",
                label=f"{'Full' if full else 'Incremental'} backup, {moment:%A %d %B at %H:%M}",
                type="full" if full else "incremental",
                state="damaged" if n == 12 else "unverified" if n > 26 else "verified",
                selected=n == 20,
            )
        )
    return found


def backups() -> list[SimpleNamespace]:
    found = []
    for n in range(14):
        moment = NOW.replace(hour=2, minute=0, second=0) - timedelta(hours=6 * n)
        full = n % 4 == 0
        name = f"backup_{moment:%Y%m%d_%H%M%S}{'' if full else '_incremental'}.tar.gz{'.enc' if n % 3 == 0 else ''}"
        found.append(
            SimpleNamespace(
                id=f"{n:032x}",
                name=name if n != 5 else "before <b>the</b> move & more.tar.gz",
                moment=moment,
                made=f"{moment:%a %-d %b, %H:%M}",
                type="full" if full else "incremental",
                size=18_400_000_000 - n * 77_000_000,
                stored=6_120_000_000 if full else 48_000_000 + n * 9_300_000,
                encrypted=n % 3 == 0,
                pinned=n in (2, 8),
                verified=None if n == 1 else NOW - timedelta(hours=6 * n),
                damaged=n == 9,
                entries=214_310 - n * 12,
            )
        )
    return found


def files() -> list[dict[str, str]]:
    kinds = {"png": "image", "db": "database"}
    folders = [("encyclopedia", "12,408 files"), ("models", "31 files"), ("uploads", "201,644 files")]
    rows = [
        {
            "name": name,
            "kind": "directory",
            "href": "/browse",
            "size": "",
            "modified": "20 Nov, 18:02",
            "note": note,
        }
        for name, note in folders
    ]
    plain = ("config.json", "ultra_pinnacle.db", "portrait of an otter.png", *HOSTILE)
    return rows + [
        {
            "name": name,
            "kind": kinds.get(name.rpartition(".")[2], "file"),
            "href": "",
            "size": f"{(n * 37) % 91 + 1}.{n} MB",
            "modified": "22 Nov, 09:41",
            "note": "2 of 9 versions differ" if n == 1 else "",
        }
        for n, name in enumerate(plain)
    ]


def log() -> list[dict[str, Any]]:
    said = [
        ("info", "full backup of 4 sources, 214,310 paths at the last one"),
        ("info", "databases frozen for 3 ms: ultra_pinnacle.db, sessions.db"),
        ("info", "scan: 214,322 paths in 1.4 s"),
        (
            "warning",
            "uploads/tmp/render.part changed while it was read; its new content is in the next backup",
        ),
        ("info", "read: 18.4 GB at 412 MB/s"),
        ("error", f"{HOSTILE[0]}: permission denied"),
        ("info", "written: backup_20261122_020000.tar.gz, 6.1 GB"),
        ("info", "verified: every byte was read back"),
    ] * 3
    return [
        {
            "number": n + 1,
            "time": f"02:00:{n * 2:02}",
            "iso": f"2026-11-22T02:00:{n * 2:02}Z",
            "level": level,
            "text": text,
        }
        for n, (level, text) in enumerate(said)
    ]


def differences() -> list[dict[str, str]]:
    return [
        {"path": "config.json", "change": "content", "reason": "size 967 B → 1.2 kB", "size": "+233 B"},
        {"path": "encyclopedia/otters.md", "change": "added", "reason": "", "size": "+14 kB"},
        {"path": "models/sd-turbo.safetensors", "change": "added", "reason": "", "size": "+2.1 GB"},
        {"path": f"uploads/{HOSTILE[0]}", "change": "removed", "reason": "", "size": "-3.4 MB"},
        {
            "path": f"uploads/{HOSTILE[6]}",
            "change": "content",
            "reason": "12 of 4,096 pages",
            "size": "+48 kB",
        },
        {"path": "logs/", "change": "metadata", "reason": "mode 0755 → 0750", "size": ""},
    ]


def checks() -> list[dict[str, str]]:
    return [
        {"tone": "bad", "title": "The backup due today at 02:00 (daily full) was not made", "sub": "See why in run 213, then make one now.", "note": "backup"},
        {"tone": "warn", "title": "9.4 % of the room for backups is free (11 GB), full in about 12 days (4 December)", "sub": "Make room with a cleanup, keep fewer days, or use a larger disk.", "note": "space"},
        {"tone": "good", "title": "A backup was last proven to restore 6 d ago", "sub": "", "note": "drill"},
        {"tone": "good", "title": "Every archive can be used", "sub": "", "note": "archives"},
        {"tone": "good", "title": "The scheduler runs as process 4217", "sub": "", "note": "scheduler"},
    ]  # fmt: skip


def everything() -> dict[str, Any]:
    planned = [
        PlannedPath("config.json", "overwrite", 1_204, "content differs"),
        PlannedPath("ultra_pinnacle.db", "overwrite", 912_000_000, "1,204 pages differ"),
        PlannedPath(f"uploads/{HOSTILE[1]}", "create", 48_000, "missing"),
    ]
    run = {
        "id": 214, "phase": "Reading", "bytes": 7_912_000_000, "total_bytes": 18_400_000_000, "items": 91_204,
        "total_items": 214_322, "path": f"uploads/2026/11/{HOSTILE[0]}", "seconds": 19.0,
    }  # fmt: skip
    return {
        "studio": "Ultra Pinnacle AI Studio",
        "user": SimpleNamespace(name="marion", role="administrator"),
        "nav_badges": {"runs": ("1 running", "accent"), "health": ("2", "warn")},
        "now": NOW,
        "days": charts.calendar_strip(days()),
        "growth": charts.growth_chart(samples(), full_on=TODAY + timedelta(days=40)),
        "usage": charts.usage_bar(
            [
                charts.Part(label="Full backups", nbytes=49_000_000_000, kind="stored"),
                charts.Part(label="Incremental", nbytes=9_300_000_000, kind="second"),
                charts.Part(label="Safety", nbytes=2_100_000_000, kind="third"),
                charts.Part(label="Other", nbytes=21_000_000_000, kind="other"),
                charts.Part(label="Free", nbytes=38_600_000_000, kind="free"),
            ]
        ),
        "donut": charts.donut(0.68, title="Room", label="used"),
        "spark": charts.sparkline([3, 4, 4, 6, 5, 7, 9, 8, 11], title="Size of incrementals"),
        "grew": [
            (name, nbytes, charts.share_bar(nbytes, 2_400_000_000, title=name))
            for name, nbytes in (("models/", 2_100_000_000), ("uploads/2026/11/", 248_000_000), ("logs/", 52_000_000))
        ],
        "line": charts.timeline(points()),
        "backups": backups(),
        "files": files(),
        "log": log(),
        "differences": differences(),
        "checks": checks(),
        "planned": planned,
        "run": run,
        "begun": {**run, "id": 215, "phase": "Preparing", "bytes": 0, "total_bytes": None, "items": 0, "total_items": None, "path": ""},
        "hostile": HOSTILE,
        "dates": date,
    }  # fmt: skip
