"""The child process that encodes; it and the modules that it loads are the only ones to import torch.

Owns the choice of the encoder and of its arithmetic, and the conversation. Run as
`python -P -m model.encode_child` by `model.encoder.EncoderProcess`, which speaks to it in frames
(`model.frames`) over stdin and stdout. It ends when stdin closes or stdout breaks, so it never outlives
its parent by more than one batch.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from model.frames import read_frame, write_frame
from model.types import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder(Protocol):
    """What answers a request."""

    dim: int

    def encode(self, windows: Sequence[Window]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Batches of (numbers of windows, vectors of their spans (spans, dim) in the same order)."""
        ...


def has_native_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; emulated, it is slower than fp32."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def load(folder: Path, threads: int | None) -> Encoder:
    """The encoder of a folder on the best device, in the fastest arithmetic that device has for itself."""
    import torch

    from model.bert_encoder import BertEncoder, is_plain_bert

    if threads is not None:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    native = (
        torch.cuda.is_bf16_supported(including_emulation=False)
        if device.type == "cuda"
        else has_native_bf16()
    )
    dtype = torch.bfloat16 if native else torch.float32
    if is_plain_bert(folder):
        return BertEncoder(folder, device, dtype)
    from model.general_encoder import GeneralEncoder

    return GeneralEncoder(folder, device, dtype)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Loads what the first frame names, then answers every frame of windows with frames of vectors."""
    first = read_frame(requests)
    if first is None:
        return
    gc.disable()  # importing makes no garbage, and looking for it takes a tenth of the start
    encoder = load(Path(first[0]["path"]), first[0]["threads"])
    gc.enable()
    write_frame(replies, {"dim": encoder.dim})
    while (frame := read_frame(requests)) is not None:
        for numbers, vectors in encoder.encode(_windows(frame[0])):
            write_frame(replies, {"windows": numbers}, vectors.astype("<f4").tobytes())


def _windows(request: dict[str, Any]) -> list[Window]:
    # Half a surrogate pair has no UTF-8; "?" is as long, so that spans stay where they are.
    texts = [text.encode("utf-8", "replace").decode() for text in request["texts"]]
    spans = [tuple((start, end) for start, end in pairs) for pairs in request["spans"]]
    return [Window(text, pairs) for text, pairs in zip(texts, spans, strict=True)]


def main() -> None:
    """Serves the parent until it is done; an error that can be told goes back as a frame."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the frames
    with contextlib.suppress(BrokenPipeError):
        try:
            serve(sys.stdin.buffer, replies)
        except (MemoryError, OSError, RuntimeError, ValueError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            kind = "memory" if isinstance(error, MemoryError) or "memory" in str(error) else "failed"
            write_frame(replies, {"error": kind, "message": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
