"""The documents to be ranked, with everything about them that does not depend on the reader.

Owns the arrays that a fit reads: passage vectors in one matrix, their places in a padded
(documents, passages) grid, and tf-idf. Building it costs about 0.2 ms a document; a fit reuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.lexical import Terms, TfIdf
from model.types import Document, InvalidInput, Passage

if TYPE_CHECKING:
    from scipy.sparse import csr_array


HALF_LIFE_DAYS = {"feed": 2.0, "mail": 3.0, "paper": 14.0}
"""After which half of the advantage of being new is gone."""

COMMON = 0.05
"""Share of the documents beyond which a passage that they all hold counts as furniture."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Which documents belong to which sources, or to which people: pairs of a document and a name."""

    names: tuple[str, ...]
    rows: NDArray[np.intp]
    """(pairs,): the document."""
    members: NDArray[np.intp]
    """(pairs,): the place in `names`."""

    @classmethod
    def of(cls, names: Sequence[Sequence[str]]) -> Groups:
        """From the names of each document; empty names do not count, repeated ones once."""
        pairs = [(row, name) for row, found in enumerate(names) for name in dict.fromkeys(found) if name]
        known = {name: place for place, name in enumerate(dict.fromkeys(name for _, name in pairs))}
        rows = np.array([row for row, _ in pairs], dtype=np.intp)
        return cls(tuple(known), rows, np.array([known[name] for _, name in pairs], dtype=np.intp))


