"""Passages of documents side by side: what each says, and how much it is looked at by default.

Owns the padded (documents, passages) arrangement that attention runs over. Knows neither labels nor
words; a grid of one document, some of its passages removed, is as good as one of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.attention import attention_weights, pool

Floats = NDArray[np.float64]
Rows = NDArray[np.intp] | slice
ALL = slice(None)
BLOCK = 1000
"""Documents whose vectors are laid out side by side at a time: the padded grid of all may be gigabytes."""


class Grid:
    """The passages of some documents.

    Args:
        values: float32, (passages, dim): what each passage says; all zero where that is not known.
        slots: (documents, most passages): the row in `values` of each place.
        exists: (documents, most passages): which places hold a passage.
        apart: (documents,): whose passages are read each alone.
        prior: (documents, most passages): log-weight of each passage before anything is sought.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        slots: NDArray[np.intp],
        exists: NDArray[np.bool_],
        apart: NDArray[np.bool_],
        prior: Floats,
    ) -> None:
        self.values = values
        self.slots = slots
        self.apart = apart
        self.prior = prior
        self.encoded: NDArray[np.bool_] = np.zeros_like(exists)
        """(documents, most passages): which places hold a passage with a vector."""
        if len(values):
            known: NDArray[np.bool_] = np.asarray(values.any(axis=1))
            self.encoded = np.logical_and(exists, known[slots])
        self.readable: NDArray[np.bool_] = np.asarray(self.encoded.any(axis=1))
        """(documents,): which have any passage with a vector."""
        self._products = self._inner_products()
        self._last_phrases: tuple[bytes, Floats] | None = None

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.slots)

    def weights(self, scores: Floats, rows: Rows = ALL) -> Floats:
        """Attention over the passages of each document, (documents, passages), from scores of that shape.

        softmax(score + prior): without any score, passages count by their length and place.
        """
        weights: Floats = attention_weights(scores + self.prior[rows], self.encoded[rows])
        return weights

    def scores(self, columns: NDArray[np.float32]) -> Floats:
        """Dot products of every passage with the columns of a (dim, m) matrix: (documents, passages, m).

        Places without a vector hold 0.
        """
        if not len(self.values):
            return np.zeros((*self.slots.shape, columns.shape[1]))
        scores = (self.values @ columns).astype(np.float64)
        grid: Floats = scores[self.slots]
        grid[~self.encoded] = 0
        return grid

    def phrase_scores(self, columns: NDArray[np.float32]) -> Floats:
        """`scores`, remembered until other columns come: phrases change less often than labels."""
        key = columns.tobytes()
        if self._last_phrases is None or self._last_phrases[0] != key:
            self._last_phrases = (key, self.scores(columns))
        return self._last_phrases[1]

    def pooled(self, weights: Floats, rows: NDArray[np.intp]) -> Floats:
        """Weighted sums of the passages of some documents, of length one each, (documents, dim).

        Args:
            weights: (documents, passages), of these rows.
            rows: Which documents.
        """
        sums = np.zeros((len(rows), self.values.shape[1]))
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            values = self.values[self.slots[rows[part]]].astype(np.float64)
            sums[part] = pool(weights[part, None, :], values)[:, 0, :]
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        return sums

    def along(self, direction: NDArray[np.floating], rows: NDArray[np.intp]) -> Floats:
        """Dot products of the passages of some documents with a vector (dim,): (documents, passages)."""
        parts = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
        found = [self.values[self.slots[part]] @ direction for part in parts]
        return np.concatenate([np.zeros((0, self.slots.shape[1])), *found])

    def pooled_length(self, weights: Floats) -> Floats:
        """Lengths of each document's weighted sum of passages, (documents,); 1 for zero.

        Args:
            weights: (documents, passages).
        """
        squares = np.einsum("nt,ntu,nu->n", weights, self._products, weights, optimize=True)
        return np.where(squares > 1e-12, np.sqrt(np.maximum(squares, 0)), 1.0)

    def _inner_products(self) -> NDArray[np.float32]:
        """Dot products of the passages of each document with one another, (documents, passages, passages)."""
        count, width = self.slots.shape
        products = np.zeros((count, width, width), dtype=np.float32)
        if not len(self.values):
            return products
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            grid = self.values[self.slots[part]] * self.encoded[part, :, None]
            products[part] = grid @ grid.swapaxes(1, 2)
        return products
