"""Words of documents as tf-idf rows: of whole documents, and of each passage where these are read apart.

Owns how a linear score of words becomes the score of a document: a short one is one row, a long one is
its passages, pooled with attention. Knows neither labels nor vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


class WordGrid:
    """The words of some documents.

    Args:
        rows: tf-idf, (documents, vocabulary), of the whole documents.
        parts: tf-idf, (parts, vocabulary), of the passages of those that are read apart, in order.
        owners: (parts,): the document of each part, ascending.
        places: (parts,): which passage of its document each part is.
    """

    def __init__(
        self, rows: csr_array, parts: csr_array, owners: NDArray[np.intp], places: NDArray[np.intp]
    ) -> None:
        self.rows = rows
        self.parts = parts
        self.owners = owners
        self.places = places
        self.apart: NDArray[np.intp] = np.unique(owners)
        """Documents that are scored by their parts, ascending."""
        self._starts = np.searchsorted(owners, self.apart)

    def scores(self, weights: Floats, sharpness: float) -> Floats:
        """The score w . x of each document, (documents,); where it has parts, their pooled w . x_t.

        Args:
            weights: w, (vocabulary,).
            sharpness: See `attention`.
        """
        # In the type of the rows: converting all of them to float64 costs three times the product.
        scores = np.asarray(self.rows @ weights.astype(np.float32), dtype=np.float64)
        if len(self.owners):
            values = np.asarray(self.parts @ weights, dtype=np.float64)
            scores[self.apart] = np.add.reduceat(self.attention(values, sharpness) * values, self._starts)
        return scores

    def attention(self, values: Floats, sharpness: float) -> Floats:
        """softmax(sharpness * value) over the parts of each document, (parts,).

        Args:
            values: (parts,), w . x_t.
            sharpness: 0 counts all parts alike; infinity only the best one.
        """
        counts = np.diff(np.append(self._starts, len(self.owners)))
        peak = np.repeat(np.maximum.reduceat(values, self._starts), counts)
        force = np.exp(sharpness * (values - peak))
        total = np.repeat(np.add.reduceat(force, self._starts), counts)
        weights: Floats = force / total
        return weights

    def sharpness(self, weights: Floats, gain: float) -> float:
        """The sharpness at which a part of one standard deviation of w . x_t more counts e^gain as much."""
        spread = float(np.std(self.parts @ weights)) if len(self.owners) else 0.0
        return gain / spread if spread > 0 else 0.0
