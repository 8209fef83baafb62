"""Which words to mark: passages read off the score, and salience where no interest is known.

Owns the choice and the bounds of what is marked. The values are contributions to the logit that somebody
else computed; nothing here scores on its own but `salience`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.attention import attention_weights
from model.passages import sentences
from model.types import Document, Highlight, Passage

MAX_HIGHLIGHTS = 3
SALIENCE_SHARPNESS = 8.0
READABLE_CHARS = 400
"""A longer passage is marked by its best run of sentences of about this length."""


def choose(
    document: Document,
    passages: Sequence[Passage],
    values: NDArray[np.float64],
    words: Sequence[tuple[int, float]],
) -> tuple[Highlight, ...]:
    """At most three passages of the text, by their contributions: what speaks for the document first.

    Args:
        document: Whose text is marked; a title is never marked, since it is always on screen.
        passages: All of them.
        values: (passages,), contributions to the logit.
        words: (position in the text, contribution) of every occurrence of a term in the text.
    """
    order = np.argsort(-values, kind="stable")
    best = [index for index in order if passages[index].field == "text" and values[index] != 0]
    return tuple(
        Highlight(_readable(document.text, passages[index], words), float(values[index]))
        for index in best[:MAX_HIGHLIGHTS]
    )


def _readable(text: str, passage: Passage, words: Sequence[tuple[int, float]]) -> Passage:
    """The passage, or its run of whole sentences that carries the most words in its favour."""
    if passage.end - passage.start <= READABLE_CHARS:
        return passage
    spans = [(passage.start + a, passage.start + b) for a, b in sentences(text[passage.start : passage.end])]
    worth = [sum(value for position, value in words if start <= position < end) for start, end in spans]
    best, best_worth = spans[0], -np.inf
    for first in range(len(spans)):
        total = 0.0
        for last in range(first, len(spans)):
            if last > first and spans[last][1] - spans[first][0] > READABLE_CHARS:
                break
            total += worth[last]
            if total > best_worth:
                best, best_worth = (spans[first][0], spans[last][1]), total
    return Passage("text", *best)


def salience(parts: NDArray[np.float32], title: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """How much each part says of its document when no interest is known, (t,); higher is more.

    Attention to the title, the author's own summary; without one, self-attention: to what the parts say
    on average.

    Args:
        parts: (t, d), of length one each.
        title: (d,), or None.
    """
    if not len(parts):
        return np.zeros(0)
    query = parts.mean(axis=0) if title is None else title
    scores = SALIENCE_SHARPNESS * (parts @ query).astype(np.float64)
    return np.asarray(attention_weights(scores, np.ones(len(parts), dtype=bool)))
