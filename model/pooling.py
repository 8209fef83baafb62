"""From token states to span vectors: who owns a token, and what a span gets of its window's vector.

Owns the rule that the spans of a window share its vector among them without remainder ("late chunking":
they are read together and pooled apart). Knows no network and no tokenizer. Imported by the encoding
child only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

Span = tuple[int, int]


def owners(starts: Sequence[int], spans: Sequence[Span]) -> NDArray[np.intp]:
    """The span that each token of a window belongs to: the last one that starts at or before it.

    A token before the first span belongs to the first, one between two spans to the earlier one. Special
    tokens have no place in the text, which tokenizers write as 0: at the front such a token falls to the
    first span by itself, at the end the running maximum hands it to the owner of the last real token.

    Args:
        starts: Where each token begins, in characters, (tokens,).
        spans: In order, without overlap; at least one.
    """
    found = np.searchsorted([start for start, _ in spans], starts, side="right") - 1
    return np.maximum.accumulate(np.maximum(found, 0))


def pooled(states: torch.Tensor, tokens: Sequence[NDArray[np.intp]], spans: Sequence[int]) -> torch.Tensor:
    """Span vectors: the sum of a span's token states over the length of the sum of its whole window.

    The spans of a window therefore add up to the mean of its token states, normalised to length one,
    which is what mean pooling makes of the window: a mean and a sum point the same way.

    Args:
        states: The last hidden state of every token of every window in turn, float32 (tokens, dim).
        tokens: For each window, the owner of each token (`owners`).
        spans: For each window, how many spans it has.

    Returns:
        (sum of `spans`, dim) on the device of `states`; a span without tokens is zero.
    """
    first = np.cumsum([0, *spans])
    row = np.concatenate([owner + start for owner, start in zip(tokens, first, strict=False)])
    window = torch.from_numpy(np.repeat(np.arange(len(spans)), spans)).to(states.device)
    dim = states.shape[1]
    sums = states.new_zeros(int(first[-1]), dim).index_add_(
        0, torch.from_numpy(row).to(states.device), states
    )
    totals = states.new_zeros(len(spans), dim).index_add_(0, window, sums)
    lengths = totals.square().sum(dim=1, keepdim=True).sqrt().clamp_min(1e-12)
    return sums / lengths[window]
