"""How much to trust each expert: what is usual for so many labels, moved by how each does on this reader.

Owns the scale that experts share and their strengths. Knows nothing of texts or vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_DEVIATION = 0.02
"""Of raw scores: a phrase in one document of ten thousand must not outweigh everything else there is."""

LEAST_APART = 0.1
"""1 - r^2 of two experts below which their difference is noise."""

CAP = 6.0
"""Standard deviations beyond which no expert lifts or lowers a document, however its text is crafted."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From an expert's raw score to its share of the logit: strength * squash(factor * (raw - mean))."""

    mean: float
    factor: float
    strength: float

    def __call__(self, raw: Floats, known: Floats | float = 1.0) -> Floats:
        """The shares of the logit, shaped like `raw`; nothing where it is not `known` (0), else 1."""
        shares: Floats = self.strength * squash(self.factor * (raw - self.mean * known))
        return shares

    def slope(self, raw: float) -> float:
        """What a part of a raw score, less its part of the mean, is multiplied by to add up to the share."""
        deviations = self.factor * (raw - self.mean)
        kept = float(squash(np.float64(deviations))) / deviations if deviations else 1.0
        return self.strength * self.factor * kept


def squash(deviations: Any) -> Any:  # noqa: ANN401 - a number or an array, as it came
    """CAP * tanh(deviations / CAP): keeps the order and, up to 2, nearly the value; never beyond CAP."""
    return CAP * np.tanh(deviations / CAP)


def scale_of(raw: Floats, usable: NDArray[np.bool_], labelled: NDArray[np.intp]) -> tuple[float, float]:
    """Mean and 1 / standard deviation of raw scores over the documents that nobody labelled.

    A classifier is surest of what it was taught: with 50 labels in 300 documents their margins would
    double the deviation, and so halve its say on all others.

    Args:
        raw: (documents,).
        usable: (documents,), where the expert has anything to say.
        labelled: The rows of labelled documents.
    """
    measured = usable.copy()
    measured[labelled] = False
    values = raw[measured] if measured.sum() > 1 else raw[usable]
    if not len(values):
        return 0.0, 0.0
    return float(values.mean()), 1 / max(float(values.std()), LEAST_DEVIATION)


def strengths(
    usual: Sequence[float], unseen: Floats, wanted: NDArray[np.bool_], prior_labels: float
) -> Floats:
    """The strength of each expert for this reader, (experts,).

    If an expert's scores of wanted and unwanted documents are normal with the same deviation, 1 on our
    scale, and their means differ by d, then d is what its score is worth in the logit (linear discriminant
    analysis, experts taken as independent). d is estimated from scores that labelled documents get by a
    fit without them, and shrunk to what is usual: with m = likes * dislikes / labels,

        strength = (prior_labels * usual + m * max(d, 0)) / (prior_labels + m).

    So no expert counts against its own direction, and none is lost to a few unlucky labels.

    Args:
        usual: The strengths before anything is known of the reader.
        unseen: (labels, experts): standardised scores of each labelled document by a fit without it.
        wanted: (labels,).
        prior_labels: How many pairs of a like and a dislike the usual strengths are worth.
    """
    prior = np.asarray(usual, dtype=np.float64)
    likes, dislikes = int(wanted.sum()), int((~wanted).sum())
    if not likes or not dislikes:
        return prior
    bounded = squash(unseen)
    gap = bounded[wanted].mean(axis=0) - bounded[~wanted].mean(axis=0)
    pairs = likes * dislikes / (likes + dislikes)
    found: Floats = (prior_labels * prior + pairs * np.maximum(gap, 0)) / (prior_labels + pairs)
    return found


def echo_share(
    usual: float,
    own: Floats,
    echo: Floats,
    correlation: float,
    wanted: NDArray[np.bool_],
    prior_labels: float,
) -> float:
    """How much an expert counts that learned from the order of the others, in parts of these; in [0, 1].

    It errs as they do, so it cannot be taken as independent: linear discriminant analysis of two features
    with `correlation` r, whose distances between wanted and unwanted documents are d and e, weighs them as
    d - r e to e - r d. Both are shrunk to what is usual, 1 to `usual`, as in `strengths`. An echo never
    counts more than what it echoes.

    Args:
        usual: Its share before anything is known of the reader.
        own: (labels,): standings of labelled documents by fits without each.
        echo: (labels,): standardised scores of the same by an echo without each.
        correlation: Between the two, over the documents that nobody labelled.
        wanted: (labels,).
        prior_labels: As in `strengths`.
    """
    likes, dislikes = int(wanted.sum()), int((~wanted).sum())
    if not likes or not dislikes:
        return usual
    gap_own, gap_echo = (
        float(bounded[wanted].mean() - bounded[~wanted].mean()) for bounded in map(squash, (own, echo))
    )
    apart = max(1 - correlation**2, LEAST_APART)
    worth_own, worth_echo = gap_own - correlation * gap_echo, gap_echo - correlation * gap_own
    pairs = likes * dislikes / (likes + dislikes)
    share = (prior_labels * usual + pairs * max(worth_echo, 0.0) / apart) / (
        prior_labels + pairs * max(worth_own, 0.0) / apart
    )
    return min(share, 1.0)
