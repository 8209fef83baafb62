"""`triage evaluate`: measures the shipped ranker on files of your own decisions."""

from __future__ import annotations

from pathlib import Path

import click

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def evaluate() -> None:
    """Measure the ranker on your own decisions, from plain files.

    Uses the ranker exactly as the digest does, reads and writes JSON lines (also .gz), and touches no
    database.
    """


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--tasks", required=True, type=_EXISTING, help="Tasks: {task, labels, phrases, candidates}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a task: {task, scores, probability}.")
def rank(items: tuple[Path, ...], tasks: Path, output: Path) -> None:
    """Score the candidates of each task, given its few labels and phrases."""
    from triage.paths import Paths
    from triage.services import evaluate as service

    cache = Paths.of().cache / "evaluate"
    count = service.rank(items, tasks, output, cache=cache, on_progress=_show_progress)
    click.echo(f"Scored {count} tasks into {output}", err=True)


@evaluate.command()
@click.option("--rows", required=True, type=_EXISTING, help="Rows: {id, query, title, sentences}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a row: {id, scores}.")
def highlight(rows: Path, output: Path) -> None:
    """Score the sentences of each row for its query, or without one for what they say of the document."""
    from triage.paths import Paths
    from triage.services import evaluate as service

    cache = Paths.of().cache / "evaluate"
    count = service.highlight(rows, output, cache=cache, on_progress=_show_progress)
    click.echo(f"Scored {count} rows into {output}", err=True)


def _show_progress(done: int, total: int) -> None:
    click.echo(f"Encoding {done} of {total} texts", err=True)
