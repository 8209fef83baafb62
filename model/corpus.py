"""The documents to be ranked, with everything about them that does not depend on the reader.

Owns the arrays that a fit reads: passage values in one matrix, their places in a padded
(documents, passages) grid, where to look first, and tf-idf. Building it costs about 0.2 ms a document; a
fit reuses it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.grid import Floats, Grid
from model.knowledge import Matcher
from model.lexical import Terms, TfIdf, count_terms, occurrences
from model.passages import locator, windows
from model.types import Document, InvalidInput, Passage
from model.wordgrid import WordGrid

HALF_LIFE_DAYS = {"feed": 2.0, "mail": 3.0, "paper": 14.0}
"""After which half of the advantage of being new is gone."""

HALF_CHARS = 450
"""After so many characters, about 100 tokens, what a document says counts half: authors begin with what
matters. Wins at every number of labels on mails and on abstracts, over no decline and over the encoder's
window alone."""

ANATOMIES = 256
"""Documents whose anatomy is remembered: more than a digest has items."""

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


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One document with all that explaining it takes and that does not depend on the reader."""

    grid: Grid
    """Of the document alone."""
    words: WordGrid
    """Of the document alone."""
    without_each: tuple[Grid, WordGrid] | None
    """Of the document without its first passage, without its second, and so on; None without passages."""
    places: NDArray[np.intp]
    """(n,): the passage of every occurrence of a known term."""
    columns: NDArray[np.int64]
    """(n,): its column in the vocabulary."""
    positions: NDArray[np.intp]
    """(n,): where it begins in the text; -1 in the title."""
    values: Floats
    """(n,): its part of the tf-idf value of its term."""


