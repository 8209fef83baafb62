"""`triage evaluate`: the shipped ranker on plain files, without any database.

Owns the translation between files and `model.evaluate`: sanitising as at ingest, finding the encoder,
remembering its vectors, writing the output in one piece.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.core.errors import TriageError, UsageError
from triage.core.text import sanitize_text

if TYPE_CHECKING:
    from model.cache import CachedEncoder
    from model.encoder import Progress
    from model.evaluate import Task
    from model.types import Document


def rank(
    items: Sequence[Path],
    tasks: Path,
    output: Path,
    *,
    cache: Path,
    encoder: Path | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Scores the candidates of every task.

    Args:
        items: Files of documents.
        tasks: File of tasks.
        output: Written whole or not at all.
        cache: Folder in which vectors are remembered from run to run.
        encoder: A folder with weights; None for the verified package.
        on_progress: Called with (texts encoded, texts to encode).

    Returns:
        How many tasks were scored.

    Raises:
        UsageError: A file cannot be used; the message names it and the line.
        TriageError: There is no encoder, or it failed.
    """
    from model.evaluate import rank_tasks

    with _errors(), _encoder(cache, encoder, on_progress) as encode:
        rows = rank_tasks(*_tasks(items, tasks), encode, encode.weights.reads)
        return _write(output, rows)


def highlight(
    rows: Path,
    output: Path,
    *,
    cache: Path,
    encoder: Path | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Scores the sentences of every row; arguments, result and errors as for `rank`."""
    from model import evaluate

    with _errors(), _encoder(cache, encoder, on_progress) as encode:
        todo = evaluate.read_sentences(rows, sanitize_text)
        return _write(output, evaluate.highlight_rows(todo, encode, encode.weights.reads))


def occlusion(
    items: Sequence[Path],
    tasks: Path,
    output: Path,
    *,
    cache: Path,
    encoder: Path | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Removes the highlights of the best candidates of every task, and as much text at random.

    Returns:
        How many documents were taken apart. Arguments and errors as for `rank`.
    """
    from model.occlusion import occlude_tasks

    with _errors(), _encoder(cache, encoder, on_progress) as encode:
        rows = occlude_tasks(*_tasks(items, tasks), encode, encode.weights.reads)
        return _write(output, rows)


def replay(
    items: Path,
    user: Path,
    output: Path,
    *,
    per_day: int,
    cache: Path,
    encoder: Path | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Replays a stream day by day for one reader, showing `per_day` documents a day.

    Returns:
        How many days were replayed. Other arguments and errors as for `rank`.
    """
    from model import replay as days

    with _errors(), _encoder(cache, encoder, on_progress) as encode:
        stream = days.read_stream(items, sanitize_text)
        start, ask = days.read_reader(user, stream.documents, sanitize_text)
        rows = days.replay(stream, start, ask, per_day, encode, encode.weights.reads)
        return _write(output, rows)


def stories(
    items: Sequence[Path],
    output: Path,
    *,
    cache: Path,
    encoder: Path | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Groups documents that tell the same story.

    Returns:
        How many documents were grouped. Arguments and errors as for `rank`.
    """
    from model.grouping import group

    with _errors(), _encoder(cache, encoder, on_progress) as encode:
        return _write(output, group(items, sanitize_text, encode, encode.weights.reads))


def _tasks(items: Sequence[Path], tasks: Path) -> tuple[dict[str, Document], list[Task]]:
    """Documents by id, and what is to be done with them."""
    from model.evaluate import read_items, read_tasks

    documents = read_items(items, sanitize_text)
    return documents, read_tasks(tasks, documents, sanitize_text)


@contextmanager
def _errors() -> Iterator[None]:
    """Errors of the ranker as those of the program."""
    from model.types import InvalidInput, ModelError

    try:
        yield
    except InvalidInput as error:
        raise UsageError(str(error)) from error
    except ModelError as error:
        raise TriageError(str(error)) from error


@contextmanager
def _encoder(cache: Path, encoder: Path | None, on_progress: Progress | None) -> Iterator[CachedEncoder]:
    from model.cache import CachedEncoder
    from model.encoder import find_weights

    with CachedEncoder(cache, find_weights(encoder), on_progress=on_progress) as encode:
        yield encode


def _write(output: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Writes JSON lines beside `output` and renames them into place; returns their number."""
    count = 0
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=output.parent, prefix=f".{output.name}.", delete=False
        ) as file:
            try:
                for row in rows:
                    file.write(json.dumps(row) + "\n")
                    count += 1
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(output)
            except BaseException:
                Path(file.name).unlink()
                raise
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error}") from error
    return count
