"""Search by meaning: the items with the passages that are nearest to the words of a search.

Owns the table of who owns which row of the matrix file. Runs in the model worker only: it needs numpy.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from triage.core import query as language
from triage.services import searching
from triage.services.vectors import Vectors
from triage.store import passages
from triage.store.engine import Database

FARTHEST = 0.3
"""The least cosine of what is still about the same thing. Of two abstracts picked at random it is 0.1."""
PASSAGES_AN_ITEM = 8
"""So many passages are looked at for each item that is wanted: the best ones often belong to one item."""


class Meaning:
    """Answers which items are near; keeps the owners of vectors until there are others."""

    def __init__(self, database: Database, vectors: Vectors) -> None:
        self._database = database
        self._vectors = vectors
        self._read: tuple[int, int] | None = None
        self._items: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._rows: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def nearest(self, text: str, limit: int, now: datetime) -> list[tuple[int, float]]:
        """(Item id, cosine of its nearest passage), nearest first; empty without an encoder or words.

        What else the search asks for (filters, words that must not occur) holds of all of them.

        Raises:
            UsageError: There is no such search.
        """
        query = language.parse(text)
        found = self._vectors.phrase_vectors([query.meaning]) if query.meaning else {}
        if not found:
            return []
        self._look()
        if not len(self._rows):
            return []
        cosines = self._vectors.products(found[query.meaning])[self._rows]
        if query.narrowing.terms:
            allowed = searching.narrowed(self._database, query, now)
            cosines[~np.isin(self._items, np.array(allowed, dtype=np.int64))] = -1.0
        count = min(limit * PASSAGES_AN_ITEM, len(cosines))
        best = np.argpartition(-cosines, count - 1)[:count]
        near: dict[int, float] = {}
        for place in best[np.argsort(-cosines[best], kind="stable")]:
            if cosines[place] < FARTHEST or len(near) == limit:
                break
            near.setdefault(int(self._items[place]), round(float(cosines[place]), 4))
        return list(near.items())

    def _look(self) -> None:
        """Reads who owns which row, if that has changed."""
        encoder = self._vectors.encoder
        assert encoder is not None
        with self._database.read() as connection:
            if (state := passages.count_encoded(connection)) == self._read:
                return
            pairs = np.array(passages.owners(connection, encoder), dtype=np.int64).reshape(-1, 2)
        self._read, self._items, self._rows = state, pairs[:, 0].copy(), pairs[:, 1].copy()