class Corpus:
    """What a `Ranker` ranks. Treat it as immutable; a changed pool is a new corpus.

    Args:
        documents: With unique ids. Every labelled document that is to teach must be among them.
        passages: Of each document, as `model.passages.split` cuts them.
        vectors: float32, (passages in all, dim), in document order and of length one; an all-zero row
            stands for a passage that is not encoded (yet), and counts neither for nor against. None
            without an encoder: words alone then rank.
        terms: Of each document, from `model.lexical.count_terms`.
        wholes: float32, (documents, dim): the vector of each document in one piece, zero for those that
            are too long for that (`model.passages.one_piece`). None if there are none.

    Raises:
        InvalidInput: The arguments do not fit together.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        passages: Sequence[Sequence[Passage]],
        vectors: NDArray[np.float32] | None,
        terms: Sequence[Terms],
        wholes: NDArray[np.float32] | None = None,
    ) -> None:
        if not len(documents) == len(passages) == len(terms):
            raise InvalidInput(
                f"{len(documents)} documents with passages of {len(passages)} and terms of {len(terms)}"
            )
        self.documents = tuple(documents)
        self.passages = tuple(tuple(parts) for parts in passages)
        self.row = {document.id: row for row, document in enumerate(self.documents)}
        if len(self.row) < len(self.documents):
            raise InvalidInput("Two documents have one id")
        counts = np.array([len(parts) for parts in self.passages], dtype=np.intp)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        if vectors is not None and (vectors.ndim != 2 or len(vectors) != starts[-1]):
            raise InvalidInput(f"Vectors of shape {vectors.shape} for {starts[-1]} passages")
        self.vectors = None if vectors is None else np.ascontiguousarray(vectors, dtype=np.float32)
        width = int(counts.max(initial=1))
        place = np.arange(width)
        self.exists: NDArray[np.bool_] = np.asarray(place < counts[:, None])
        """(documents, most passages): which places of the grid hold a passage."""
        self.slots: NDArray[np.intp] = np.where(self.exists, starts[:-1, None] + place, 0)
        """(documents, most passages): the row in `vectors` of each place; 0 where there is none."""
        self.encoded: NDArray[np.bool_] = np.zeros_like(self.exists)
        """(documents, most passages): which places hold a passage with a vector."""
        if self.vectors is not None and len(self.vectors):
            known: NDArray[np.bool_] = np.asarray(self.vectors.any(axis=1))
            self.encoded = np.logical_and(self.exists, known[self.slots])
        self.has_vectors: NDArray[np.bool_] = np.asarray(self.encoded.any(axis=1))
        if wholes is not None and (vectors is None or wholes.shape != (len(documents), vectors.shape[1])):
            raise InvalidInput(f"Vectors of whole documents of shape {wholes.shape}")
        self.wholes = wholes
        """(documents, dim), or None."""
        self.in_one_piece: NDArray[np.bool_] = np.zeros(len(documents), dtype=bool)
        """(documents,): which are judged by the vector of all of their text."""
        if wholes is not None:
            self.in_one_piece = np.logical_and(self.has_vectors, wholes.any(axis=1))
        titled = [bool(parts) and parts[0].field == "title" for parts in self.passages]
        before = place - np.array(titled, dtype=np.intp)[:, None]
        self.depth: NDArray[np.intp] = np.maximum(before, 0)
        """(documents, most passages): how many passages of the text come before each; 0 for a title."""
        self.furniture: NDArray[np.float64] = self._furniture()
        """(documents, most passages): log-weight that a passage loses for standing in many documents."""
        self._products = self._inner_products()
        self._last_phrases: tuple[bytes, NDArray[np.float64]] | None = None
        self.tf_idf = TfIdf(terms)
        self.sources = Groups.of([(document.source,) for document in self.documents])
        self.people = Groups.of([document.people for document in self.documents])
        self.freshness = _freshness(self.documents)
        """(documents,): in [-1, 1]; how much newer than the others each is."""

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.documents)

    @property
    def tf_idf_rows(self) -> csr_array:
        """(documents, vocabulary), float32."""
        return self.tf_idf.matrix

    def pooled_length(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lengths of each document's weighted sum of passage vectors, (documents,); 1 for zero.

        Args:
            weights: (documents, passages).
        """
        squares = np.einsum("nt,ntu,nu->n", weights, self._products, weights, optimize=True)
        return np.where(squares > 1e-12, np.sqrt(np.maximum(squares, 0)), 1.0)

    def passage_values(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Dot products of every passage with the columns of a (dim, m) matrix: (documents, passages, m).

        Places without a vector hold 0.
        """
        if self.vectors is None or not len(self.vectors):
            return np.zeros((*self.exists.shape, columns.shape[1]))
        values = (self.vectors @ columns).astype(np.float64)
        grid: NDArray[np.float64] = values[self.slots]
        grid[~self.encoded] = 0
        return grid

    def phrase_values(self, columns: NDArray[np.float32]) -> NDArray[np.float64]:
        """`passage_values`, remembered until other columns come: phrases change less often than labels."""
        key = columns.tobytes()
        if self._last_phrases is None or self._last_phrases[0] != key:
            self._last_phrases = (key, self.passage_values(columns))
        return self._last_phrases[1]

    def _furniture(self) -> NDArray[np.float64]:
        """ln(share of documents with the very same passage / `COMMON`), where that is positive.

        The name of a newsletter or a footer resembles every liked issue most of all; without this,
        attention would end there, and not at the stories.
        """
        loss = np.zeros(self.exists.shape)
        if self.vectors is None or not len(self.vectors):
            return loss
        # Equal texts have equal vectors; 16 of their values tell them apart.
        head = np.ascontiguousarray(self.vectors[:, :16])
        _, kind = np.unique(head.view(f"V{head.shape[1] * head.itemsize}").ravel(), return_inverse=True)
        document = np.repeat(np.arange(len(self)), self.exists.sum(axis=1))
        once = np.unique(np.stack([kind, document]), axis=1)[0]
        holders = np.bincount(once)[kind]
        usual = max(2.0, COMMON * len(self))
        loss[self.encoded] = np.log(np.maximum(1.0, holders / usual))[self.slots[self.encoded]]
        return loss

    def _inner_products(self) -> NDArray[np.float32]:
        """Dot products of the passages of each document with one another, (documents, passages, passages)."""
        count, width = self.exists.shape
        products = np.zeros((count, width, width), dtype=np.float32)
        if self.vectors is None or not len(self.vectors):
            return products
        for start in range(0, count, 1000):  # in blocks: the padded grid of all vectors may be gigabytes
            part = slice(start, start + 1000)
            grid = self.vectors[self.slots[part]] * self.encoded[part, :, None]
            products[part] = grid @ grid.swapaxes(1, 2)
        return products


def _freshness(documents: Sequence[Document]) -> NDArray[np.float64]:
    """What being new is worth: halves with every half-life of the document's kind.

    Measured from the newest document, so that it needs no clock; 0 where the age is unknown, and on
    average, so that it cannot lift a whole list.
    """
    dates = [document.published for document in documents]
    published = np.array([np.nan if date is None else date for date in dates], dtype=np.float64)
    half_lives = np.array([HALF_LIFE_DAYS.get(d.kind, HALF_LIFE_DAYS["feed"]) for d in documents])
    known = ~np.isnan(published)
    fresh = np.zeros(len(documents))
    if known.any():
        days = (published[known].max() - published[known]) / 86_400
        fresh[known] = 0.5 ** (days / half_lives[known])
        fresh[known] -= fresh[known].mean()
    return fresh
