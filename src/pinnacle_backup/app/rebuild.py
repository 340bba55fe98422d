"""Make the catalog anew."""

from __future__ import annotations

from pinnacle_backup.app.recording import recording
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.rebuild import rebuild
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.queries import RebuildReport


def rebuild_catalog(studio: Studio, *, progress: Progress) -> RebuildReport:
    """
    Make the studio's catalog anew from its archives.

    Raises:
        StoreError: The archives cannot be listed, or the catalog cannot be written.
    """
    with recording(studio, "rebuild") as run:
        report = rebuild(studio.repository, progress=progress)
        for problem in report.problems:
            run.warn(f"{problem.path}: {problem.reason}")
        run.note(f"{report.backups} backups, {report.seconds:.1f} s")
    return report
