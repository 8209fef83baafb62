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


class Evaluation:
    """The shipped ranker over plain files; the vectors of their texts are remembered from run to run.

    Each method writes its output whole or not at all, and returns how many lines that has.

    Args:
        cache: Folder in which vectors are remembered.
        on_progress: Called with (texts encoded, texts to encode).

    Raises:
        UsageError: By each method, for a file that cannot be used; the message names it and the line.
        TriageError: By each method: there is no encoder, or it failed.
    """

    def __init__(self, cache: Path, on_progress: Progress | None = None) -> None:
        self._cache = cache
        self._on_progress = on_progress

    def rank(self, items: Sequence[Path], tasks: Path, output: Path) -> int:
        """Scores the candidates of every task."""
        from model.evaluate import rank_tasks

        with self._encoder() as encode:
            return _write(output, rank_tasks(*_tasks(items, tasks), encode, encode.weights.reads))

    def highlight(self, rows: Path, output: Path) -> int:
        """Scores the sentences of every row."""
        from model import evaluate

        with self._encoder() as encode:
            todo = evaluate.read_sentences(rows, sanitize_text)
            return _write(output, evaluate.highlight_rows(todo, encode, encode.weights.reads))

    def occlusion(self, items: Sequence[Path], tasks: Path, output: Path) -> int:
        """Removes the highlights of the best candidates of every task, and as much text at random."""
        from model.occlusion import occlude_tasks

        with self._encoder() as encode:
            return _write(output, occlude_tasks(*_tasks(items, tasks), encode, encode.weights.reads))

    def replay(self, items: Path, user: Path, output: Path, *, per_day: int) -> int:
        """Replays a stream day by day for one reader, showing `per_day` documents a day."""
        from model import replay as days

        with self._encoder() as encode:
            stream = days.read_stream(items, sanitize_text)
            start, ask = days.read_reader(user, stream.documents, sanitize_text)
            return _write(output, days.replay(stream, start, ask, per_day, encode, encode.weights.reads))

    def stories(self, items: Sequence[Path], output: Path) -> int:
        """Groups documents that tell the same story."""
        from model.grouping import group

        with self._encoder() as encode:
            return _write(output, group(items, sanitize_text, encode, encode.weights.reads))

    @contextmanager
    def _encoder(self) -> Iterator[CachedEncoder]:
        """The encoder, while errors of the ranker become those of the program."""
        from model.cache import CachedEncoder
        from model.encoder import find_weights
        from model.types import InvalidInput, ModelError

        try:
            with CachedEncoder(self._cache, find_weights(), on_progress=self._on_progress) as encode:
                yield encode
        except InvalidInput as error:
            raise UsageError(str(error)) from error
        except ModelError as error:
            raise TriageError(str(error)) from error


def _tasks(items: Sequence[Path], tasks: Path) -> tuple[dict[str, Document], list[Task]]:
    """Documents by id, and what is to be done with them."""
    from model.evaluate import read_items, read_tasks

    documents = read_items(items, sanitize_text)
    return documents, read_tasks(tasks, documents, sanitize_text)


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
