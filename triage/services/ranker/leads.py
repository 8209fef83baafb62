"""The lead of a document: what is read of it before there is time for the whole.

Owns which words these are, and how their vector stands in for those of the passages. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.passages import estimate_tokens, sentences, to_encode
from model.types import Passage, Window

LEAD_TOKENS = 32
"""Of the title and first sentences together. For 1,000 abstracts of 370 tokens a first order then takes a
tenth of the time (with 40 tokens an eighth), and of its best 50 items 46 are among the final best 50; with
phrases and no marks, 34 of 3,000 items (with 40 tokens 35), one less with every doubling of the items."""
_CHARS = 400
"""As much of the text as is looked at: several times what fits."""


def lead(title: str, text: str) -> Window:
    """The title and the first sentences, as many as fit; a part of the first one if it is too long."""
    words = [title.strip()] if title.strip() else []
    left = LEAD_TOKENS - estimate_tokens(title)
    for start, end in sentences(text[:_CHARS]):
        sentence = text[start:end]
        tokens = estimate_tokens(sentence)
        if tokens > left:
            if len(words) <= bool(title.strip()):
                words.append(_cut(sentence, max(0.0, left) / tokens))
            break
        words.append(sentence)
        left -= tokens
    return Window(" ".join(word for word in words if word))


def _cut(sentence: str, share: float) -> str:
    """Its beginning, up to a space if there is one."""
    cut = sentence[: int(len(sentence) * share)]
    return cut.rpartition(" ")[0] or cut


def place(parts: Sequence[Passage]) -> int:
    """Which passage the vector of the lead stands for: the first of the text if there is one."""
    return next((n for n, part in enumerate(parts) if part.field == "text"), 0)


def share(title: str, text: str, parts: Sequence[Passage], number: int) -> float:
    """The share of its window's characters that a passage has.

    A ranker takes the vector of a passage for such a share of the window's vector. The vector of a lead
    has length one, so it is multiplied by this.
    """
    first = 0
    for window in to_encode(title, text, parts):
        sizes = [end - start for start, end in window.parts]
        if number < first + len(sizes):
            return sizes[number - first] / sum(sizes)
        first += len(sizes)
    raise ValueError(f"there is no passage {number}")
