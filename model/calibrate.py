"""From logits to probabilities: how much a reader's logits have been worth so far.

Owns the one monotone step behind the sum of evidence. Knows nothing of what the evidence is: it compares
how high documents stood when they were marked with what the reader then said of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.corpus import Corpus
from model.types import Document, InvalidInput, Label

Floats = NDArray[np.float64]

SLOPE, SLOPE_GAIN, SLOPE_COUNT = 0.5, 1.0, 2
"""The slope over standings to expect is `SLOPE + SLOPE_GAIN * n / (n + SLOPE_COUNT)` with n likes and as many
dislikes: a standing can be trusted further when more was said, and little before there is both to compare.
On the first day of nine readers, who had liked three documents each, it was .3; on the candidates of reviews
of papers it was 1.1 after two labels of each kind, and 1.4 after 25."""
LEAST_SPREAD = 1.0
"""Of logits; with anything known of a reader it is 2 or more."""
SLOPE_DEVIATION = 0.8
"""Of the slope over standings, which runs from .4 to 3.4 between readers."""
LEAST_SLOPE = 0.05
"""A higher logit never means a lower probability, even for a reader who has contradicted them all."""
INTERCEPT = float(np.log(0.15 / 0.85))
"""What nobody has said anything about is wanted in 15 of 100 cases."""
INTERCEPT_DEVIATION = 2.0
"""Wide, because readers want from 5 to 90 of 100 documents that they are shown: ten marks settle it."""
KIND_DEVIATION = 0.5
"""How far mail, feeds and papers may differ; narrow, so that a kind rarely marked follows the others."""
HALF_LIFE = 100.0
"""Pairs after which one counts half: a ranker gets better, and interests come and go. Without it the Brier
score of 37 days of nine readers, ten a day, is .090, not .086, and their calibration error .063, not .053."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(the reader will care) = sigmoid(slope * standing + intercept + shift of the document's kind)."""

    spread: float
    """Standard deviation of the logits of documents that nobody labelled. A document's standing is its logit
    in these units: logits shrink and grow fourfold as evidence is weighed anew, standings stay comparable.
    Pooled over nine readers, the calibration error on logits themselves is .050, on standings .014."""
    slope: float
    intercept: float
    shifts: dict[str, float]
    """By kind; the kinds that were never marked at a known standing have none, which is a shift of 0."""

    def probabilities(self, logits: Floats, documents: Sequence[Document]) -> Floats:
        """Of each document, (documents,); within a kind the order is that of the logits."""
        odds = self.slope * logits / self.spread + self.intercept
        if self.shifts:
            odds += np.array([self.shifts.get(document.kind, 0.0) for document in documents])
        return _sigmoid(odds)


def learn(labels: Iterable[Label], corpus: Corpus, logits: Floats) -> Calibration:
    """Fits the step to what a reader said of documents whose standing was known before they spoke.

    Such pairs are honest (prequential: Dawid 1984, "Present position and potential developments"), while
    the logits that labelled documents have now were fitted to their labels. The fit is Platt's (1999,
    "Probabilistic outputs for support vector machines") with a Gaussian prior on every parameter, whose
    mean is all there is without a pair; shifts of kinds around 0 make it partial pooling. Labels without
    a standing count towards the slope to expect and tell nothing else: they were not picked by the ranker.

    Args:
        labels: In any order; of several for one document the latest counts.
        corpus: Labels of other documents do not count.
        logits: Of all its documents, (documents,).

    Raises:
        InvalidInput: A standing is not finite.
    """
    latest: dict[str, Label] = {}
    for label in labels:
        if label.document in corpus.row:
            latest[label.document] = max(label, latest.get(label.document, label), key=_said)
    spread = _spread(np.delete(logits, [corpus.row[name] for name in latest]))
    likes = sum(label.value > 0 for label in latest.values())
    both = min(likes, len(latest) - likes)
    slope = SLOPE + SLOPE_GAIN * both / (both + SLOPE_COUNT)
    pairs = sorted(
        (label for label in latest.values() if label.standing is not None),
        key=lambda label: (-label.at, label.document),
    )
    if not pairs:
        return Calibration(spread, slope, INTERCEPT, {})
    standings = np.array([label.standing for label in pairs], dtype=np.float64)
    if not np.isfinite(standings).all():
        raise InvalidInput("Standings of labels must be finite numbers")
    wanted = np.array([label.value > 0 for label in pairs], dtype=np.float64)
    weights = 0.5 ** (np.arange(len(pairs)) / HALF_LIFE)
    of_pair = [corpus.documents[corpus.row[label.document]].kind for label in pairs]
    kinds = sorted(set(of_pair))
    is_kind = np.array([[kind == name for name in kinds] for kind in of_pair], dtype=np.float64)
    others = np.column_stack([np.ones(len(pairs)), is_kind])
    mean = np.array([INTERCEPT, *(0.0 for _ in kinds)])
    deviation = np.array([INTERCEPT_DEVIATION, *(KIND_DEVIATION for _ in kinds)])
    prior = _Prior(np.append(slope, mean), np.append(SLOPE_DEVIATION, deviation))
    found = _fit(np.column_stack([standings, others]), 0 * standings, wanted, weights, prior)
    if found[0] < LEAST_SLOPE:
        # The loss is convex, so with the bound its minimum lies on the bound.
        rest = _fit(others, LEAST_SLOPE * standings, wanted, weights, _Prior(mean, deviation))
        found = np.append(LEAST_SLOPE, rest)
    shifts = dict(zip(kinds, map(float, found[2:]), strict=True))
    return Calibration(spread, float(found[0]), float(found[1]), shifts)


@dataclass(frozen=True, slots=True)
class _Prior:
    """Independent Gaussians."""

    mean: Floats
    deviation: Floats


def _spread(logits: Floats) -> float:
    """Standard deviation, `LEAST_SPREAD` at least: being a little newer than others is not to stand out."""
    return max(float(logits.std()) if len(logits) else 0.0, LEAST_SPREAD)


def _said(label: Label) -> tuple[float, float]:
    return (label.at, label.value)


def _fit(columns: Floats, offset: Floats, wanted: Floats, weights: Floats, prior: _Prior) -> Floats:
    """Maximum a posteriori of a logistic regression, (m,), by Newton steps that are halved until they help.

    Args:
        columns: (n, m).
        offset: (n,), added to the log-odds.
        wanted: (n,), 0 or 1.
        weights: (n,).
        prior: Over the m coefficients.
    """
    precision = prior.deviation**-2.0

    def loss(theta: Floats) -> float:
        odds = columns @ theta + offset
        misfit = weights @ (np.logaddexp(0, odds) - wanted * odds)
        return float(misfit + precision @ (theta - prior.mean) ** 2 / 2)

    theta, best = prior.mean, loss(prior.mean)
    while True:
        chance = _sigmoid(columns @ theta + offset)
        gradient = columns.T @ (weights * (chance - wanted)) + precision * (theta - prior.mean)
        curvature = (columns.T * (weights * chance * (1 - chance))) @ columns + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        while (now := loss(theta - step)) > best and np.abs(step).max() > 1e-9:
            step = step / 2
        if best - now < 1e-10:
            return theta
        theta, best = theta - step, now


def _sigmoid(odds: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow and without rounding small chances to 0."""
    out: Floats = np.exp(-np.logaddexp(0, -odds))
    return out
