"""The experts: each turns what a reader said into raw scores of documents that fall apart by passage.

Owns how labels and phrases become evidence, and what each expert would have said of a labelled document
had it not been told. How much each counts is decided in `model.mixture`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.attention import attention_weights
from model.corpus import Corpus, Groups
from model.grid import ALL, Floats, Grid, Rows
from model.knowledge import AliasGraph
from model.lexical import NaiveBayes, Terms, count_terms
from model.svm import LinearSvm
from model.types import Interest, Profile
from model.wordgrid import WordGrid

if TYPE_CHECKING:
    from scipy.sparse import csr_array


LEARNING = 2.0
"""Labelled documents are read this much more sharply than others: something in them is known to matter."""

MOST = 2.0
"""What one label can count: that of a document that was loved."""

LASTING = 0.5
FADING_DAYS = 60.0
"""See `teaching_labels`."""

WORD_GAIN = 2.0
"""Attention to words: see `WordGrid.sharpness`."""

SURE = 2.0
"""Deviations above the mean at which a document that nobody labelled is half believed to be wanted."""

FOCUS = 1.5
"""A passage is meant if it gets so many times its equal share of attention."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that teach: rows of the corpus in the order of their ids, whatever order they came in."""

    rows: NDArray[np.intp]
    wanted: NDArray[np.bool_]
    importance: Floats
    """How much each counts: `MOST` at most, whatever was said."""

    def __len__(self) -> int:
        """The number of labels."""
        return len(self.rows)

    @property
    def of_both_kinds(self) -> bool:
        """Whether something was wanted and something was not."""
        return bool(self.wanted.any()) and not bool(self.wanted.all())


def teaching_labels(corpus: Corpus, profile: Profile) -> Labels:
    """The labels of documents in the corpus; of several for one document the latest counts.

    Interests drift, and come back: `LASTING` of a label never fades, the rest halves every `FADING_DAYS`,
    counted from the newest label, so that it needs no clock.
    """
    latest: dict[str, tuple[float, float]] = {}
    for label in profile.labels:
        if label.document in corpus.row:
            said = (label.at, label.value)
            latest[label.document] = max(said, latest.get(label.document, said))
    names = sorted(latest)
    rows = np.array([corpus.row[name] for name in names], dtype=np.intp)
    moments = np.array([latest[name][0] for name in names])
    values = np.array([latest[name][1] for name in names])
    days = (moments.max(initial=0.0) - moments) / 86_400 * (moments > 0)
    recency = LASTING + (1 - LASTING) * 0.5 ** (days / FADING_DAYS)
    return Labels(rows, values > 0, np.where(values > 0, np.clip(values, 1, MOST), 1.0) * recency)


@dataclass(frozen=True, slots=True)
class Passages:
    """A raw score apart by passage, for each interest that speaks."""

    weights: Floats
    """(documents, passages, interests): attention; the weights of a document sum to one."""
    parts: Floats
    """(documents, passages, interests): they sum to the raw scores."""

    @property
    def raw(self) -> Floats:
        """Of each document, (documents,)."""
        scores: Floats = self.parts.sum(axis=(1, 2))
        return scores

    @property
    def known(self) -> Floats:
        """(documents,): 1, or 0 for those without any vector."""
        total: Floats = self.weights.sum(axis=(1, 2)).round()
        return total


@dataclass(frozen=True, slots=True)
class Sharpness:
    """By how much attention prefers what it seeks: the factor of scores before the softmax."""

    together: float
    """In documents whose passages are read together: they are about one thing, so little is to choose."""
    apart: float
    """In documents whose passages are read apart: a newsletter is worth what its best story is worth."""

    def of(self, grid: Grid, rows: Rows = ALL) -> Floats:
        """Of each document, (documents, 1)."""
        return np.where(grid.apart[rows], self.apart, self.together)[:, None]


@dataclass(frozen=True, slots=True)
class LearnedMeaning:
    """The cosine of a document, pooled with attention, with the direction that labels taught."""

    direction: NDArray[np.float32]
    """(dim,), of length one."""
    sharpness: Sharpness
    interests: tuple[Interest | None, ...] = (None,)

    def passages(self, grid: Grid) -> Passages:
        """The cosine apart by passage: w_t V_t . d / |sum_t w_t V_t|."""
        scores = grid.scores(self.direction[:, None])[:, :, 0]
        weights = grid.weights(self.sharpness.of(grid) * scores)
        parts = weights * scores / grid.pooled_length(weights)[:, None]
        return Passages(weights[:, :, None], parts[:, :, None])

    def focus(self, grid: Grid, rows: NDArray[np.intp]) -> Floats:
        """Attention over the passages of some documents, (documents, passages), as in learning from them."""
        scores = grid.along(self.direction, rows)
        return grid.weights(LEARNING * self.sharpness.of(grid, rows) * scores, rows)


