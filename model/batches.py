"""How much an encoder reads at once: texts in batches, and how much of a text.

Owns plain arithmetic over sizes, shared by the encoders of the encoding child.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

CHARS_A_TOKEN = 16
"""More of a text than this times the window's tokens is never looked at: prose has 4.5 characters a token,
and a text of which 4,000 characters make fewer than 254 is blank or junk."""


def batches(sizes: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches whose sizes sum to at most `budget`, or of one, largest first.

    The largest come first so that running out of memory shows at once and the progress only speeds up.
    """
    batch: list[int] = []
    filled = 0
    for index in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        if batch and filled + sizes[index] > budget:
            yield batch
            batch, filled = [], 0
        batch.append(index)
        filled += sizes[index]
    if batch:
        yield batch
