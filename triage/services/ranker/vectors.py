"""The reader's passage vectors: which windows have theirs, and encoding those that do not.

Owns the tie between rows of the database and rows of the matrix file, and the decision whether there is
an encoder at all. Runs in the model worker only: it needs numpy.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.encoder import EncoderFailed, EncoderProcess, Weights, find_weights
from model.types import EncoderUnavailable, Window
from model.vectors import VectorFile
from triage.config import Config
from triage.core.crash import crash_point
from triage.paths import Paths
from triage.store import passages
from triage.store.engine import Database

log = logging.getLogger(__name__)

WORDS_ONLY = "words"
"""Stands for the encoder where there is none."""

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, how much there is)."""


def vector_keys(window: Window) -> list[bytes]:
    """The keys of the vectors of a window's parts.

    Equal windows are encoded once, wherever they occur; a part read together with other words has another
    vector, so it has another key.
    """
    digest = hashlib.sha256(window.text.encode("utf-8", "surrogatepass"))
    keys = []
    for number in range(len(window.parts)):
        part = digest.copy()
        part.update(f"\0{window.spans} {number}".encode())
        keys.append(part.digest()[:16])
    return keys


class Vectors:
    """The vectors of one encoder; `weights` is None when there is none, and `problem` says why."""

    def __init__(self, database: Database, paths: Paths, config: Config, on_progress: Progress) -> None:
        self._on_progress = on_progress
        self._database = database
        self._folder = paths.vectors
        self._threads = config.model.threads or None
        self._process: EncoderProcess | None = None
        self._file: VectorFile | None = None
        self.weights: Weights | None = None
        self.problem: str | None = None
        try:
            configured = Path(config.model.encoder).expanduser() if config.model.encoder else None
            self.weights = find_weights(configured)
        except EncoderUnavailable as error:
            self.problem = str(error)
            log.warning("ranking by words only: %s", error)
        if self.weights is not None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            path = self._folder / f"{self.weights.id.replace('/', '_')}.vectors"
            self._file = VectorFile(path, self.weights.dim, self.weights.id)
            path.chmod(0o600)
            with database.write() as connection:
                lost = passages.forget_vectors(connection, self.weights.id, len(self._file))
            if lost:
                log.warning("%s lost %d vectors; they are encoded again", path, lost)

    @property
    def encoder(self) -> str | None:
        """The encoder's id, or None."""
        return None if self.weights is None else self.weights.id

    @property
    def name(self) -> str:
        """The encoder's id, or what stands for it in what is stored."""
        return self.encoder or WORDS_ONLY

    def rows(self, rows: Sequence[int | None]) -> NDArray[np.float32]:
        """Vectors by row number, (n, dim); None gives zeros."""
        assert self._file is not None
        known = [n for n, row in enumerate(rows) if row is not None]
        out = np.zeros((len(rows), self._file.dim), dtype=np.float32)
        out[known] = self._file.rows([row for row in rows if row is not None])
        return out

    def ids(
        self, windows: Sequence[Window], on_progress: Callable[[int, int], None] | None = None
    ) -> list[int]:
        """The id of the vector of each part of each window; windows never seen are encoded first.

        The encoder is started when it is needed and runs until `release`.
        """
        assert self.weights is not None
        assert self._file is not None
        keys = [tuple(vector_keys(window)) for window in windows]
        wanted = [key for of_window in keys for key in of_window]
        with self._database.read() as connection:
            known = passages.vector_ids(connection, self.weights.id, list(dict.fromkeys(wanted)))
        missing = {
            of_window: window
            for of_window, window in zip(keys, windows, strict=True)
            if not known.keys() >= set(of_window)
        }
        if missing:
            if self._process is None:
                self._on_progress("starting the encoder", 0, 1)
                self._process = EncoderProcess(self.weights, threads=self._threads).__enter__()
            try:
                vectors = self._process.encode(list(missing.values()), on_progress)
            except EncoderFailed:
                self.release()  # the next request starts another
                raise
            new = [key for of_window in missing for key in of_window]
            with self._appending(), self._database.write() as connection:
                first = self._file.append(vectors)
                crash_point("vectors:appended")
                known |= passages.add_vectors(connection, self.weights.id, new, first)
        return [known[key] for key in wanted]

    def phrase_vectors(self, phrases: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Phrase -> vector (dim,); empty without an encoder."""
        if self.weights is None or not phrases:
            return {}
        ids = self.ids([Window(phrase) for phrase in phrases])
        with self._database.read() as connection:
            row_of = passages.vector_rows(connection, ids)
        vectors = self.rows([row_of[i] for i in ids])
        return dict(zip(phrases, vectors, strict=True))

    def nearness(self, texts: Sequence[str], phrases: Sequence[str]) -> list[list[float]] | None:
        """Cosines of texts and phrases, a row a text; None without an encoder."""
        if self.weights is None:
            return None
        found = self.phrase_vectors([*texts, *phrases])
        return [[float(found[text] @ found[phrase]) for phrase in phrases] for text in texts]

    def products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The dot product of every row of the matrix file with a vector, (rows,)."""
        assert self._file is not None
        return self._file.products(vector)

    def lengths(self) -> NDArray[np.float32]:
        """The length of every row of the matrix file, (rows,)."""
        assert self._file is not None
        return self._file.lengths()

    def release(self) -> None:
        """Ends the encoder, whose memory goes back to the system."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def close(self) -> None:
        """Ends the encoder and closes the file."""
        self.release()
        if self._file is not None:
            self._file.close()

    @contextmanager
    def _appending(self) -> Iterator[None]:
        # Row numbers are promised in the database after they were written to the file: a crash in between
        # leaves rows that nobody knows, never a promise without a row.
        path = self._folder / "append.lock"
        path.touch(mode=0o600)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
