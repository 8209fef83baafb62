"""How much documents are about the same, whoever reads them.

Owns the measure. Knows no reader: what is wanted of a subject, and how much of it, others decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.corpus import Corpus
from model.grid import Floats


class Likeness:
    """Some documents of a corpus, to be compared with one another.

    Meaning is compared where both documents have vectors, words elsewhere. Vectors are taken from their
    mean: what all of them share, such as the manner of one mailing list, makes no two of them alike.

    Args:
        corpus: Where they are.
        documents: Their ids.
    """

    def __init__(self, corpus: Corpus, documents: Sequence[str]) -> None:
        rows = np.array([corpus.row[name] for name in documents], dtype=np.intp)
        self._words = corpus.words.rows[rows]
        self._encoded: NDArray[np.bool_] = corpus.grid.readable[rows]
        known = rows[self._encoded]
        self._meaning = np.zeros((len(rows), corpus.dim))
        if len(known):
            weights = corpus.grid.weights(np.zeros(corpus.grid.slots[known].shape), known)
            pooled = corpus.grid.pooled(weights, known)
            pooled -= pooled.mean(axis=0)
            pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
            self._meaning[self._encoded] = pooled

    def to(self, place: int) -> Floats:
        """The likeness of each document to the one at a place, (documents,), in [0, 1]; to itself 1."""
        by_words = np.zeros(len(self._encoded))
        if not (self._encoded[place] and self._encoded.all()):
            by_words = np.asarray((self._words @ self._words[[place]].T).toarray(), dtype=np.float64)[:, 0]
        by_meaning = self._meaning @ self._meaning[place]
        both = self._encoded & self._encoded[place]
        found: Floats = np.clip(np.where(both, by_meaning, by_words), 0.0, 1.0)
        found[place] = 1.0
        return found
