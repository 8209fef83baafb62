"""The vector file: an append-only int8 matrix on disk, opened by mmap.

Owns the file form and its crash safety. Knows nothing of texts: a row number is all that the owner of
a vector stores. The file is a cache of the encoder's work; lost or refused, it is rebuilt by encoding.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.types import ModelError

_MAGIC = b"triage-vectors 1"
_HEADER = struct.Struct("<16sI108s")  # magic, dim, encoder id in UTF-8: 128 bytes
_BLOCK = 1024
"""Rows that are scored at a time: as many as stay in the processor's cache as floats."""
_FIX = "move it away; the vectors will be encoded again"


class VectorFileError(ModelError):
    """The file is not one of ours, or of another encoder; the message names the file and the way out."""


class VectorFile:
    """Rows of `dim` int8 values and a float32 scale, in the order in which they were appended.

    One int8 step is at most 1/127 of the row's largest value: the cosine between a MiniLM vector and
    its stored form is above 0.9999. An all-zero vector stays all-zero.

    Use it as a context manager. Any number of readers and writers may have the file open. A row is whole
    on disk before `append` returns its number; a row torn by a crash was never promised to anybody, and
    the next append overwrites it.

    Args:
        path: Created, with its header, if it does not exist.
        dim: Length of a vector.
        encoder: The encoder's id; vectors of different encoders never share a file.

    Raises:
        VectorFileError: The file exists and is no vector file, or of another encoder or dimension.
    """

    def __init__(self, path: Path, dim: int, encoder: str) -> None:
        self.path = path
        self.dim = dim
        self._record = np.dtype([("scale", "<f4"), ("values", "i1", (dim,))])
        name = encoder.encode()
        if len(name) > 108:
            raise VectorFileError(f"The encoder id {encoder!r} is longer than 108 bytes")
        header = _HEADER.pack(_MAGIC, dim, name)
        self._file = path.open("a+b", buffering=0)
        try:
            self._lock()
            try:
                size = os.fstat(self._file.fileno()).st_size
                if size < _HEADER.size and header.startswith(os.pread(self._file.fileno(), size, 0)):
                    os.ftruncate(self._file.fileno(), 0)  # new, or there was no room for the whole header
                    _write(self._file.fileno(), header)
                found = os.pread(self._file.fileno(), _HEADER.size, 0)
            finally:
                self._unlock()
            self._check(found, header)
        except BaseException:
            self._file.close()
            raise
        self._rows: NDArray[np.void] = np.empty(0, dtype=self._record)

    def __enter__(self) -> Self:
        """The file is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def __len__(self) -> int:
        """How many whole rows the file holds now."""
        return max(0, os.fstat(self._file.fileno()).st_size - _HEADER.size) // self._record.itemsize

    def append(self, vectors: NDArray[np.float32]) -> int:
        """Stores vectors, (n, dim), durably and in one piece.

        Returns:
            The row number of the first; the others follow without gaps.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise ValueError(f"vectors of shape {vectors.shape}, wanted (n, {self.dim})")
        records = np.empty(len(vectors), dtype=self._record)
        scale = np.abs(vectors).max(axis=1, initial=0.0) / 127
        records["scale"] = scale
        records["values"] = np.rint(vectors / np.where(scale, scale, 1)[:, None])
        descriptor = self._file.fileno()
        self._lock()
        try:
            first = len(self)
            os.ftruncate(descriptor, _HEADER.size + first * self._record.itemsize)
            _write(descriptor, records.tobytes())
            os.fsync(descriptor)
        finally:
            self._unlock()
        return first

    def rows(self, indices: Sequence[int] | NDArray[np.intp]) -> NDArray[np.float32]:
        """The vectors of these rows, float32 (n, dim).

        Raises:
            VectorFileError: A row is not in the file: it was cut off after its number was stored.
        """
        wanted = np.asarray(indices, dtype=np.intp)
        if wanted.size == 0:
            return np.zeros((0, self.dim), dtype=np.float32)
        if wanted.max() >= len(self._rows):
            self._look()
        if wanted.min() < 0 or wanted.max() >= len(self._rows):
            raise VectorFileError(f"{self.path} has no row {int(wanted.max())}; {_FIX}")
        records = self._rows[wanted]
        vectors: NDArray[np.float32] = records["values"].astype(np.float32)
        vectors *= records["scale"][:, None]
        return vectors

    def products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The dot product of every row with a vector, (dim,): exact, (len(self),), 300,000 rows in 40 ms."""
        self._look()
        block = np.empty((_BLOCK, self.dim), dtype=np.float32)
        out = np.empty(len(self._rows), dtype=np.float32)
        for start in range(0, len(self._rows), _BLOCK):
            values = self._rows["values"][start : start + _BLOCK]
            np.copyto(block[: len(values)], values, casting="unsafe")
            np.dot(block[: len(values)], vector, out=out[start : start + len(values)])
        out *= self._rows["scale"]
        return out

    def lengths(self) -> NDArray[np.float32]:
        """The Euclidean length of every row, (len(self),): a passage has a share of its window's vector."""
        self._look()
        out = np.empty(len(self._rows), dtype=np.float32)
        for start in range(0, len(self._rows), _BLOCK):
            values = self._rows["values"][start : start + _BLOCK].astype(np.float32)
            out[start : start + len(values)] = np.sqrt(np.einsum("ij,ij->i", values, values))
        out *= self._rows["scale"]
        return out

    def _look(self) -> None:
        """Maps the rows that were appended since the last look, by whomever."""
        if len(self) > len(self._rows):
            self._rows = np.memmap(
                self.path, dtype=self._record, mode="r", offset=_HEADER.size, shape=(len(self),)
            )

    def close(self) -> None:
        """Closes the file; arrays that `rows` returned stay valid."""
        self._rows = np.empty(0, dtype=self._record)
        self._file.close()

    def _check(self, found: bytes, header: bytes) -> None:
        if found == header:
            return
        if len(found) < _HEADER.size or not found.startswith(_MAGIC):
            raise VectorFileError(f"{self.path} is not a vector file; {_FIX}")
        _, dim, name = _HEADER.unpack(found)
        encoder = name.rstrip(b"\0").decode(errors="replace")
        raise VectorFileError(f"{self.path} holds vectors of {encoder} with {dim} values; {_FIX}")

    def _lock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _unlock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


def _write(descriptor: int, content: bytes) -> None:
    data = memoryview(content)
    while data:  # a raw write may be short
        data = data[os.write(descriptor, data) :]
