"""Words as evidence: hashed term counts, tf-idf, and naive Bayes over it.

Owns the lexical representation of a document; the other classifier over it is `model.svm`. The formulas are
those of scikit-learn's `TfidfVectorizer` and `MultinomialNB`, against which they are tested; importing that
library costs 1.5 s, this module 0.1 s.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from model import hygiene
from model.passages import locator, read_apart, sentences
from model.stopwords import ENGLISH
from model.types import Passage

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Field = Literal["title", "text"]

BUCKETS = 1 << 22
"""Terms are hashed into these: with 200,000 different terms in use, one in twenty shares its bucket."""

MAX_FEATURES = 20_000
TITLE_COUNT = 2
"""A title says what its document is about: counting its words twice adds .01 average precision."""
MAX_DF = 0.95

_IS_WIDE = re.compile(f"[{hygiene.WIDE}]")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one document: bucket numbers, how often each occurs, and in which passage.

    Sorted by passage and bucket. In a document whose passages are read together all stand in passage 0.
    """

    buckets: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    places: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Seven bytes a term; `from_bytes` is the inverse."""
        return (
            self.buckets.astype("<u4").tobytes() + self.counts.astype("<u2").tobytes() + self.places.tobytes()
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Terms:
        """The terms that `to_bytes` stored.

        Raises:
            ValueError: The length cannot be that of stored terms.
        """
        size, rest = divmod(len(data), 7)
        if rest:
            raise ValueError(f"{len(data)} bytes are no stored terms")
        buckets = np.frombuffer(data, dtype="<u4", count=size).astype(np.uint32)
        counts = np.frombuffer(data, dtype="<u2", count=size, offset=4 * size).astype(np.uint16)
        return cls(buckets, counts, np.frombuffer(data, dtype=np.uint8, offset=6 * size))

    @property
    def read_apart(self) -> bool:
        """Whether the passages were counted apart."""
        return bool(self.places.any())

    def of(self, places: Collection[int]) -> Terms:
        """The terms of some passages."""
        kept = np.isin(self.places, list(places))
        return Terms(self.buckets[kept], self.counts[kept], self.places[kept])

    def together(self) -> Terms:
        """The same text as one passage: each term once, with all of its occurrences."""
        if not self.places.any():
            return self
        return _counted(self.buckets, self.counts, np.zeros_like(self.places))

    def apart(self) -> list[Terms]:
        """The terms of each passage that has any, in order."""
        bounds = np.flatnonzero(np.diff(self.places)) + 1
        return [
            Terms(*parts)
            for parts in zip(
                *(np.split(a, bounds) for a in (self.buckets, self.counts, self.places)), strict=True
            )
            if len(parts[0])
        ]


def _counted(buckets: NDArray[np.uint32], counts: NDArray[Any], places: NDArray[np.uint8]) -> Terms:
    """Terms from occurrences in any order."""
    keys, where = np.unique(places.astype(np.uint64) << np.uint64(32) | buckets, return_inverse=True)
    total = np.bincount(where, weights=counts, minlength=len(keys))
    return Terms(
        (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        np.minimum(total, np.iinfo(np.uint16).max).astype(np.uint16),
        (keys >> np.uint64(32)).astype(np.uint8),
    )


def occurrences(title: str, text: str) -> Iterator[tuple[int, Field, int]]:
    """Every occurrence of a term that counts (`hygiene.read`), as (bucket, field, position in the field).

    Terms are the lower-cased words of two letters or more that are no English stop words, and pairs of
    neighbours among them, also across the end of the title; East Asian text, which has no spaces, gives
    pairs of characters instead.
    """
    before = 0
    before_at: tuple[Field, int] | None = None
    head, body = hygiene.read(title, text, sentences(text))
    fields: tuple[tuple[Field, list[hygiene.Sentence]], ...] = (("title", head), ("text", body))
    for field, said in fields:
        for word, at in (found for sentence in said for found in sentence.heard):
            if _IS_WIDE.match(word):
                before_at = None
                for offset in range(max(1, len(word) - 1)):
                    pair = word[offset : offset + 2]
                    yield zlib.crc32(pair.encode()) % BUCKETS, field, at + offset
                continue
            if word in ENGLISH:
                continue
            encoded = word.encode()
            hashed = zlib.crc32(encoded)
            yield hashed % BUCKETS, field, at
            if before_at is not None:
                yield zlib.crc32(b" " + encoded, before) % BUCKETS, *before_at
            before, before_at = hashed, (field, at)


def count_terms(title: str, text: str, parts: Sequence[Passage] = ()) -> Terms:
    """The terms of a document; see `occurrences` for what a term is. Those of the title count double.

    Args:
        title: May be empty.
        text: May be empty.
        parts: The passages of the document. Where they are read apart, terms are counted apart too.
    """
    locate = locator(parts if read_apart(text, parts) else ())
    found = [
        (bucket, TITLE_COUNT if field == "title" else 1, locate(field, at))
        for bucket, field, at in occurrences(title, text)
    ]
    table = np.array(found, dtype=np.uint32).reshape(-1, 3)
    return _counted(table[:, 0], table[:, 1], table[:, 2].astype(np.uint8))


class TfIdf:
    """Tf-idf over a pool: its `MAX_FEATURES` most frequent terms but those in over 95 % of the documents.

    Term frequency is 1 + ln(count), inverse document frequency is smooth, ln((1 + n) / (1 + df)) + 1, and
    every row has length one, or zero if it has no term of the vocabulary.

    Attributes:
        matrix: csr_array, float32, (documents, vocabulary).
    """

    matrix: csr_array

    def __init__(self, documents: Sequence[Terms]) -> None:
        wholes = [terms.together() for terms in documents]
        sizes, buckets, counts = _stacked(wholes)
        present, column = np.unique(buckets, return_inverse=True)
        frequency = np.bincount(column, minlength=len(present))
        total = np.bincount(column, weights=counts, minlength=len(present))
        total[frequency > MAX_DF * len(documents)] = 0
        order = np.argsort(-total, kind="stable")[:MAX_FEATURES]
        kept = np.sort(order[total[order] > 0])
        self._buckets = present[kept]
        self._idf = np.log((1 + len(documents)) / (1 + frequency[kept])) + 1
        where = np.full(len(present), -1, dtype=np.int64)
        where[kept] = np.arange(len(kept))
        self.matrix = self._rows(where[column], counts, sizes)

    def transform(self, documents: Sequence[Terms]) -> csr_array:
        """Tf-idf rows of other texts, each in one passage; terms outside the vocabulary do not count."""
        sizes, buckets, counts = _stacked(documents)
        return self._rows(self.columns(buckets), counts, sizes)

    def columns(self, buckets: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The column of each bucket, -1 for those outside the vocabulary."""
        if not len(self._buckets):
            return np.full(len(buckets), -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(self._buckets, buckets), len(self._buckets) - 1)
        return np.where(self._buckets[found] == buckets, found, -1).astype(np.int64)

    def _rows(self, columns: NDArray[np.int64], counts: Floats, sizes: NDArray[np.int64]) -> csr_array:
        from scipy.sparse import csr_array

        row = np.repeat(np.arange(len(sizes)), sizes)
        known = columns >= 0
        row, columns = row[known], columns[known]
        values = (1 + np.log(counts[known])) * self._idf[columns]
        norms = np.sqrt(np.bincount(row, weights=values**2, minlength=len(sizes)))
        values = (values / norms[row]).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(sizes)))])
        shape = (len(sizes), len(self._buckets))
        return csr_array((values, columns.astype(np.int32), starts.astype(np.int32)), shape=shape)