class Corpus:
    """What a `Ranker` ranks. Treat it as immutable; a changed pool is a new corpus.

    Args:
        documents: With unique ids. Every labelled document that is to teach must be among them.
        passages: Of each document, as `model.passages.split` cuts them.
        vectors: float32, (passages in all, dim), in document order: each passage's share of the vector of
            its window (`model.passages.to_encode`), so that the shares of a window add up to length one.
            An all-zero row stands for a passage that is not encoded (yet), and counts neither for nor
            against. None without an encoder: words alone then rank.
        terms: Of each document, from `model.lexical.count_terms`.

    Raises:
        InvalidInput: The arguments do not fit together.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        passages: Sequence[Sequence[Passage]],
        vectors: NDArray[np.float32] | None,
        terms: Sequence[Terms],
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
        count = sum(map(len, self.passages))
        if vectors is not None and (vectors.ndim != 2 or len(vectors) != count):
            raise InvalidInput(f"Vectors of shape {vectors.shape} for {count} passages")
        self.dim = 0 if vectors is None else int(vectors.shape[1])
        """Length of the vectors; 0 without an encoder."""
        self.terms = tuple(terms)
        texts = map(_texts, self.documents, self.passages)
        self._holders = Counter(text for found in texts for text in set(found))
        apart = np.array([found.read_apart for found in self.terms], dtype=bool)
        losses = [self._loss(*pair) for pair in zip(self.documents, self.passages, strict=True)]
        self.grid = _grid_of(self.passages, vectors, apart, losses)
        self.tf_idf = TfIdf(terms)
        self.words = self._words()
        self.sources = Groups.of([(document.source,) for document in self.documents])
        self.people = Groups.of([document.people for document in self.documents])
        self.matcher = Matcher(self.documents)
        self.freshness = _freshness(self.documents)
        """(documents,): in [-1, 1]; how much newer than the others each is."""
        self.take_apart: Callable[[int], Anatomy] = lru_cache(ANATOMIES)(self._take_apart)
        """The anatomy of a document, by its row; remembered, because every mark explains a digest anew."""

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.documents)

    def without(self, row: int, removals: Sequence[Collection[int]]) -> tuple[Grid, WordGrid]:
        """One document as it would be read without some of its passages, once for each of the removals.

        What remains keeps its own meaning and order; lengths, places and word counts are those of what
        remains.

        Args:
            row: The document.
            removals: Places of passages in `passages[row]`; an empty one gives the document as it is.
        """
        parts = self.passages[row]
        kept = [[place for place in range(len(parts)) if place not in removed] for removed in removals]
        width = max([1, *map(len, kept)])
        exists = np.array([[n < len(places) for n in range(width)] for places in kept])
        places = np.array([places + [0] * (width - len(places)) for places in kept], dtype=np.intp)
        sizes = np.array([part.end - part.start for part in parts] or [0], dtype=np.float64)
        loss = np.array(self._loss(self.documents[row], parts) or [0.0])
        apart = np.repeat(self.grid.apart[[row]], len(removals))
        grid = Grid(
            self.grid.values[self.grid.slots[row, : len(parts)]]
            if self.grid.values.size
            else self.grid.values,
            places,
            exists,
            apart,
            _length_and_place(np.where(exists, sizes[places], 0.0), apart)
            - np.where(exists, loss[places], 0),
        )
        return grid, self._words_without(row, removals)

    def _words_without(self, row: int, removals: Sequence[Collection[int]]) -> WordGrid:
        if self.grid.apart[row]:
            own = np.flatnonzero(self.words.owners == row)
            kept = [own[~np.isin(self.words.places[own], list(removed))] for removed in removals]
            chosen = np.concatenate(kept)
            owners = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
            nothing = self.words.rows[[row] * len(removals)] * 0
            return WordGrid(nothing, self.words.parts[chosen], owners, self.words.places[chosen])
        cut = [self._cut(row, removed) for removed in removals]
        empty = np.zeros(0, dtype=np.intp)
        return WordGrid(self.tf_idf.transform(cut), self.words.parts[:0], empty, empty)

    def _cut(self, row: int, removed: Collection[int]) -> Terms:
        if not removed:
            return self.terms[row].together()
        document, parts = self.documents[row], self.passages[row]
        fields = {"title": document.title, "text": document.text}
        for place in sorted(removed, key=lambda place: -parts[place].start):
            part = parts[place]
            fields[part.field] = f"{fields[part.field][: part.start]}\n{fields[part.field][part.end :]}"
        return count_terms(fields["title"], fields["text"])

    def _take_apart(self, row: int) -> Anatomy:
        document, parts = self.documents[row], self.passages[row]
        grid, words = self.without(row, [()])
        found = list(occurrences(document.title, document.text)) if parts else []
        columns = self.tf_idf.columns(np.array([bucket for bucket, _, _ in found], dtype=np.uint32))
        known = columns >= 0
        locate = locator(parts)
        places = np.array([locate(field, at) for _, field, at in found], dtype=np.intp)[known]
        positions = np.array([at if field == "text" else -1 for _, field, at in found], dtype=np.intp)[known]
        columns = columns[known]
        if len(words.owners):
            rows = np.zeros((len(parts), words.parts.shape[1]))
            rows[words.places] = words.parts.toarray()
            values, keys = rows[places, columns], places * rows.shape[1] + columns
        else:
            values, keys = words.rows.toarray()[0].astype(np.float64)[columns], columns
        _, inverse, uses = np.unique(keys, return_inverse=True, return_counts=True)
        each = self.without(row, [[place] for place in range(len(parts))]) if parts else None
        return Anatomy(grid, words, each, places, columns, positions, values / uses[inverse])

    def variant(
        self, document: Document, parts: Sequence[Passage], vectors: NDArray[np.float32] | None, terms: Terms
    ) -> tuple[Grid, WordGrid]:
        """A document that is not in the corpus, as it would be read if it were.

        Args:
            document: Any.
            parts: Its passages.
            vectors: (passages, dim), as for the corpus; None without an encoder.
            terms: Its terms.
        """
        apart = np.array([terms.read_apart])
        grid = _grid_of([parts], vectors, apart, [self._loss(document, parts)])
        each = terms.apart() if terms.read_apart else []
        return grid, WordGrid(
            self.tf_idf.transform([terms.together()]),
            self.tf_idf.transform(each),
            np.zeros(len(each), dtype=np.intp),
            np.array([int(part.places[0]) for part in each], dtype=np.intp),
        )

    def _words(self) -> WordGrid:
        apart = [(row, terms) for row in np.flatnonzero(self.grid.apart) for terms in self.terms[row].apart()]
        return WordGrid(
            self.tf_idf.matrix,
            self.tf_idf.transform([terms for _, terms in apart]),
            np.array([row for row, _ in apart], dtype=np.intp),
            np.array([int(terms.places[0]) for _, terms in apart], dtype=np.intp),
        )

    def _loss(self, document: Document, parts: Sequence[Passage]) -> list[float]:
        """ln(share of documents with the very same passage / `COMMON`) of each passage, if positive.

        The name of a newsletter or a footer resembles every liked issue most of all; without this,
        attention would end there, and not at the stories.
        """
        usual = max(2.0, COMMON * len(self))
        return [math.log(max(1.0, self._holders[text] / usual)) for text in _texts(document, parts)]


def _texts(document: Document, parts: Sequence[Passage]) -> list[str]:
    fields = {"title": document.title, "text": document.text}
    return [fields[part.field][part.start : part.end] for part in parts]


def _grid_of(
    passages: Sequence[Sequence[Passage]],
    vectors: NDArray[np.float32] | None,
    apart: NDArray[np.bool_],
    losses: Sequence[Sequence[float]],
) -> Grid:
    """Documents side by side; arguments of each as for `Corpus`, and what each passage loses in weight."""
    counts = np.array([len(parts) for parts in passages], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    place = np.arange(max(1, int(counts.max(initial=1))))
    exists: NDArray[np.bool_] = np.asarray(place < counts[:, None])
    slots = np.where(exists, starts[:-1, None] + place, 0)
    sizes, shares = _sizes(passages, apart)
    prior = np.zeros(exists.shape)
    if len(sizes):
        loss = np.array([each for document in losses for each in document])
        prior = _length_and_place(np.where(exists, sizes[slots], 0.0), apart) - np.where(
            exists, loss[slots], 0
        )
    values = np.zeros((0, 0), dtype=np.float32)
    if vectors is not None:
        # By their shares of the window's characters, these average to the window's vector.
        values = (vectors / shares[:, None]).astype(np.float32)
    return Grid(values, slots, exists, apart, prior)


def _sizes(passages: Sequence[Sequence[Passage]], apart: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Of each passage: its length in characters, and its share of the characters of its window."""
    sizes: list[float] = []
    shares: list[float] = []
    for parts, each_alone in zip(passages, apart.tolist(), strict=True):
        lengths = [max(1, part.end - part.start) for part in parts]
        sizes += lengths
        for group in windows(parts, apart=each_alone):
            total = sum(lengths[place] for place in group)
            shares += [lengths[place] / total for place in group]
    return np.array(sizes), np.array(shares)


def _length_and_place(sizes: Floats, apart: NDArray[np.bool_]) -> Floats:
    """ln(characters) of each passage; where they are read together, less ln 2 for `HALF_CHARS` before it.

    Args:
        sizes: (documents, passages), in characters; 0 where there is no passage.
        apart: (documents,): whose passages are read apart. The last story of a newsletter may matter most.
    """
    before = np.where(apart[:, None], 0.0, np.cumsum(sizes, axis=1) - sizes)
    return np.where(sizes > 0, np.log(np.maximum(sizes, 1)) - np.log(2) * before / HALF_CHARS, 0.0)


def _freshness(documents: Sequence[Document]) -> Floats:
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
