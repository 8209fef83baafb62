"""An encoder for tests: sums of word vectors, so that texts that share words are close."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from model.types import Window

DIM = 32


def said(text: str) -> np.ndarray:
    """The sum of the vectors of its words, which are drawn by hash, (DIM,)."""
    vector = np.zeros(DIM)
    for word in text.lower().replace(".", " ").split():
        vector += _meant(word)
    return vector


@functools.cache
def _meant(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
    return np.random.default_rng(seed).normal(size=DIM)


def embed(text: str) -> np.ndarray:
    """A text in one piece, float32 (DIM,), of length one."""
    return encode([Window(text)])[0]


def encode(windows: Sequence[Window]) -> np.ndarray:
    """Of each part of each window its share of the window's vector, float32 (parts, DIM)."""
    rows = [np.zeros((0, DIM))]
    for window in windows:
        parts = np.array([said(window.text[start:end]) for start, end in window.parts])
        rows.append(parts / max(float(np.linalg.norm(parts.sum(axis=0))), 1e-9))
    return np.concatenate(rows).astype(np.float32)
