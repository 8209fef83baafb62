"""The experts: each turns what a reader said into signed shares of the logit, passage by passage.

Owns how labels and phrases become evidence, and how strong each kind is. An expert's raw scores are put
on one scale (mean 0, standard deviation 1 over the corpus) before it is weighed, so that a dense
similarity and a margin of a classifier can be added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.attention import attention_weights, pool
from model.corpus import Corpus, Groups
from model.lexical import Floats, LinearSvm, NaiveBayes, count_terms
from model.types import Interest, Profile

LEAST_DEVIATION = 0.02
"""Of raw scores: a phrase in one document of ten thousand must not outweigh everything else there is."""

Rows = NDArray[np.intp] | slice
_ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that teach: rows of the corpus in the order of their ids, whatever order they came in."""

    rows: NDArray[np.intp]
    wanted: NDArray[np.bool_]
    importance: Floats
    """1, or 2 for what was loved."""

    def __len__(self) -> int:
        """The number of labels."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Attention:
    """How passages are weighed when a document is pooled."""

    sharpness: float
    """Factor of a passage's cosine with what is sought; 0 weighs all passages alike."""
    decline: float
    """By how much the logarithm of a passage's weight falls from one passage to the next."""

    def weights(self, corpus: Corpus, scores: Floats, rows: Rows = _ALL) -> Floats:
        """Weights of the passages of some documents, (documents, passages), from scores of that shape."""
        prior = -self.decline * corpus.depth - corpus.furniture
        weights: Floats = attention_weights(scores + prior[rows], corpus.encoded[rows])
        return weights


def teaching_labels(corpus: Corpus, profile: Profile) -> Labels:
    """The labels of documents in the corpus; of several for one document the latest counts."""
    latest: dict[str, tuple[float, float]] = {}
    for label in profile.labels:
        if label.document in corpus.row:
            said = (label.at, label.value)
            latest[label.document] = max(said, latest.get(label.document, said))
    values = np.array([latest[document][1] for document in sorted(latest)])
    rows = np.array([corpus.row[document] for document in sorted(latest)], dtype=np.intp)
    return Labels(rows, values > 0, np.where(values > 0, np.maximum(values, 1.0), 1.0))


@dataclass(frozen=True, slots=True)
class DenseEvidence:
    """Shares of the logit, (documents, passages), from similarity of meaning."""

    interest: Interest | None
    """The phrase that speaks; None for what labels taught."""
    shares: Floats


@dataclass(frozen=True, slots=True)
class LexicalEvidence:
    """Shares of the logit from words: `scores = tf_idf_rows @ (sum of the weights) + offset`."""

    scores: Floats
    """(documents,)"""
    weights: tuple[tuple[Interest | None, Floats], ...]
    """(vocabulary,) of each phrase that speaks, or of what labels taught (None)."""
    offset: float


def scale_of(raw: Floats, usable: NDArray[np.bool_], labels: Labels) -> tuple[float, float]:
    """Mean and 1 / standard deviation of raw scores over the documents that nobody labelled.

    A classifier is surest of what it was taught: with 50 labels in 300 documents their margins would
    double the deviation, and so halve its say on all others.

    Args:
        raw: (documents,).
        usable: (documents,), where the expert has anything to say.
        labels: What was said.
    """
    measured = usable.copy()
    measured[labels.rows] = False
    values = raw[measured] if measured.sum() > 1 else raw[usable]
    if not len(values):
        return 0.0, 0.0
    return float(values.mean()), 1 / max(float(values.std()), LEAST_DEVIATION)


def learned_direction(
    corpus: Corpus, labels: Labels, dislike_share: float, attention: Attention
) -> NDArray[np.float32] | None:
    """Rocchio's direction: the mean of what was liked less a share of the mean of what was not, (dim,).

    A liked newsletter is liked for one of its stories. So each labelled document is first pooled with
    attention to nothing, then twice more with attention to the direction found so far, as sharp again as
    that which documents are read with: the story that the liked ones share comes to the fore. On
    documents made of six stories this adds .03 average precision at 50 labels, on abstracts nothing.
    With few dislikes their mean says little, so its share grows with their number n, as n / (n + 2).
    """
    if corpus.vectors is None or not len(labels):
        return None
    taught = corpus.has_vectors[labels.rows]
    if not taught.any():
        return None
    rows, wanted, importance = labels.rows[taught], labels.wanted[taught], labels.importance[taught]
    passages = corpus.vectors[corpus.slots[rows]].astype(np.float64)  # (labels, passages, dim)
    share = dislike_share * float((~wanted).sum()) / (float((~wanted).sum()) + 2)
    direction = np.zeros(passages.shape[2])
    for sharpness in (0.0, 2 * attention.sharpness, 2 * attention.sharpness):
        similarity = passages @ direction / (np.linalg.norm(direction) or 1.0)
        weights = attention.weights(corpus, sharpness * similarity, rows)
        pooled = pool(weights[:, None, :], passages)[:, 0, :]
        pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        if corpus.wholes is not None:
            pooled = np.where(corpus.in_one_piece[rows, None], corpus.wholes[rows], pooled)
        direction = np.zeros(passages.shape[2])
        if wanted.any():
            direction += np.average(pooled[wanted], axis=0, weights=importance[wanted])
        if not wanted.all():
            direction -= share * pooled[~wanted].mean(axis=0)
    return direction.astype(np.float32)


