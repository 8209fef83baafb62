"""The fit: from what a reader said to experts that are weighed against each other.

Owns which experts there are, how strong each usually is, and the second look: what the documents that rank
high have in common is evidence too. The formulas are those of `model.evidence` and `model.mixture`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import evidence
from model.corpus import Corpus
from model.evidence import Expert, Labels, LearnedMeaning, Sharpness, Witness, Words
from model.grid import Floats, Grid
from model.knowledge import AliasGraph
from model.mixture import Scale, echo_share, scale_of, squash, strengths
from model.types import Interest
from model.wordgrid import WordGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How strong each expert usually is, in standard deviations of the logit over the corpus.

    The fewer labels, the more meaning counts: two likes share few words but most of their meaning.
    """

    meaning: float = 0.5
    meaning_early: float = 3.5
    """Added to `meaning` without any label; half of it is gone at `early` labels."""
    early: float = 10.0
    words: float = 1.0
    """Of each of the two classifiers."""
    echo: float = 1.0
    """Of what the best documents have in common, in parts of all other evidence; half at `early` labels."""
    prior_labels: float = 4.0
    """How many pairs of a like and a dislike these strengths are worth against how each expert does."""
    dislike_share: float = 0.5
    sharpness: float = 0.0
    sharpness_apart: float = 12.0
    """Of attention to what labels taught; see `Sharpness`."""
    phrase_meaning: float = 3.0
    """A phrase is meant, not quoted: its meaning finds far more than its words."""
    phrase_words: float = 0.5
    phrase_sharpness: float = 2.0
    phrase_sharpness_apart: float = 12.0
    source: float = 1.0
    person: float = 1.0
    age: float = 0.3


@dataclass(frozen=True, slots=True)
class Weighed:
    """An expert, and how its raw scores become shares of the logit."""

    expert: Expert
    scale: Scale

    def scores(self, grid: Grid, words: WordGrid) -> Floats:
        """Shares of the logit, (documents,)."""
        return self.scale(*_raw(self.expert, grid, words))


@dataclass(frozen=True, slots=True)
class _Mixture:
    experts: tuple[Weighed, ...]
    total: Floats
    """(documents,): what the experts add up to."""
    unseen: Floats
    """(labels,): the same for the labelled documents, by fits without each."""


def learn(
    corpus: Corpus,
    labels: Labels,
    interests: Sequence[Interest],
    vectors: Mapping[str, NDArray[np.float32]],
    aliases: AliasGraph,
    settings: Settings,
) -> tuple[tuple[Weighed, ...], Floats]:
    """The experts, as strong as they proved to be, and what they add up to, (documents,).

    Args:
        corpus: What is ranked.
        labels: Of some of its documents.
        interests: Phrases, in an order that does not depend on the reader's.
        vectors: Of the phrases, as for `Ranker.fit`.
        aliases: Links between its terms.
        settings: See there.
    """
    witnesses: list[Witness] = []
    if len(labels):
        early = settings.meaning_early * settings.early / (settings.early + len(labels))
        usual = settings.meaning + early
        sharpness = Sharpness(settings.sharpness, settings.sharpness_apart)
        meaning = evidence.meaning_from_labels(corpus, labels, settings.dislike_share, sharpness, usual)
        learned = next((w.expert for w in meaning if isinstance(w.expert, LearnedMeaning)), None)
        witnesses += meaning
        witnesses += evidence.words_from_labels(corpus, labels, settings.words, learned, aliases)
    if interests:
        sharpness = Sharpness(settings.phrase_sharpness, settings.phrase_sharpness_apart)
        witnesses += evidence.meaning_from_phrases(interests, vectors, sharpness, settings.phrase_meaning)
        witnesses += evidence.words_from_phrases(corpus, interests, settings.phrase_words, aliases)
    mixture = _mixed(corpus, labels, witnesses, settings.prior_labels)
    if settings.echo and (labels.wanted.any() or any(interest.weight > 0 for interest in interests)):
        mixture = _with_echo(corpus, labels, mixture, aliases, settings)
    return mixture.experts, mixture.total


def _mixed(corpus: Corpus, labels: Labels, witnesses: Sequence[Witness], prior_labels: float) -> _Mixture:
    """The experts on one scale, as strong as they proved to be."""
    raws = [_raw(witness.expert, corpus.grid, corpus.words) for witness in witnesses]
    scales = [scale_of(raw, known > 0, labels.rows) for raw, known in raws]
    unseen = [
        factor * ((raw[labels.rows] if witness.unseen is None else witness.unseen) - mean)
        for witness, (raw, _), (mean, factor) in zip(witnesses, raws, scales, strict=True)
    ]
    usual = [witness.usual for witness in witnesses]
    found = strengths(usual, np.array(unseen).T, labels.wanted, prior_labels)
    experts = tuple(
        Weighed(witness.expert, Scale(*scale, float(strength)))
        for witness, scale, strength in zip(witnesses, scales, found, strict=True)
    )
    total, of_labels = np.zeros(len(corpus)), np.zeros(len(labels))
    for weighed, raw, each in zip(experts, raws, unseen, strict=True):
        total += weighed.scale(*raw)
        of_labels += weighed.scale.strength * squash(each)
    return _Mixture(experts, total, of_labels)


def _with_echo(
    corpus: Corpus, labels: Labels, mixture: _Mixture, aliases: AliasGraph, settings: Settings
) -> _Mixture:
    """The mixture, and an expert on words for what the documents that it ranks high have in common."""
    unlabelled = np.ones(len(corpus), dtype=bool)
    unlabelled[labels.rows] = False
    spread = float(mixture.total[unlabelled].std()) if unlabelled.sum() > 1 else 0.0
    if not spread:
        return mixture
    mean = float(mixture.total[unlabelled].mean())
    standings = (mixture.total - mean) / spread
    witness = evidence.words_in_common(corpus, labels, standings, aliases)
    raw, known = _raw(witness.expert, corpus.grid, corpus.words)
    middle, factor = scale_of(raw, known > 0, labels.rows)
    echoes = factor * (raw - middle)
    share = echo_share(
        settings.early / (settings.early + len(labels)),
        (mixture.unseen - mean) / spread,
        factor * ((raw[labels.rows] if witness.unseen is None else witness.unseen) - middle),
        float(np.corrcoef(standings[unlabelled], echoes[unlabelled])[0, 1]) if echoes.any() else 0.0,
        labels.wanted,
        settings.prior_labels,
    )
    scale = Scale(middle, factor, settings.echo * spread * share)
    return _Mixture(
        (*mixture.experts, Weighed(witness.expert, scale)), mixture.total + scale(raw), mixture.unseen
    )


def _raw(expert: Expert, grid: Grid, words: WordGrid) -> tuple[Floats, Floats]:
    """Raw scores, (documents,), and where they mean anything: 1, else 0."""
    if isinstance(expert, Words):
        raw = expert.raw(words)
        return raw, np.ones(len(raw))
    found = expert.passages(grid)
    return found.raw, found.known