@dataclass(frozen=True, slots=True)
class PhraseMeaning:
    """Similarity of passages to phrases: one softmax over all pairs of a phrase and a passage.

    So a document about one of ten interests is not held to lack the other nine. Phrases that mean
    `less of this` form an expert of their own, of sign -1.
    """

    interests: tuple[Interest, ...]
    columns: NDArray[np.float32]
    """(dim, interests), of length one each."""
    sharpness: Sharpness
    sign: int

    def passages(self, grid: Grid) -> Passages:
        """The similarity apart by passage and phrase."""
        values = grid.phrase_scores(self.columns)
        count, width, phrases = values.shape
        force = np.log(np.abs([interest.weight for interest in self.interests]))
        scores = self.sharpness.of(grid)[:, :, None] * values + grid.prior[:, :, None] + force
        mask = np.repeat(grid.encoded, phrases, axis=1)
        weights = attention_weights(scores.reshape(count, width * phrases), mask).reshape(values.shape)
        length = grid.pooled_length(weights.sum(axis=2))
        return Passages(weights, self.sign * weights * values / length[:, None, None])


@dataclass(frozen=True, slots=True)
class Words:
    """A linear score of tf-idf rows, apart by the interest that speaks (None: what labels taught)."""

    weights: tuple[tuple[Interest | None, Floats], ...]
    """(vocabulary,) each."""
    sharpness: float
    """Of attention over the passages of documents that are read apart; see `WordGrid.sharpness`."""

    @classmethod
    def over(
        cls, words: WordGrid, weights: Iterable[tuple[Interest | None, Floats]], aliases: AliasGraph
    ) -> Words:
        """With the sharpness that suits these documents, and the evidence that aliases pass on."""
        expanded = tuple((interest, aliases.expand(each)) for interest, each in weights)
        total = np.sum([each for _, each in expanded], axis=0)
        return cls(expanded, words.sharpness(total, WORD_GAIN))

    @property
    def total(self) -> Floats:
        """The weights of all interests together, (vocabulary,)."""
        found: Floats = np.sum([weights for _, weights in self.weights], axis=0)
        return found

    def raw(self, words: WordGrid) -> Floats:
        """Of each document, (documents,)."""
        return words.scores(self.total, self.sharpness)

    def attention(self, words: WordGrid, count: int) -> Floats:
        """How much each passage of one document is looked at, (count,); 1 where it is read in one piece."""
        if not len(words.owners):
            return np.ones(count)
        weights = np.zeros(count)
        weights[words.places] = words.attention(words.parts @ self.total, self.sharpness)
        return weights


Expert = LearnedMeaning | PhraseMeaning | Words


@dataclass(frozen=True, slots=True)
class Witness:
    """An expert and what is needed to decide how much it counts."""

    expert: Expert
    usual: float
    """Its strength before anything is known of how it does on this reader."""
    unseen: Floats | None
    """(labels,): raw scores of labelled documents by a fit without each; None if it never saw labels."""


def meaning_from_labels(
    corpus: Corpus, labels: Labels, dislike_share: float, sharpness: Sharpness, usual: float
) -> list[Witness]:
    """Rocchio's direction: the mean of what was liked less a share of the mean of what was not.

    A liked newsletter is liked for one of its stories. So each labelled document is first pooled with
    attention to nothing, then twice more with attention to the direction found so far: the story that the
    liked ones share comes to the fore.
    With few dislikes their mean says little, so its share grows with their number n, as n / (n + 2).
    """
    taught = corpus.grid.readable[labels.rows]
    if not taught.any():
        return []
    rows = labels.rows[taught]
    likes = np.where(labels.wanted, labels.importance, 0.0)[taught]
    dislikes = np.where(labels.wanted, 0.0, labels.importance)[taught]
    scores = np.zeros(corpus.grid.slots[rows].shape)
    direction = np.zeros(corpus.dim)
    pooled = np.zeros((len(rows), corpus.dim))
    force = LEARNING * sharpness.of(corpus.grid, rows)
    for again in (True, True, False):
        pooled = corpus.grid.pooled(corpus.grid.weights(force * scores, rows), rows)
        direction = _rocchio(likes @ pooled, likes.sum(), dislikes @ pooled, dislikes.sum(), dislike_share)
        if again:
            scores = corpus.grid.along(direction, rows)
    unseen = np.zeros(len(labels))
    unseen[taught] = _left_out(pooled, likes, dislikes, dislike_share)
    expert = LearnedMeaning(direction.astype(np.float32), sharpness)
    return [Witness(expert, usual, unseen)]


