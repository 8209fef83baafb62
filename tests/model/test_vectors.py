"""The vector file: exact enough, crash-safe, and never mixed up."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from model.vectors import VectorFile, VectorFileError

Opener = Callable[..., VectorFile]


def unit(count: int, dim: int = 384, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens vector files and closes them after the test."""
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(VectorFile(*args))


def test_vectors_come_back_almost_exactly(tmp_path: Path, opened: Opener) -> None:
    vectors = unit(200)
    file = opened(tmp_path / "v", 384, "mini@1")
    assert file.append(vectors[:150]) == 0
    assert file.append(vectors[150:]) == 150
    assert len(file) == 200
    found = file.rows(np.arange(200))
    cosines = (found * vectors).sum(axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > 0.9999
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 0.01
    np.testing.assert_allclose(file.lengths(), np.linalg.norm(found, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(file.rows([7, 3]), found[[7, 3]])
    assert file.rows([]).shape == (0, 384)


def test_zero_stays_zero(tmp_path: Path, opened: Opener) -> None:
    file = opened(tmp_path / "v", 4, "m")
    file.append(np.zeros((1, 4), dtype=np.float32))
    np.testing.assert_array_equal(file.rows([0]), 0)


def test_a_second_opener_sees_the_rows_and_later_ones(tmp_path: Path, opened: Opener) -> None:
    first, second = opened(tmp_path / "v", 8, "m"), opened(tmp_path / "v", 8, "m")
    first.append(unit(3, 8))
    assert second.rows([2]).shape == (1, 8)
    assert second.append(unit(2, 8)) == 3
    assert first.rows([4]).shape == (1, 8)


@pytest.mark.parametrize("torn", [1, 5, 11])
def test_a_torn_row_is_ignored_and_overwritten(tmp_path: Path, opened: Opener, torn: int) -> None:
    path = tmp_path / "v"
    file = opened(path, 8, "m")
    file.append(unit(3, 8))
    with path.open("ab") as raw:
        raw.write(b"\x7f" * torn)
    file = opened(path, 8, "m")
    assert len(file) == 3
    assert file.append(unit(1, 8, seed=4)) == 3
    np.testing.assert_allclose(file.rows([3]), unit(1, 8, seed=4), atol=0.01)


def test_a_row_that_is_gone_is_an_error_not_garbage(tmp_path: Path, opened: Opener) -> None:
    file = opened(tmp_path / "v", 8, "m")
    file.append(unit(2, 8))
    for row in (2, -1):
        with pytest.raises(VectorFileError, match="no row"):
            file.rows([row])


@pytest.mark.parametrize(
    "content", [b"SQLite format 3\0" + b"x" * 400, b"short", b"triage-vectors 2" + bytes(112)]
)
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, opened: Opener, content: bytes) -> None:
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(VectorFileError, match="not a vector file"):
        opened(path, 8, "m")
    assert path.read_bytes() == content


@pytest.mark.parametrize(("dim", "encoder"), [(8, "other@2"), (16, "mini@1")])
def test_vectors_of_another_encoder_are_refused_by_name(
    tmp_path: Path, opened: Opener, dim: int, encoder: str
) -> None:
    """ML-15."""
    opened(tmp_path / "v", 8, "mini@1").append(unit(1, 8))
    with pytest.raises(VectorFileError, match="mini@1 with 8 values"):
        opened(tmp_path / "v", dim, encoder)


def test_vectors_of_another_length_are_refused(tmp_path: Path, opened: Opener) -> None:
    """ML-15."""
    with pytest.raises(ValueError, match="wanted"):
        opened(tmp_path / "v", 8, "m").append(unit(1, 9))


def _append_many(path: Path, value: float) -> None:
    with VectorFile(path, 8, "m") as file:
        for _ in range(20):
            file.append(np.full((7, 8), value, dtype=np.float32))


def test_writers_in_several_processes_never_mix_their_rows(tmp_path: Path, opened: Opener) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(tmp_path / "v", float(n))) for n in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    file = opened(tmp_path / "v", 8, "m")
    assert len(file) == 280
    blocks = file.rows(np.arange(280)).reshape(40, 7, 8)
    assert all(np.ptp(block) == 0 for block in blocks)
