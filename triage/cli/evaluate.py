"""`triage evaluate`: measures the shipped ranker on files of your own decisions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triage.cli import output
from triage.cli.diagnostics import Progress
from triage.cli.group import Group
from triage.core import words
from triage.core.hindsight import Estimate, Hindsight

if TYPE_CHECKING:
    from triage.services.ranker.evaluate import Evaluation

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
COLUMN = 24
"""Cells of each number with its interval."""
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def evaluate() -> None:
    """Measures the ranker on your own decisions: on your past days, or from plain files.

    All but history read and write JSON lines (also .gz), use the ranker exactly as the digest does, and touch
    no database.
    """
    from triage.services.ranker.worker_client import ONE_THREAD

    os.environ |= ONE_THREAD | os.environ  # before numpy is imported: these commands rank in this process


@evaluate.command()
@click.option("--minutes", type=click.FloatRange(1, 600), help="Of reading a day; else as configured.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def history(minutes: float | None, as_json: bool) -> None:
    """Compare orders on your own days: newest first, your rules alone, the model before, the model of now.

    Each day is foreseen from what you had said before it. What you never marked counts as unwanted, though
    you may never have seen it, and that favours the order that you were shown.
    """
    from triage.runtime import Runtime

    with Runtime.open() as runtime, Progress() as progress:
        found = runtime.worker.hindsight(runtime.clock(), progress, minutes=minutes)
    if as_json:
        output.document(dataclasses.asdict(found))
        return
    for text in _history_lines(found):
        output.line(text)


def _history_lines(found: Hindsight) -> Iterator[str]:
    yield found.message[0].upper() + found.message[1:] + "."
    if not found.orders:
        return
    yield (
        f"{words.plural(found.days, 'day')} with {words.plural(found.liked, 'liked item')}, "
        f"{found.candidates:.0f} items to choose from on the average day; in brackets, 95 % intervals"
    )
    into = f"in {words.minutes(found.minutes)}"
    names = max(len(order.says) for order in found.orders)
    heads = (f"of liked, {into}", f"of all {into}, liked", "average precision")
    yield f"{'':<{names}}" + "".join(f"  {head:>{COLUMN}}" for head in heads)
    for order in found.orders:
        cells = map(_interval, (order.share, order.precision, order.average_precision))
        yield f"{order.says:<{names}}" + "".join(f"  {cell:>{COLUMN}}" for cell in cells)
    for order in found.orders:
        if order.behind is not None:
            yield f"more of what you liked than {order.says}: {_interval(order.behind, '+')}"


def _interval(each: Estimate, sign: str = "") -> str:
    return f"{each.value:{sign}.2f} [{each.low:{sign}.2f}, {each.high:{sign}.2f}]"


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--tasks", required=True, type=_EXISTING, help="Tasks: {task, labels, phrases, candidates}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a task: {task, scores, probability}.")
def rank(items: tuple[Path, ...], tasks: Path, output: Path) -> None:
    """Score the candidates of each task, given its few labels and phrases."""
    count = _evaluation().rank(items, tasks, output)
    click.echo(f"Scored {count} tasks into {output}", err=True)


@evaluate.command()
@click.option("--rows", required=True, type=_EXISTING, help="Rows: {id, query, title, sentences}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a row: {id, scores}.")
def highlight(rows: Path, output: Path) -> None:
    """Score the sentences of each row for its query, or without one for what they say of the document."""
    count = _evaluation().highlight(rows, output)
    click.echo(f"Scored {count} rows into {output}", err=True)


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--tasks", required=True, type=_EXISTING, help="Tasks: {task, labels, phrases, candidates}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a document: its logits.")
def occlusion(items: tuple[Path, ...], tasks: Path, output: Path) -> None:
    """Score the best candidates of each task again, without their highlights and without other text."""
    count = _evaluation().occlusion(items, tasks, output)
    click.echo(f"Took {count} documents apart into {output}", err=True)


@evaluate.command()
@click.option("--items", required=True, type=_EXISTING, help="Documents: {id, title, text, seen}.")
@click.option("--user", required=True, type=_EXISTING, help="The reader: {user, positives, start, phrases}.")
@click.option("--per-day", required=True, type=click.IntRange(min=1), help="How many to show each day.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a day: {day, shown, p}.")
def replay(items: Path, user: Path, per_day: int, output: Path) -> None:
    """Show the best of each day, learn what the reader says of these only, go on to the next day."""
    count = _evaluation().replay(items, user, output, per_day=per_day)
    click.echo(f"Replayed {count} days into {output}", err=True)


@evaluate.command()
@click.option("--items", multiple=True, required=True, type=_EXISTING, help="Documents: {id, title, text}.")
@click.option("--output", required=True, type=_OUTPUT, help="One line a document: {id, story}.")
def stories(items: tuple[Path, ...], output: Path) -> None:
    """Group documents that tell the same story, in the order in which they stand.

    Where a document says so, its {kind, source, published, people, identifiers, parent} are used, too.
    """
    count = _evaluation().stories(items, output)
    click.echo(f"Grouped {count} documents into {output}", err=True)


def _evaluation() -> Evaluation:
    from triage.paths import Paths
    from triage.services.ranker.evaluate import Evaluation

    return Evaluation(Paths.of().cache / "evaluate", _show_progress)


def _show_progress(done: int, total: int) -> None:
    click.echo(f"Encoding {done} of {total} texts", err=True)