def _rocchio(liked: Floats, likes: float, disliked: Floats, dislikes: float, dislike_share: float) -> Floats:
    """The direction, of length one (zero if nothing speaks), from sums of vectors and their numbers."""
    share = dislike_share * dislikes / (dislikes + 2)
    direction = liked / max(likes, 1.0) - share * disliked / max(dislikes, 1.0)
    found: Floats = direction / (np.linalg.norm(direction) or 1.0)
    return found


def _left_out(pooled: Floats, likes: Floats, dislikes: Floats, dislike_share: float) -> Floats:
    """The cosine of each labelled document with the direction that all others give, (labels,).

    Every one of those directions is a sum of the two sums of vectors and of the document itself, so their
    dot products and lengths follow from those of the sums.

    Args:
        pooled: (labels, dim), of length one.
        likes: (labels,), how much each counts as a like.
        dislikes: (labels,), how much each counts as a dislike.
        dislike_share: As in `_rocchio`.
    """
    liked, disliked = likes @ pooled, dislikes @ pooled
    with_liked, with_disliked = pooled @ liked, pooled @ disliked
    remaining = dislikes.sum() - dislikes
    of_likes = 1 / np.maximum(likes.sum() - likes, 1.0)
    of_dislikes = dislike_share * remaining / (remaining + 2) / np.maximum(remaining, 1.0)
    own = dislikes * of_dislikes - likes * of_likes
    score = of_likes * with_liked - of_dislikes * with_disliked + own
    square = (
        of_likes**2 * (liked @ liked)
        + of_dislikes**2 * (disliked @ disliked)
        - 2 * of_likes * of_dislikes * (liked @ disliked)
        + 2 * own * (of_likes * with_liked - of_dislikes * with_disliked)
        + own**2
    )
    found: Floats = score / np.sqrt(np.maximum(square, 1e-12))
    return found


def meaning_from_phrases(
    interests: Sequence[Interest],
    vectors: Mapping[str, NDArray[np.float32]],
    sharpness: Sharpness,
    usual: float,
) -> list[Witness]:
    """One expert for what the reader wants more of, and one for what they want less of."""
    found = []
    for sign in (1, -1):
        chosen = tuple(i for i in interests if i.phrase in vectors and i.weight * sign > 0)
        if chosen:
            columns = np.stack([vectors[i.phrase] for i in chosen], axis=1).astype(np.float32)
            force = max(abs(i.weight) for i in chosen)
            found.append(Witness(PhraseMeaning(chosen, columns, sharpness, sign), usual * force, None))
    return found


def words_from_labels(
    corpus: Corpus, labels: Labels, usual: float, meaning: LearnedMeaning | None, aliases: AliasGraph
) -> list[Witness]:
    """The two classifiers over words; with labels of one kind only, similarity to their mean instead.

    Of a labelled document that is read apart only the passages count that were meant: those that `meaning`
    looks at more than at others, or without vectors those that the words of all of it point to. On
    documents made of six stories this adds .1 average precision at 20 labels and more.
    """
    rows = corpus.words.rows[labels.rows]
    apart = labels.rows[corpus.grid.apart[labels.rows]]
    if len(apart):
        seen = meaning is not None and bool(corpus.grid.readable[apart].all())
        guides = [] if seen else _classifiers(corpus, labels, rows, aliases)
        rows = corpus.tf_idf.transform([_focused(corpus, row, meaning, guides) for row in labels.rows])
    experts = _classifiers(corpus, labels, rows, aliases)
    return [Witness(words, usual, unseen) for words, unseen in experts]


