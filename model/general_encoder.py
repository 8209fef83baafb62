"""Windows to span vectors with any sentence-transformers folder: the adapter for other encoders.

Owns the way around what `model.bert_encoder` cannot run, such as a multilingual XLM-R or MPNet. Imported
by the encoding child only, and only for such a folder: `sentence_transformers` costs 6 s and 400 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from model.batches import CHARS_A_TOKEN, batches
from model.passages import estimate_tokens
from model.pooling import owners, pooled
from model.types import Window

BATCH_TOKENS = 4096
"""Estimated; past this size neither CPU nor memory traffic gains from a larger one."""


class GeneralEncoder:
    """Encodes windows with `sentence_transformers`.

    Where the folder pools token states by their mean, the spans of a window share its vector exactly, as
    with `BertEncoder`. Any other kind (first token, dense layers, prompts) gives no vector for a part of
    what it reads: there each span is encoded alone, and the vectors are scaled so that their sum has
    length one. They are then read without their neighbours, and every span has a window to itself.

    Args:
        folder: Verified by the caller; only its safetensors are read, and no code of its own is run.
        device: Where the network runs.
        dtype: Of its matrix products.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self._model = SentenceTransformer(
            str(folder),
            device=device.type,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        self._autocast = torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)
        self.pools_by_mean = _pools_by_mean(self._model)
        self._max_chars = CHARS_A_TOKEN * (self._model.max_seq_length or 0) or None
        self.dim = int(self._model.get_embedding_dimension() or 0)

    def encode(self, windows: Sequence[Window]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Batches of (numbers of windows, vectors of their spans (spans, dim) in the same order)."""
        limit = self._model.max_seq_length or BATCH_TOKENS
        sizes = [min(int(estimate_tokens(window.text)) + 2, limit) for window in windows]
        for batch in batches(sizes, BATCH_TOKENS):
            with self._autocast, torch.inference_mode():
                part = [windows[n] for n in batch]
                vectors = self._shared(part) if self.pools_by_mean else self._alone(part)
            yield batch, vectors.float().cpu().numpy()

    def _shared(self, windows: Sequence[Window]) -> torch.Tensor:
        """Each span's share of its window's vector."""
        texts = [window.text[: self._max_chars] for window in windows]
        states = self._model.encode(
            texts, batch_size=len(texts), output_value="token_embeddings", show_progress_bar=False
        )
        tokens = self._model.tokenizer(
            texts, truncation=True, max_length=self._model.max_seq_length, return_offsets_mapping=True
        )
        owner = [
            owners([_first_visible(window.text, *place) for place in places], window.parts)
            for window, places in zip(windows, tokens["offset_mapping"], strict=True)
        ]
        if [len(found) for found in owner] != [len(state) for state in states]:
            raise RuntimeError("the tokenizer and the network count tokens differently")
        return pooled(torch.cat(list(states)).float(), owner, [len(window.parts) for window in windows])

    def _alone(self, windows: Sequence[Window]) -> torch.Tensor:
        """Each span's own vector, over the length of the sum of those of its window."""
        parts = [(window, window.text[start:end]) for window in windows for start, end in window.parts]
        units = self._model.encode(
            [text[: self._max_chars] for _, text in parts],
            batch_size=len(parts),
            convert_to_tensor=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        ).float()
        blank = [bool(window.spans) and not text.strip() for window, text in parts]
        units = units.masked_fill(torch.tensor(blank, device=units.device)[:, None], 0)
        counts = [len(window.parts) for window in windows]
        return pooled(units, [np.arange(count) for count in counts], counts)


def _pools_by_mean(model: SentenceTransformer) -> bool:
    """Whether a sentence vector is the mean of token states that lie where the tokenizer says."""
    kinds = [type(module) for module in model]
    return (
        kinds in ([Transformer, Pooling], [Transformer, Pooling, Normalize])
        and model[1].pooling_mode == "mean"
        and model.default_prompt_name is None
        and bool(getattr(model.tokenizer, "is_fast", False))
        and model.tokenizer.padding_side == "right"
    )


def _first_visible(text: str, start: int, end: int) -> int:
    """Where a token begins without the white space that SentencePiece joins to the word after it."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip())