def _stacked(documents: Sequence[Terms]) -> tuple[NDArray[np.int64], NDArray[np.uint32], Floats]:
    """Number of terms of each document; buckets and counts of all."""
    sizes = np.array([len(terms.buckets) for terms in documents], dtype=np.int64)
    buckets = [np.zeros(0, dtype=np.uint32), *(terms.buckets for terms in documents)]
    counts = [np.zeros(0, dtype=np.uint16), *(terms.counts for terms in documents)]
    return sizes, np.concatenate(buckets), np.concatenate(counts).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scorer, `matrix @ weights + intercept`, and how it does on what it has not seen."""

    weights: Floats
    intercept: float
    left_out: Floats
    """(n,): of each row it was fitted to, the score by a fit to all others, without the intercept."""


class NaiveBayes:
    """Multinomial naive Bayes on tf-idf, as scikit-learn's `MultinomialNB`; a like counts twice."""

    ALPHA = 0.1
    LIKE_WEIGHT = 2.0

    @classmethod
    def fit(cls, rows: csr_array, wanted: NDArray[np.bool_], importance: Floats) -> Linear:
        """Fits rows (n, d) to `wanted` (n,); `importance` (n,) multiplies each row's counts.

        The result scores by the log-odds of the two classes.
        """
        weight = np.where(wanted, cls.LIKE_WEIGHT, 1.0) * importance
        classes = (wanted, ~wanted)
        counts = [np.asarray(rows.T @ (weight * of), dtype=np.float64) + cls.ALPHA for of in classes]
        totals = [count.sum() for count in counts]
        logs = [np.log(count / total) for count, total in zip(counts, totals, strict=True)]
        values = rows.data.astype(np.float64)
        row = np.repeat(np.arange(len(wanted)), np.diff(rows.indptr))
        own = np.where(wanted, weight, 0.0), np.where(wanted, 0.0, weight)
        lengths = np.bincount(row, weights=values, minlength=len(wanted))
        terms = [
            np.log(np.maximum(count[rows.indices] - (mine[row] * values), cls.ALPHA))
            - np.log(total - mine * lengths)[row]
            for count, total, mine in zip(counts, totals, own, strict=True)
        ]
        left_out: Floats = np.bincount(row, values * (terms[0] - terms[1]), len(wanted)).astype(np.float64)
        prior = np.log(weight[wanted].sum() / weight[~wanted].sum())
        return Linear(logs[0] - logs[1], float(prior), left_out)