def _classifiers(
    corpus: Corpus, labels: Labels, rows: csr_array, aliases: AliasGraph
) -> list[tuple[Words, Floats | None]]:
    """Experts fitted to tf-idf rows of the labelled documents, and their scores by fits without each."""
    if not labels.of_both_kinds:
        sign = 2.0 if labels.wanted.all() else -2.0
        weights = np.asarray(rows.T @ (sign * labels.importance), dtype=np.float64)
        return [(Words.over(corpus.words, [(None, weights)], aliases), None)]
    fits = [fit(rows, labels.wanted, labels.importance) for fit in (LinearSvm.fit, NaiveBayes.fit)]
    return [(Words.over(corpus.words, [(None, fit.weights)], aliases), fit.left_out) for fit in fits]


def _focused(
    corpus: Corpus,
    row: int,
    meaning: LearnedMeaning | None,
    experts: Sequence[tuple[Words, Floats | None]],
) -> Terms:
    """The terms of a document; where it is read apart, of the passages that get the most attention."""
    terms = corpus.terms[row]
    if not corpus.grid.apart[row]:
        return terms
    if meaning is not None and corpus.grid.readable[row]:
        weights = meaning.focus(corpus.grid, np.array([row]))[0]
        places = np.arange(len(weights))
    else:
        words = corpus.take_apart(row).words
        places = words.places
        weights = np.mean(
            [words.attention(words.parts @ each.total, 2 * each.sharpness) for each, _ in experts], axis=0
        )
    best = places[weights > FOCUS / max(1, int(np.count_nonzero(weights)))]
    return terms.of(best.tolist()).together() if len(best) else terms.together()


def words_from_phrases(
    corpus: Corpus, interests: Sequence[Interest], usual: float, aliases: AliasGraph
) -> list[Witness]:
    """Similarity in words to all phrases together; the weights stay apart by phrase."""
    queries = corpus.tf_idf.transform([count_terms("", interest.phrase) for interest in interests])
    weights = [
        (interest, interest.weight * query)
        for interest, query in zip(interests, queries.toarray().astype(np.float64), strict=True)
    ]
    return [Witness(Words.over(corpus.words, weights, aliases), usual, None)]


def words_in_common(corpus: Corpus, labels: Labels, standings: Floats, aliases: AliasGraph) -> Witness:
    """What the words of documents that rank high have in common: Rocchio's direction without new labels.

    Pseudo-relevance feedback (Lavrenko & Croft 2001, "Relevance-based language models") with all documents,
    each as far as it is believed to be wanted: t = sigmoid(2 (standing - `SURE`)), or what its label says.
    The direction is their mean less that of all documents. A reader's few words become those that the
    documents on the subject use.

    Args:
        corpus: What is ranked.
        labels: What was said of some of it.
        standings: (documents,): of each by all other evidence, in deviations.
        aliases: Links between its terms.
    """
    rows = corpus.words.rows
    believed = 1 / (1 + np.exp(-2 * (standings - SURE)))
    believed[labels.rows] = labels.wanted
    believed /= max(float(believed.sum()), 1.0)
    # In the type of the rows: converting all of them would take longer than the product.
    direction = np.asarray(rows.T @ (believed - 1 / len(corpus)).astype(np.float32), dtype=np.float64)
    length = float(np.linalg.norm(direction)) or 1.0
    expert = Words.over(corpus.words, [(None, direction / length)], aliases)
    own = believed[labels.rows] / length  # every row has length one
    return Witness(expert, 1.0, expert.raw(corpus.words)[labels.rows] - own)


def prior_of_groups(corpus: Corpus, labels: Labels, groups: Groups, strength: float) -> Floats:
    """Share of the logit that each source or person has earned, (names,), shrunk towards none.

    The sum over its labels of (wanted - share of wanted among all labels), divided by their number + 8: a
    first dislike moves a source by a sixteenth of the strength, so one mark never silences it.

    Args:
        corpus: Whose documents are labelled.
        labels: What was said of them.
        groups: Its sources or its people.
        strength: The share that a source approaches with many labels of one kind against the rest.
    """
    usual = (labels.wanted.sum() + 1) / (len(labels) + 2)
    said, labelled = np.zeros(len(corpus)), np.zeros(len(corpus))
    said[labels.rows] = labels.wanted - usual
    labelled[labels.rows] = 1
    size = len(groups.names)
    total = np.bincount(groups.members, weights=said[groups.rows], minlength=size)
    count = np.bincount(groups.members, weights=labelled[groups.rows], minlength=size)
    prior: Floats = strength * total / (count + 8)
    return prior
