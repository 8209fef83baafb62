"""`triage insight`: how the ranker and the reader get on."""

from __future__ import annotations

import sys

import click

from triage.cli import output, render
from triage.cli.diagnostics import Progress
from triage.core import plots
from triage.core.insight_page import page
from triage.runtime import Runtime


@click.command()
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def insight(days: int, as_json: bool) -> None:
    """Shows how accurate the probabilities were, what was learned, what you read, what chance found.

    Reads only. What was learned this week is found by ranking without and with what you said in it.
    """
    from triage.services.reader import insight as service

    with Runtime.open() as runtime:
        now = runtime.clock()
        found = service.look(runtime.database, now, days)
        with Progress() as progress:
            learned = runtime.worker.learned(now, now - service.LATELY, progress)
    if as_json:
        output.document({**found.to_json(), "learned": learned.to_json()})
        return
    for line in page(found, learned, render.width()):
        text = "".join(piece for piece, _ in line).rstrip()
        output.line(text if _shows_plots() else plots.plain(text))


def _shows_plots() -> bool:
    """Whether the characters of plots can be written to standard output."""
    try:
        f"{plots.COLUMNS}●━".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
