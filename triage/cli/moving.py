"""`triage export events`, `interests`, `rules`, `model` and `all`: what moves to another machine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triage.cli import diagnostics, output
from triage.core import words
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.services.moving.exporting import What
    from triage.services.moving.merging import Merged

HELP: dict[What, str] = {
    "all": "Writes everything that a new machine needs to rank as this one does to FILE.\n\n"
    "Sources, items of the digest's window, all that you have said, and the model. There: triage import "
    "FILE. Mail and other texts are in it as they are; the file is readable by you only.",
    "events": "Writes everything that you have said to FILE, with the items it was about.",
    "interests": "Writes your interests as they are now to FILE.",
    "rules": "Writes your rules and aliases as they are now to FILE.",
    "model": "Writes the versions that triage learn has found to FILE.",
}


def _command(what: What) -> click.Command:
    @click.command(what, help=HELP[what])
    @click.argument("file", default="-")
    def write(file: str) -> None:
        _export(what, file)

    return write


def commands() -> list[click.Command]:
    """One for each thing that can be exported."""
    return [_command(what) for what in HELP]


def _export(what: What, file: str) -> None:
    from triage.services.fetching import subscriptions
    from triage.services.moving import exporting
    from triage.services.ranker.models import Models
    from triage.services.ranker.ranking import RANKER

    with Runtime.open() as runtime:
        models = Models(runtime.paths.models, RANKER)
        window = timedelta(days=runtime.config.digest.window_days)
        lines = list(exporting.export(runtime.database, models, what, runtime.clock(), window))
        left = exporting.left_behind(runtime.database) if what == "all" else []
    text = b"".join(lines).decode()
    if file == "-":
        output.text(text)
    else:
        subscriptions.write_file(Path(file).expanduser(), text)
        diagnostics.note(f"{words.plural(len(lines) - 1, 'line')} written to {file}")
    for each in left:
        diagnostics.note(f"not in it, to be set there again: {each}")
    if left:
        diagnostics.note("There, after the import: triage sources set SOURCE NAME=VALUE")


def merge(runtime: Runtime, body: bytes, name: str, progress: diagnostics.Progress) -> Merged:
    """Takes an export in, and ranks with what came."""
    from triage.services.moving import merging
    from triage.services.ranker.models import Models
    from triage.services.ranker.ranking import RANKER

    models = Models(runtime.paths.models, RANKER)
    merged = merging.merge(runtime.database, models, runtime.clock, body, name, progress)
    if (merged.items or merged.events or merged.models) and runtime.first_page() is not None:
        runtime.worker.reread(runtime.clock(), progress)
    return merged


def say_merged(merged: Merged) -> None:
    """What an import came to, for people."""
    output.line(output.clean(str(merged)))
    for each in merged.notes:
        diagnostics.note(each)
    if merged.sources:
        diagnostics.note("To fetch what is new: triage sync")
