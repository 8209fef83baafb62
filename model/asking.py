"""Which document to ask a new reader about: the one whose answer teaches most.

Owns the choice of one question from a ranking and what was asked before; knows nothing of the answers
but what the ranking has learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.corpus import Corpus
from model.grid import Floats
from model.ranker import Ranking

PROMISE = 6
"""How much more promise counts than novelty; from 6 to 10 it makes no difference (`benchmarks/asking.py`)."""


def most_telling(ranking: Ranking, rows: Sequence[int], known: Sequence[int]) -> int | None:
    """The document to ask about: promising, and unlike all that was asked before.

    Promise is a sigmoid of how far a document's logit stands above the average one, in standard deviations,
    to the power of `PROMISE`; it is multiplied by one less the resemblance to the nearest document that was
    asked about.

    Args:
        ranking: As of the answers so far.
        rows: The documents that may be asked about, by row.
        known: Those that were asked about, answered or passed.

    Returns:
        One of `rows`, of equals the first; None if there are none.
    """
    if not len(rows):
        return None
    logits = ranking.logits
    above = (logits - logits.mean()) / max(float(logits.std()), 1e-9)
    promise = (1.0 / (1.0 + np.exp(-above))) ** PROMISE
    worth = promise * (1.0 - resemblance(ranking.corpus, known))
    return int(rows[int(np.argmax(worth[list(rows)]))])


def resemblance(corpus: Corpus, rows: Sequence[int]) -> Floats:
    """How much each document resembles the nearest of those in `rows`: cosines, (documents,), 0 without rows.

    Measured between mean vectors where there is an encoder, between words where there is none.
    """
    if not len(rows):
        return np.zeros(len(corpus))
    if not corpus.dim:
        words = corpus.tf_idf.matrix
        return np.asarray((words @ words[list(rows)].T).max(axis=1).toarray()).ravel().astype(np.float64)
    vectors = _means(corpus)
    cosines: Floats = (vectors @ vectors[list(rows)].T).max(axis=1).astype(np.float64)
    return np.maximum(cosines, 0.0)


def _means(corpus: Corpus) -> NDArray[np.float32]:
    """(documents, dim), of length one: what each document says as a whole; zeros if none of it is encoded."""
    from scipy import sparse

    grid = corpus.grid
    weights = grid.weights(np.zeros(grid.slots.shape))
    owners, places = np.nonzero(grid.encoded)
    shares = (weights[owners, places], (owners, grid.slots[owners, places]))
    means = sparse.csr_array(shares, shape=(len(grid), len(grid.values))) @ grid.values
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.divide(means, lengths, out=np.zeros_like(means), where=lengths > 0)
    return found
