"""The child process that encodes: the only place that imports torch and sentence-transformers.

Owns loading the weights and batching. Run as `python -P -m model.encode_child` by
`model.encoder.EncoderProcess`, which speaks to it in frames (`model.frames`) over stdin and stdout. It
ends when stdin closes or stdout breaks, so it never outlives its parent by more than one batch.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from model.frames import read_frame, write_frame
from model.passages import estimate_tokens

BATCH_TOKENS = 4096
"""Padded tokens a batch: past this size neither CPU nor memory traffic gains from a larger one."""

MAX_CHARS = 2400
"""Of one text; the window of 256 tokens ends long before, even in German."""


def batches(texts: Sequence[str], budget: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices of `texts` in batches of like length, longest first, so that little of a batch is padding.

    The longest come first so that running out of memory shows at once and the progress only speeds up.
    """
    sizes = [estimate_tokens(text) + 2 for text in texts]
    batch: list[int] = []
    longest = 0.0
    for index in sorted(range(len(texts)), key=lambda i: (-sizes[i], i)):
        longest = longest or sizes[index]
        if batch and (len(batch) + 1) * longest > budget:
            yield batch
            batch, longest = [], sizes[index]
        batch.append(index)
    if batch:
        yield batch


def has_native_bf16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; emulated, it is slower than fp32."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def load(path: str, threads: int | None) -> tuple[Any, Any]:
    """The model, in evaluation mode on the best device, and the autocast context to run it in."""
    import torch
    from sentence_transformers import SentenceTransformer

    if threads is not None:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = SentenceTransformer(
        path,
        device=device,
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
    native = torch.cuda.is_bf16_supported() if device == "cuda" else has_native_bf16()
    return model, torch.autocast(device, dtype=torch.bfloat16, enabled=native)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Loads what the first frame names, then answers every frame of texts with frames of vectors."""
    import numpy as np

    first = read_frame(requests)
    if first is None:
        return
    model, autocast = load(first[0]["path"], first[0]["threads"])
    write_frame(replies, {"dim": model.get_embedding_dimension()})
    while (frame := read_frame(requests)) is not None:
        texts = [text[:MAX_CHARS] for text in frame[0]["texts"]]
        for batch in batches(texts):
            with autocast:
                vectors = model.encode(
                    [texts[i] for i in batch],
                    batch_size=len(batch),
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            write_frame(replies, {"rows": batch}, np.ascontiguousarray(vectors, dtype="<f4").tobytes())


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