def dense_from_labels(
    corpus: Corpus, labels: Labels, direction: NDArray[np.float32], strength: float, attention: Attention
) -> DenseEvidence:
    """The cosine of each document with the learned direction, apart by passage.

    A long document is the weighted sum of its passages. A short one is judged by the vector of all of its
    text, because a passage that is encoded without the others loses what they say about it: on abstracts
    this alone adds .03 average precision. Its passages then get credit by their attention weights.
    """
    values = corpus.passage_values(direction[:, None])[:, :, 0]
    length = float(np.linalg.norm(direction)) or 1.0
    weights = attention.weights(corpus, attention.sharpness * values / length)
    shares = weights * values / corpus.pooled_length(weights)[:, None]
    if corpus.wholes is not None:
        cosines = (corpus.wholes @ direction).astype(np.float64)
        shares = np.where(corpus.in_one_piece[:, None], weights * cosines[:, None], shares)
    mean, factor = scale_of(shares.sum(axis=1), corpus.has_vectors, labels)
    return DenseEvidence(None, strength * factor * (shares - weights * mean))


def dense_from_phrases(
    corpus: Corpus,
    labels: Labels,
    interests: Sequence[Interest],
    vectors: Mapping[str, NDArray[np.float32]],
    strength: float,
    sharpness: float,
) -> list[DenseEvidence]:
    """Similarity of passages to phrases: one softmax over all pairs of a phrase and a passage.

    So a document about one of ten interests is not held to lack the other nine. Phrases that mean
    `less of this` (negative weights) form a softmax of their own.
    """
    known = [interest for interest in interests if interest.phrase in vectors]
    if not known or corpus.vectors is None:
        return []
    evidence: list[DenseEvidence] = []
    columns = np.stack([vectors[interest.phrase] for interest in known], axis=1).astype(np.float32)
    all_values = corpus.phrase_values(columns)  # (documents, passages, phrases)
    for sign in (1, -1):
        chosen = [place for place, interest in enumerate(known) if interest.weight * sign > 0]
        if not chosen:
            continue
        group, values = [known[place] for place in chosen], all_values[:, :, chosen]
        documents, width, phrases = values.shape
        force = np.abs([interest.weight for interest in group])
        scores = (sharpness * values + np.log(force)).reshape(documents, width * phrases)
        mask = np.repeat(corpus.encoded, phrases, axis=1)
        weights = attention_weights(scores, mask).reshape(values.shape)
        mean, factor = scale_of((weights * values).sum(axis=(1, 2)), corpus.has_vectors, labels)
        shares = sign * strength * float(force.max()) * factor * weights * (values - mean)
        evidence += [DenseEvidence(interest, shares[:, :, i]) for i, interest in enumerate(group)]
    return evidence


def lexical_from_labels(corpus: Corpus, labels: Labels, strength: float) -> LexicalEvidence:
    """The two classifiers over words; with labels of one kind only, similarity to their mean instead."""
    rows = corpus.tf_idf_rows[labels.rows]
    if labels.wanted.all() or not labels.wanted.any():
        sign = 2.0 if labels.wanted.all() else -2.0
        experts = [np.asarray(rows.T @ (sign * labels.importance), dtype=np.float64)]
    else:
        fits = (LinearSvm.fit, NaiveBayes.fit)
        experts = [fit(rows, labels.wanted, labels.importance).weights for fit in fits]
    raw = np.asarray(corpus.tf_idf_rows @ np.stack(experts, axis=1), dtype=np.float64)
    everywhere = np.ones(len(corpus), dtype=bool)
    weights, blended, offset = np.zeros(len(experts[0])), np.zeros(len(raw)), 0.0
    for expert, column in zip(experts, raw.T, strict=True):
        mean, factor = scale_of(column, everywhere, labels)
        blended += strength * factor * (column - mean)
        weights += strength * factor * expert
        offset -= strength * factor * mean
    return LexicalEvidence(blended, ((None, weights),), offset)


def lexical_from_phrases(
    corpus: Corpus, labels: Labels, interests: Sequence[Interest], strength: float
) -> LexicalEvidence:
    """Similarity in words to all phrases together; the weights stay apart by phrase."""
    terms = [count_terms("", interest.phrase) for interest in interests]
    queries = corpus.tf_idf.transform(terms).toarray().astype(np.float64)
    queries *= np.array([interest.weight for interest in interests])[:, None]
    raw = np.asarray(corpus.tf_idf_rows @ queries.sum(axis=0), dtype=np.float64)
    everywhere = np.ones(len(corpus), dtype=bool)
    mean, factor = scale_of(raw, everywhere, labels)
    factor *= strength
    weights = tuple((interest, query * factor) for interest, query in zip(interests, queries, strict=True))
    return LexicalEvidence(factor * (raw - mean), weights, -factor * mean)


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
