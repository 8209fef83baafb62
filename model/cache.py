"""A content-addressed cache of vectors on disk: no text is ever encoded twice.

Owns the mapping from a text's hash to its row in a `VectorFile`, one pair of files an encoder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.encoder import EncoderProcess, Progress, Weights
from model.vectors import VectorFile

CHUNK = 512
"""Texts encoded between two writes: an interrupted run loses at most so many."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors of length one, float32 (n, dim)."""


class CachedEncoder:
    """Encodes texts, remembering every vector in `folder`; the child starts with the first new text.

    Use it as a context manager.

    Args:
        folder: Created if needed.
        weights: From `model.encoder.find_weights`.
        on_progress: Called with (new texts done, new texts in all).
        threads: For the encoding child.
    """

    def __init__(
        self,
        folder: Path,
        weights: Weights,
        *,
        on_progress: Progress | None = None,
        threads: int | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = weights.id.replace("/", "_")
        self._file = VectorFile(folder / f"{name}.vectors", weights.dim, weights.id)
        self._index_path = folder / f"{name}.index"
        self.weights = weights
        self._progress = on_progress
        self._threads = threads
        self._child: EncoderProcess | None = None
        self._row = self._read_index()

    def __enter__(self) -> CachedEncoder:
        """Nothing starts yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the child, if there is one, and closes the files."""
        self.close()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `texts`, float32 (n, dim), rounded to the form in which they are stored.

        Raises:
            EncoderFailed: A new text cannot be encoded.
        """
        keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._row}
        # By length, so that batches hold little padding and progress only ever speeds up.
        pending = sorted(new.items(), key=lambda pair: -len(pair[1]))
        for start in range(0, len(pending), CHUNK):
            chunk = dict(pending[start : start + CHUNK])
            self._encode(chunk)
            if self._progress is not None:
                self._progress(min(start + CHUNK, len(pending)), len(pending))
        return self._file.rows([self._row[key] for key in keys])

    def close(self) -> None:
        """Ends the child, if there is one, and closes the files."""
        if self._child is not None:
            self._child.close()
        self._file.close()

    def _encode(self, texts: dict[str, str]) -> None:
        if self._child is None:
            self._child = EncoderProcess(self.weights, threads=self._threads).__enter__()
        first = self._file.append(self._child.encode(list(texts.values())))
        lines = [f"{key} {row}\n" for row, key in enumerate(texts, start=first)]
        with self._index_path.open("a", encoding="ascii") as index:
            index.write("".join(lines))
        self._row.update((key, row) for row, key in enumerate(texts, start=first))

    def _read_index(self) -> dict[str, int]:
        """Key -> row; lines torn by a crash and rows that never reached the disk are left out."""
        if not self._index_path.exists():
            return {}
        lines = self._index_path.read_text(encoding="ascii").split("\n")[:-1]
        pairs = (line.split(" ") for line in lines)
        whole = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
        return {key: row for key, row in whole.items() if len(key) == 32 and row < len(self._file)}
