"""Windows to span vectors with our own BERT: tokenise, pack, run, pool.

Owns batching and the choice of what `model.bert` is given. Imported by the encoding child only.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from model.batches import CHARS_A_TOKEN, batches
from model.bert import Bert
from model.pooling import owners, pooled
from model.types import Window

CPU_TOKENS = 2048
"""Of a batch: what a layer writes then stays in the cache; at 8192 fp32 is 15 % slower, below 1024 5 %."""
CUDA_TOKENS = 65536
CHUNK_CHARS = 1 << 19
"""Tokenised at a time, while the chunk before runs through the network: about 0.2 s of work, 20 MB."""


def is_plain_bert(folder: Path) -> bool:
    """Whether a sentence-transformers folder is BERT with mean pooling and nothing else that matters."""
    try:
        listed = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        modules = [module["type"].rpartition(".")[2] for module in listed]
        pooling = _read_if_there(folder / listed[1]["path"] / "config.json")
        kind = _read_if_there(folder / "config.json").get("model_type")
        extras = _read_if_there(folder / "config_sentence_transformers.json")
        lowers = _read_if_there(folder / "sentence_bert_config.json").get("do_lower_case", False)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # sentence-transformers knows older forms of folders, and says what is wrong with one
    # `pooling_mode_mean_tokens: true` in folders of before 2026, `pooling_mode: mean` since.
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value}
    modes |= {pooling["pooling_mode"]} if "pooling_mode" in pooling else set()
    return (
        kind == "bert"
        and listed[0]["path"] == ""
        and modules in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and modes in ({"pooling_mode_mean_tokens"}, {"mean"})
        and extras.get("default_prompt_name") is None
        and not lowers
        and (folder / "tokenizer.json").exists()
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """One window as the network reads it."""

    window: int
    """Its number in the request."""
    ids: NDArray[np.int64]
    owner: NDArray[np.intp]
    """The span of each token."""
    spans: int


class BertEncoder:
    """Encodes windows with the network of a folder that `is_plain_bert`.

    Args:
        folder: Verified by the caller.
        device: Where the network runs.
        dtype: Of its matrix products.

    Raises:
        UnknownNetwork: See `Bert`.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self._bert = Bert.load(folder, device=device, dtype=dtype)
        self._device = device
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._max_tokens = min(_max_tokens(folder), self._bert.max_tokens)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._max_tokens)
        self.dim = self._bert.dim

    def encode(self, windows: Sequence[Window]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Batches of (numbers of windows, vectors of their spans (spans, dim) in the same order)."""
        budget = CUDA_TOKENS if self._device.type == "cuda" else CPU_TOKENS
        for chunk in self._tokenised(windows):
            for batch in batches([len(tokens.ids) for tokens in chunk], budget):
                part = [chunk[n] for n in batch]
                yield [tokens.window for tokens in part], self._vectors(part)

    def _tokenised(self, windows: Sequence[Window]) -> Iterator[list[Tokens]]:
        """Tokens of all windows, by chunks, longest texts first.

        A second thread is always one chunk ahead: tokenising is 1 % of the time on a CPU, but would leave
        a GPU waiting.
        """
        limit = self._max_tokens * CHARS_A_TOKEN
        sizes = [min(len(window.text), limit) + 1 for window in windows]
        with ThreadPoolExecutor(1) as thread:
            coming: deque[Future[list[Tokens]]] = deque()
            for chunk in batches(sizes, CHUNK_CHARS):
                coming.append(thread.submit(self._tokenise, windows, chunk, limit))
                if len(coming) > 1:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def _tokenise(self, windows: Sequence[Window], chunk: Sequence[int], limit: int) -> list[Tokens]:
        texts = [windows[n].text[:limit] for n in chunk]
        tokens = []
        for number, encoding in zip(chunk, self._tokenizer.encode_batch(texts), strict=True):
            parts = windows[number].parts
            # Offsets cost more than the tokens themselves, and plain encoding has no use for them.
            starts = [start for start, _ in encoding.offsets] if len(parts) > 1 else [0] * len(encoding)
            ids = np.array(encoding.ids, dtype=np.int64)
            tokens.append(Tokens(number, ids, owners(starts, parts), len(parts)))
        return tokens

    @torch.inference_mode()
    def _vectors(self, batch: Sequence[Tokens]) -> NDArray[np.float32]:
        ids = torch.from_numpy(np.concatenate([tokens.ids for tokens in batch])).to(self._device)
        states = self._bert(ids, [len(tokens.ids) for tokens in batch])  # (tokens, dim)
        vectors = pooled(states, [tokens.owner for tokens in batch], [tokens.spans for tokens in batch])
        return vectors.cpu().numpy()


def _max_tokens(folder: Path) -> int:
    """The window of a folder in tokens, [CLS] and [SEP] among them, as sentence-transformers reads it."""
    chosen = _read_if_there(folder / "sentence_bert_config.json").get("max_seq_length")
    if chosen is None:
        chosen = _read_if_there(folder / "tokenizer_config.json").get("model_max_length")
    return sys.maxsize if chosen is None else int(chosen)


def _read_if_there(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
