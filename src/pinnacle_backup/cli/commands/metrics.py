"""``metrics``: figures for Prometheus."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "metrics",
    examples=(
        ("Look at them", "metrics"),
        (
            "For node_exporter's textfile collector, from cron",
            "metrics --textfile /var/lib/node_exporter/pinnacle.prom",
        ),
    ),
)
@click.option(
    "--textfile",
    metavar="PATH",
    type=click.Path(dir_okay=False),
    help="Write them into this file, all at once.",
)
@pass_context
def command(context: Context, textfile: str | None) -> int:
    """
    Print how the studio stands as metrics, in the text format of Prometheus; or write it, and say nothing.

    They come from the catalog and the record of runs; no archive is read. The running scheduler keeps the
    file backup.metrics_file up to date by itself.
    """
    from pinnacle_backup.app.metrics import exposition, write_metrics

    studio = context.studio(warn=_told_by_health)
    if textfile is not None:
        write_metrics(studio, textfile)
        context.out.json({"written": textfile})
        return 0
    text = exposition(studio)
    context.out.json({"metrics": text})
    context.out.data(text.rstrip("\n"))
    return 0


def _told_by_health(_: str) -> None:
    """Leave out what pinnacle_health_level tells."""
