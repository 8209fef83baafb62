"""Prepares stored items for the ranker: passages, their vectors, term counts.

Owns the batches and their transactions: a kill at any moment loses at most the batch under way, which
is done again. Runs in the model worker only.

A flood is read in two stages, so that nobody waits for all of it: first the words and the lead of each
item (`index_items`), then, best first, the whole of each (`Backlog`). Until then an item has one vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection

from model.lexical import count_terms
from model.passages import split, to_encode
from model.types import Passage, Window
from triage.core.crash import crash_point
from triage.services.ranker import leads
from triage.services.ranker.vectors import Progress, Vectors
from triage.store import items, passages
from triage.store.engine import Database

BATCH = 200
"""Items a transaction: a few seconds of encoding, so that little is lost and progress is seen."""
FLOOD = 400
"""More new items than this are read by their leads first: half a minute of encoding on a slow machine."""
PORTION = 24
"""Items that `Backlog` reads at a time: about a second, for which a mark may have to wait."""


def index_items(
    database: Database, vectors: Vectors, on_progress: Progress, *, flood: int | None = None
) -> int:
    """Splits, counts and encodes every item that needs it, newest first; the encoder is left running.

    Args:
        database: Where they are.
        vectors: Where vectors come from.
        on_progress: Progress.
        flood: From how many new items on only their leads are read; by default `FLOOD`.

    Returns:
        How many items were indexed.
    """
    encoder = vectors.encoder
    with database.read() as connection:
        total = items.count_stale(connection, encoder)
    by_lead = encoder is not None and total > (FLOOD if flood is None else flood)
    done = 0
    while True:
        with database.read() as connection:
            batch = items.stale(connection, encoder, BATCH)
        if not batch:
            break
        parts = {row.id: split(row.title, row.text) for row in batch}
        ids = _vector_ids(
            batch,
            [parts[row.id] for row in batch],
            vectors,
            partial(_report, on_progress, done, total),
            by_lead=by_lead,
        )
        with database.write() as connection:
            passages.replace(
                connection,
                {
                    row.id: [
                        passages.NewPassage(part.field, part.start, part.end, ids.get((row.id, n)))
                        for n, part in enumerate(parts[row.id])
                    ]
                    for row in batch
                },
                {row.id: count_terms(row.title, row.text, parts[row.id]).to_bytes() for row in batch},
            )
            mark = items.lead_of(encoder) if by_lead and encoder else vectors.name
            items.mark_indexed(connection, {row.id: row.edition for row in batch}, mark)
            crash_point("index:written")
        crash_point("index:committed")
        done += len(batch)
        _report(on_progress, done, total, 0)
    return done


class Backlog:
    """The items that are known by their lead only, to be read whole, best first.

    They are put in order once and again after `reorder`, not for each portion: that would take as many
    times longer as the flood has portions.
    """

    def __init__(self, database: Database, vectors: Vectors) -> None:
        self._database = database
        self._vectors = vectors
        self._order: list[int] = []
        """Ids, the best at the end; those that another process has read meanwhile are passed over."""

    def reorder(self) -> None:
        """Other scores were given: what comes next is to be seen anew."""
        self._order = []

    def read_on(self) -> int:
        """Encodes a portion; the encoder is left running.

        Returns:
            How many items are left.
        """
        encoder = self._vectors.encoder
        if encoder is None:
            return 0
        with self._database.read() as connection:
            batch = self._portion(connection, encoder)
            known = passages.of_items(connection, [row.id for row in batch])
        if batch:
            parts = [[_passage(part) for part in known.get(row.id, [])] for row in batch]
            ids = _vector_ids(batch, parts, self._vectors, lambda _: None, by_lead=False)
            with self._database.write() as connection:
                passages.set_vectors(connection, ids)
                items.mark_indexed(connection, {row.id: row.edition for row in batch}, encoder)
        with self._database.read() as connection:
            return self._left(connection, encoder)

    def _portion(self, connection: Connection, encoder: str) -> list[items.TextRow]:
        self._left(connection, encoder)
        while self._order:
            ids = self._order[-PORTION:]
            del self._order[-PORTION:]
            if batch := items.leads(connection, encoder, ids):
                return batch
        return []

    def _left(self, connection: Connection, encoder: str) -> int:
        if not self._order:
            self._order = items.best_leads(connection, encoder)[::-1]
        return len(self._order)


def _report(on_progress: Progress, done: int, total: int, share: int) -> None:
    on_progress("reading", min(done + share, total), total)


def _passage(row: passages.PassageRow) -> Passage:
    return Passage("title" if row.field == "title" else "text", row.start, row.end)


def _vector_ids(
    batch: Sequence[items.TextRow],
    parts: Sequence[Sequence[Passage]],
    vectors: Vectors,
    on_share: Callable[[int], None],
    *,
    by_lead: bool,
) -> dict[tuple[int, int], int]:
    """(Item id, ordinal) -> vector id, for what the encoder can read.

    Args:
        batch: The items.
        parts: The passages of each.
        vectors: Where vectors come from.
        on_share: Called with about how many of the items are encoded.
        by_lead: Whether each item gets the vector of its lead, or each passage its own.
    """
    if vectors.weights is None:
        return {}
    windows: list[Window] = []
    places: list[tuple[int, int]] = []
    for row, passages_of in zip(batch, parts, strict=True):
        if not passages_of or not vectors.weights.reads(f"{row.title} {row.text}"):
            continue
        if by_lead:
            windows.append(leads.lead(row.title, row.text))
            places.append((row.id, leads.place(passages_of)))
        else:
            windows += to_encode(row.title, row.text, passages_of)
            places += [(row.id, n) for n in range(len(passages_of))]
    ids = vectors.ids(windows, lambda done, total: on_share(len(batch) * done // max(1, total)))
    return dict(zip(places, ids, strict=True))
