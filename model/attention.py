"""Attention pooling: how much each part of a document counts, and what the parts amount to.

Owns the formulas and nothing else: no labels, no evidence, no text. Written once for numpy arrays and
torch tensors. The ranker runs it on numpy and never imports torch; on tensors it is differentiable and
runs wherever they live. Shapes stand behind each line: b documents, t passages, q queries, h heads,
d dimensions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
"""A numpy array or a torch tensor; all arguments of a call are of one kind."""

_MASKED = -1e30
"""Below any score in float32, yet finite: a row of nothing but masked parts stays free of NaN."""


def _namespace(array: Array) -> Any:  # noqa: ANN401 - a module
    """Numpy or torch, whichever made `array`. torch takes numpy's `axis` and `keepdims`."""
    return np if isinstance(array, np.ndarray | np.generic) else sys.modules["torch"]


def attention_weights(scores: Array, mask: Array) -> Array:
    """Softmax over the last axis, where `mask` is true; what is masked gets weight 0.

    The weights of a row sum to one, or are all zero if all of it is masked.

    Args:
        scores: (..., t).
        mask: Booleans that broadcast to the scores.
    """
    xp = _namespace(scores)
    scores = xp.where(mask, scores, _MASKED)  # (..., t)
    peak = xp.amax(scores, axis=-1, keepdims=True)  # (..., 1)
    weights = xp.exp(scores - peak) * mask  # (..., t)
    total = xp.sum(weights, axis=-1, keepdims=True)  # (..., 1)
    return weights / xp.where(total > 0, total, 1.0)  # (..., t)


def pool(weights: Array, values: Array) -> Array:
    """The weighted sum of the values.

    Args:
        weights: (..., q, t).
        values: (..., t, d).

    Returns:
        (..., q, d).
    """
    return weights @ values


@dataclass(frozen=True, slots=True)
class SelfAttentionPooling:
    """A document's parts weighed by themselves, by the chain of three linear maps.

        Q_t = W^Q x_t,  K_t = W^K Q_t,  V_t = W^V K_t
        s_t = Q_t . K_t,  w = softmax(s),  Z = sum_t w_t V_t

    Attributes:
        query: W^Q, (d_q, d).
        key: W^K, (d_q, d_q): it maps queries to keys, so both have one length.
        value: W^V, (d_v, d_q).
    """

    query: Array
    key: Array
    value: Array

    def __call__(self, parts: Array, mask: Array) -> tuple[Array, Array]:
        """Pools `parts` (b, t, d), of which those under `mask` (b, t) exist.

        Returns:
            Z, (b, d_v), and the weights, (b, t).
        """
        xp = _namespace(parts)
        queries = parts @ self.query.T  # (b, t, d_q)
        keys = queries @ self.key.T  # (b, t, d_q)
        values = keys @ self.value.T  # (b, t, d_v)
        scores = xp.sum(queries * keys, axis=-1)  # (b, t)
        weights = attention_weights(scores, mask)  # (b, t)
        return pool(weights[:, None, :], values)[:, 0, :], weights  # (b, d_v), (b, t)


def cross_attention(
    queries: Array, keys: Array, values: Array, mask: Array, *, heads: int = 1, sharpness: float | None = None
) -> tuple[Array, Array]:
    """Multi-head attention of queries (interests) over keys and values (passages).

    Each head sees its own slice of the dimensions; the results of the heads are put side by side.

    Args:
        queries: (b, q, d), with d divisible by `heads`.
        keys: (b, t, d).
        values: (b, t, d_v), with d_v divisible by `heads`.
        mask: (b, t), true where a passage exists.
        heads: How many slices.
        sharpness: Factor of the scores before the softmax, the usual 1 / sqrt(d / heads) if None.
            Towards 0 every passage counts alike; towards infinity only the best one does.

    Returns:
        The pooled values, (b, q, d_v), and the weights, (b, heads, q, t).
    """
    b, q, d = queries.shape
    t, d_v = values.shape[1], values.shape[2]
    factor = (d / heads) ** -0.5 if sharpness is None else sharpness
    by_head_q = queries.reshape(b, q, heads, d // heads).swapaxes(1, 2)  # (b, h, q, d/h)
    by_head_k = keys.reshape(b, t, heads, d // heads).swapaxes(1, 2)  # (b, h, t, d/h)
    by_head_v = values.reshape(b, t, heads, d_v // heads).swapaxes(1, 2)  # (b, h, t, d_v/h)
    scores = factor * (by_head_q @ by_head_k.swapaxes(2, 3))  # (b, h, q, t)
    weights = attention_weights(scores, mask[:, None, None, :])  # (b, h, q, t)
    pooled = pool(weights, by_head_v)  # (b, h, q, d_v/h)
    return pooled.swapaxes(1, 2).reshape(b, q, d_v), weights
