"""A content-addressed cache of vectors on disk: no window is ever encoded twice.

Owns the mapping from the hash of a window to its rows in a `VectorFile`, one pair of files an encoder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.encoder import EncoderProcess, Progress, Weights
from model.types import Window
from model.vectors import VectorFile

CHUNK = 512
"""Windows encoded between two writes: an interrupted run loses at most so many."""

Encode = Callable[[Sequence[Window]], NDArray[np.float32]]
"""Windows to the vectors of their parts, float32 (parts of all windows, dim); `EncoderProcess.encode`."""


class CachedEncoder:
    """Encodes windows, remembering every vector in `folder`; the child starts with the first new one.

    Use it as a context manager.

    Args:
        folder: Created if needed.
        weights: From `model.encoder.find_weights`.
        on_progress: Called with (new windows done, new windows in all).
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
        self._last_row = self._read_index()

    def __enter__(self) -> CachedEncoder:
        """Nothing starts yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the child, if there is one, and closes the files."""
        self.close()

    def __call__(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Vectors of the parts of `windows`, float32 (parts, dim), in the rounded form that is stored.

        Raises:
            EncoderFailed: A new window cannot be encoded.
        """
        keys = [_key(window) for window in windows]
        new = {key: window for key, window in zip(keys, windows, strict=True) if key not in self._last_row}
        # By length, so that progress only ever speeds up.
        pending = sorted(new.items(), key=lambda pair: -len(pair[1].text))
        for start in range(0, len(pending), CHUNK):
            self._encode(dict(pending[start : start + CHUNK]))
            if self._progress is not None:
                self._progress(min(start + CHUNK, len(pending)), len(pending))
        ends = [self._last_row[key] + 1 for key in keys]
        counts = [len(window.parts) for window in windows]
        return self._file.rows(
            [n for end, count in zip(ends, counts, strict=True) for n in range(end - count, end)]
        )

    def close(self) -> None:
        """Ends the child, if there is one, and closes the files."""
        if self._child is not None:
            self._child.close()
        self._file.close()

    def _encode(self, windows: dict[str, Window]) -> None:
        if self._child is None:
            self._child = EncoderProcess(self.weights, threads=self._threads).__enter__()
        first = self._file.append(self._child.encode(list(windows.values())))
        last = first - 1 + np.cumsum([len(window.parts) for window in windows.values()])
        rows = dict(zip(windows, last.tolist(), strict=True))
        with self._index_path.open("a", encoding="ascii") as index:
            index.write("".join(f"{key} {row}\n" for key, row in rows.items()))
        self._last_row.update(rows)

    def _read_index(self) -> dict[str, int]:
        """Key -> its last row; lines torn by a crash and rows that never reached the disk are left out."""
        if not self._index_path.exists():
            return {}
        lines = self._index_path.read_text(encoding="ascii").split("\n")[:-1]
        pairs = (line.split(" ") for line in lines)
        whole = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
        return {key: row for key, row in whole.items() if len(key) == 32 and row < len(self._file)}


def _key(window: Window) -> str:
    """Of the text and, where there are any, its spans; a plain text keeps the hash of its characters."""
    digest = hashlib.sha256(window.text.encode("utf-8", "surrogatepass"))
    if window.spans:
        digest.update(f"\0{window.spans}".encode())
    return digest.hexdigest()[:32]
