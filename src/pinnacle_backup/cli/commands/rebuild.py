"""``rebuild``: the catalog from the archives."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command("rebuild", examples=(("After archives were copied in by hand", "rebuild"),))
@pass_context
def command(context: Context) -> int:
    """
    Make the catalog anew from the archives.

    The catalog is only a faster way to know what the archives say. It is made by itself where it is
    missing; this makes it even where it is there. Needs no password.
    """
    from pinnacle_backup.app.rebuild import rebuild_catalog
    from pinnacle_backup.cli.progress import progress
    from pinnacle_backup.cli.reports import DONE, WARNINGS, warn_of_problems
    from pinnacle_backup.cli.text import counted, duration

    with progress(context) as shown:
        report = rebuild_catalog(context.studio(), progress=shown)
    out = context.out
    code = WARNINGS if report.problems else DONE
    out.result(code, report)
    warn_of_problems(out, f"{counted(len(report.problems), 'archive')} cannot be used:", report.problems)
    out.say(f"The catalog knows {counted(report.backups, 'backup')} ({duration(report.seconds)})")
    return code
