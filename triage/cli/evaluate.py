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


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--tasks", required=True, type=_EXISTING, help="Tasks: {task, labels, phrases, candidates}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a document: its logits.")
def occlusion(items: tuple[Path, ...], tasks: Path, output: Path) -> None:
    """Score the best candidates of each task again, without their highlights and without other text."""
    from triage.paths import Paths
    from triage.services import evaluate as service

    cache = Paths.of().cache / "evaluate"
    count = service.occlusion(items, tasks, output, cache=cache, on_progress=_show_progress)
    click.echo(f"Took {count} documents apart into {output}", err=True)


@evaluate.command()
@click.option("--items", required=True, type=_EXISTING, help="Documents: {id, title, text, seen}.")
@click.option("--user", required=True, type=_EXISTING, help="The reader: {user, positives, start, phrases}.")
@click.option("--per-day", required=True, type=click.IntRange(min=1), help="How many to show each day.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a day: {day, shown, p}.")
def replay(items: Path, user: Path, per_day: int, output: Path) -> None:
    """Show the best of each day, learn what the reader says of these only, go on to the next day."""
    from triage.paths import Paths
    from triage.services import evaluate as service

    cache = Paths.of().cache / "evaluate"
    count = service.replay(items, user, output, per_day=per_day, cache=cache, on_progress=_show_progress)
    click.echo(f"Replayed {count} days into {output}", err=True)


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a document: {id, story}.")
def stories(items: tuple[Path, ...], output: Path) -> None:
    """Group documents that tell the same story, in the order in which they stand.

    Where a document says so, its {kind, source, published, people, identifiers, parent} are used, too.
    """
    from triage.paths import Paths
    from triage.services import evaluate as service

    cache = Paths.of().cache / "evaluate"
    count = service.stories(items, output, cache=cache, on_progress=_show_progress)
    click.echo(f"Grouped {count} documents into {output}", err=True)


def _show_progress(done: int, total: int) -> None:
    click.echo(f"Encoding {done} of {total} texts", err=True)
