"""Prepares stored items for the ranker: passages, their vectors, term counts.

Owns the batches and their transactions: a kill at any moment loses at most the batch under way, which
is done again. Runs in the model worker only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from model.lexical import count_terms
from model.passages import one_piece, split
from triage.services.vectors import Progress, Vectors
from triage.store import items, passages
from triage.store.engine import Database

BATCH = 200
"""Items a transaction: a few seconds of encoding, so that little is lost and progress is seen."""
WORDS_ONLY = "words"
"""Stands for the encoder of items that were indexed without one."""


def index_items(database: Database, vectors: Vectors, on_progress: Progress) -> int:
    """Splits, counts and encodes every item that needs it, newest first; the encoder is left running.

    Returns:
        How many items were indexed.
    """
    encoder = vectors.encoder
    with database.read() as connection:
        total = items.count_stale(connection, encoder)
    done = 0
    while True:
        with database.read() as connection:
            batch = items.stale(connection, encoder, BATCH)
        if not batch:
            break
        parts = {item_id: _pieces(title, text) for item_id, title, text, _ in batch}
        ids = _vector_ids(batch, parts, vectors, partial(_report, on_progress, done, total))
        with database.write() as connection:
            passages.replace(
                connection,
                {
                    item_id: [
                        passages.NewPassage(piece.field, piece.start, piece.end, ids.get((item_id, n)))
                        for n, piece in enumerate(parts[item_id])
                    ]
                    for item_id in parts
                },
                {item_id: count_terms(title, text).to_bytes() for item_id, title, text, _ in batch},
            )
            hashes = {item_id: content for item_id, _, _, content in batch}
            items.mark_indexed(connection, hashes, encoder or WORDS_ONLY)
        done += len(batch)
        _report(on_progress, done, total, 0)
    return done


def _report(on_progress: Progress, done: int, total: int, share: int) -> None:
    on_progress("reading", min(done + share, total), total)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something to be encoded: a passage, or the whole document (`passages.WHOLE`)."""

    field: str
    start: int
    end: int
    text: str


def _pieces(title: str, text: str) -> list[_Piece]:
    """The passages of a document, and all of it if it is short enough to be read in one piece."""
    fields = {"title": title, "text": text}
    found = [_Piece(p.field, p.start, p.end, fields[p.field][p.start : p.end]) for p in split(title, text)]
    whole = one_piece(title, text)
    return found if whole is None else [*found, _Piece(passages.WHOLE, 0, len(text), whole)]


def _vector_ids(
    batch: Sequence[tuple[int, str, str, str]],
    parts: Mapping[int, Sequence[_Piece]],
    vectors: Vectors,
    on_share: Callable[[int], None],
) -> dict[tuple[int, int], int]:
    """(Item id, ordinal) -> vector id, for what the encoder can read."""
    if vectors.weights is None:
        return {}
    readable = [item_id for item_id, title, text, _ in batch if vectors.weights.reads(f"{title} {text}")]
    keys = [(item_id, n) for item_id in readable for n in range(len(parts[item_id]))]
    texts = [parts[item_id][n].text for item_id, n in keys]
    ids = vectors.ids(texts, lambda done, total: on_share(len(batch) * done // max(1, total)))
    return dict(zip(keys, ids, strict=True))
