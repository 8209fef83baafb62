"""The ranker: from what a reader said to an order of documents, with reasons that add up.

Owns the blend of the experts, the step from logit to probability, and explanations. A ranking is a pure
function of the corpus and the profile: the same labels and phrases, in any order, give the same bits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import blend, calibrate, evidence, highlight
from model.blend import Settings, Weighed
from model.corpus import Corpus
from model.evidence import Words
from model.grid import Floats, Grid
from model.knowledge import AliasGraph, SoftRule, soft_rules
from model.lexical import Terms
from model.types import (
    Contribution,
    Document,
    Explanation,
    Highlight,
    Interest,
    InvalidInput,
    Label,
    Passage,
    Profile,
    ReasonKind,
)
from model.wordgrid import WordGrid


class Ranker:
    """Fits a profile to a corpus.

    Args:
        corpus: What to rank.
        settings: For experiments; the defaults are the product.
    """

    def __init__(self, corpus: Corpus, settings: Settings | None = None) -> None:
        self._corpus = corpus
        self._settings = settings or Settings()

    def fit(
        self, profile: Profile, phrase_vectors: Mapping[str, NDArray[np.float32]] | None = None
    ) -> Ranking:
        """Ranks the corpus for one reader.

        Args:
            profile: Labels of documents outside the corpus do not count.
            phrase_vectors: Phrase -> vector (dim,) of length one; a phrase without one counts by its
                words alone.

        Raises:
            InvalidInput: A number in the profile is not finite, or a vector has another length.
        """
        corpus, settings = self._corpus, self._settings
        vectors = dict(phrase_vectors or {}) if corpus.dim else {}
        _check(corpus, profile, vectors)
        labels = evidence.teaching_labels(corpus, profile)
        interests = sorted(
            (interest for interest in profile.interests if interest.weight),
            key=lambda interest: (interest.phrase, interest.weight),
        )
        aliases = AliasGraph(profile.aliases, corpus.tf_idf.columns)
        experts, scores = blend.learn(corpus, labels, interests, vectors, aliases, settings)
        return Ranking(
            corpus,
            experts,
            scores,
            (
                evidence.prior_of_groups(corpus, labels, corpus.sources, settings.source),
                evidence.prior_of_groups(corpus, labels, corpus.people, settings.person),
            ),
            settings.age * corpus.freshness,
            soft_rules(corpus.matcher, profile.rules, labels.rows, labels.wanted, labels.importance),
            profile.labels,
        )


class Ranking:
    """The corpus as one reader would order it; made by `Ranker.fit`.

    Attributes:
        logits: (documents,), float64.
        standings: Logits in units that stay comparable from ranking to ranking, (documents,); keep them with
            marks (`Label.standing`), and probabilities become honest.
        probabilities: P(the reader will care), (documents,); see `model.calibrate`.
    """

    def __init__(
        self,
        corpus: Corpus,
        experts: Sequence[Weighed],
        scores: Floats,
        groups: tuple[Floats, Floats],
        ages: Floats,
        rules: Sequence[SoftRule],
        labels: Sequence[Label],
    ) -> None:
        self._corpus = corpus
        self._experts = tuple(experts)
        self._groups = tuple(zip((corpus.sources, corpus.people), groups, strict=True))
        self._ages = ages
        self._rules = tuple(rules)
        fixed = ages.copy()
        for rule in self._rules:
            fixed += rule.shares
        for members, prior in self._groups:
            fixed += np.bincount(members.rows, weights=prior[members.members], minlength=len(corpus))
        self._fixed: Floats = fixed
        self.logits: Floats = fixed + scores
        calibration = calibrate.learn(labels, corpus, self.logits)
        self.standings: Floats = self.logits / calibration.spread
        self.probabilities: Floats = calibration.probabilities(self.logits, corpus.documents)

    @property
    def corpus(self) -> Corpus:
        """What was ranked."""
        return self._corpus

    def order(self) -> list[str]:
        """Document ids, best first; equals are ordered newest first, then by id."""
        documents = self._corpus.documents

        def key(row: int) -> tuple[float, float, str]:
            return (-self.logits[row], -(documents[row].published or 0.0), documents[row].id)

        return [documents[row].id for row in sorted(range(len(documents)), key=key)]

    def explain(self, document_id: str) -> Explanation:
        """Why a document stands where it stands: signed shares that sum to its logit, largest first.

        Raises:
            InvalidInput: No such document.
        """
        if document_id not in self._corpus.row:
            raise InvalidInput(f"There is no document {document_id!r}")
        row = self._corpus.row[document_id]
        document, passages = self._corpus.documents[row], self._corpus.passages[row]
        shares = self._shares(row)
        fields = {"title": document.title, "text": document.text}
        rows = [
            Contribution("passage", fields[part.field][part.start : part.end], float(value), part)
            for part, value in zip(passages, shares.by_interest[None], strict=True)
        ]
        rows += [
            Contribution("interest", interest.phrase, float(found.sum()))
            for interest, found in shares.by_interest.items()
            if interest is not None
        ]
        kinds: tuple[ReasonKind, ReasonKind] = ("source", "person")
        for kind, (groups, prior) in zip(kinds, self._groups, strict=True):
            members = groups.members[groups.rows == row]
            rows += [Contribution(kind, groups.names[member], float(prior[member])) for member in members]
        rows += [Contribution("rule", rule.name, rule.value) for rule in self._rules if rule.matches[row]]
        rows.append(Contribution("age", "how new it is", float(self._ages[row])))
        rows.append(Contribution("bias", "the average document", shares.offset))
        return Explanation(
            document_id,
            float(self.logits[row]),
            float(self.probabilities[row]),
            tuple(sorted((r for r in rows if r.value), key=lambda r: -abs(r.value))),
            self._highlights(row, shares.words),
        )

    def _highlights(self, row: int, words: Sequence[tuple[int, float]]) -> tuple[Highlight, ...]:
        document, passages = self._corpus.documents[row], self._corpus.passages[row]
        if not self._experts:
            values = self._corpus.grid.values
            vectors = values[self._corpus.grid.slots[row, : len(passages)]] if len(values) else values
            vectors = vectors if len(values) else np.zeros((len(passages), 0), dtype=np.float32)
            return highlight.summary(document, passages, vectors, self._corpus.tf_idf)
        each = self._corpus.take_apart(row).without_each
        removal = self.logits[row] - self._fixed[row] - self._scores(*each) if each else np.zeros(0)
        return highlight.choose(document, passages, removal, words)

    def logit_without(self, document_id: str, removed: Collection[int]) -> float:
        """The logit that a document would have without some of its passages, by their places; exact."""
        row = self._corpus.row[document_id]
        return float(self._fixed[row] + self._scores(*self._corpus.without(row, [removed]))[0])

    def logit_as(
        self,
        document_id: str,
        text: Document,
        parts: Sequence[Passage],
        vectors: NDArray[np.float32] | None,
        terms: Terms,
    ) -> float:
        """The logit that a document would have with another text, read and encoded anew.

        Args:
            document_id: Whose source, people and age count.
            text: The other text, with its passages, their vectors and its terms, as for a `Corpus`.
            parts: See `text`.
            vectors: See `text`.
            terms: See `text`.
        """
        fixed = self._fixed[self._corpus.row[document_id]]
        return float(fixed + self._scores(*self._corpus.variant(text, parts, vectors, terms))[0])

    def _scores(self, grid: Grid, words: WordGrid) -> Floats:
        """What all experts together say of some documents, (documents,)."""
        total = np.zeros(len(grid))
        for expert in self._experts:
            total += expert.scores(grid, words)
        return total

    def _shares(self, row: int) -> _Shares:
        count = len(self._corpus.passages[row])
        by_interest: dict[Interest | None, Floats] = {None: np.zeros(count)}
        found = self._corpus.take_apart(row)
        per_word, offset = np.zeros(len(found.places)), 0.0
        for weighed in self._experts:
            expert, scale = weighed.expert, weighed.scale
            if isinstance(expert, Words):
                slope = scale.slope(float(expert.raw(found.words)[0]))
                offset -= slope * scale.mean
                values = slope * expert.attention(found.words, count)[found.places] * found.values
                for interest, weights in expert.weights:
                    each = values * weights[found.columns]
                    per_word += each
                    shares = np.bincount(found.places, weights=each, minlength=count)
                    by_interest[interest] = by_interest.get(interest, np.zeros(count)) + shares
                continue
            apart = expert.passages(found.grid)
            parts = scale.slope(float(apart.raw[0])) * (apart.parts - scale.mean * apart.weights)[0, :count]
            for number, interest in enumerate(expert.interests):
                by_interest[interest] = by_interest.get(interest, np.zeros(count)) + parts[:, number]
        marked = zip(found.positions.tolist(), per_word.tolist(), strict=True)
        return _Shares(by_interest, [(at, value) for at, value in marked if at >= 0], offset)


@dataclass(frozen=True, slots=True)
class _Shares:
    """What the passages and words of one document add to its logit."""

    by_interest: dict[Interest | None, Floats]
    """(passages,) by the phrase that speaks, or by what labels taught (None)."""
    words: list[tuple[int, float]]
    """Of each word of the text that counts: where it begins, and its share of the above."""
    offset: float
    """What the experts on words say of a document without words."""


def _check(corpus: Corpus, profile: Profile, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    numbers = [label.value for label in profile.labels] + [i.weight for i in profile.interests]
    if not np.isfinite(numbers).all():
        raise InvalidInput("Labels and weights of interests must be finite numbers")
    for phrase, vector in vectors.items():
        if vector.shape != (corpus.dim,):
            raise InvalidInput(f"The vector of {phrase!r} has the shape {vector.shape}")
