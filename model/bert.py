"""The BERT encoder in plain torch: what the network of a MiniLM computes, and nothing beside.

Owns reading a verified folder's weights and the forward pass. Knows no text, no span and no process.
Imported by the encoding child only: `transformers` computes the same, at three times the start-up cost
and with attention over padding.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019); in each layer, with LN
for layer normalisation and W, b of its own for every linear map:

    a = softmax(Q K' / sqrt(d)) V      for each head, Q, K, V = x W + b cut into heads of width d
    x = LN(x + a W + b)
    x = LN(x + gelu(x W + b) W + b)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional

Linear = tuple[torch.Tensor, torch.Tensor]
"""Weight (out, in) and bias (out,), in the type of the arithmetic."""
Norm = tuple[torch.Tensor, torch.Tensor]
"""Weight and bias, (dim,), float32."""
Run = tuple[int, int, int]
"""`count` sequences of `length` tokens each, from token `start` on: (start, count, length)."""

# What the configuration must say, where it says anything: the forward pass below knows nothing else.
_REQUIRED = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
# For masked language models and classifiers; no sentence vector depends on them.
_UNUSED = ("pooler.", "embeddings.position_ids", "cls.")


class UnknownNetwork(ValueError):
    """The folder holds a network that this module does not compute; the message names the difference."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer; `qkv` is the maps to queries, keys and values in one, (3 dim, dim)."""

    qkv: Linear
    out: Linear
    attention_norm: Norm
    up: Linear
    down: Linear
    norm: Norm


class Bert:
    """The network with its weights, for inference only.

    Args:
        config: The contents of config.json.
        weights: Name -> tensor, as in model.safetensors; used up.
        device: Where the arithmetic happens.
        dtype: Of the matrix products; sums, norms and what passes between layers stay float32.

    Raises:
        UnknownNetwork: `config` or `weights` ask for something else than the above.
    """

    def __init__(
        self,
        config: dict[str, Any],
        weights: dict[str, torch.Tensor],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        for key, required in _REQUIRED.items():
            if config.get(key, required) != required:
                raise UnknownNetwork(f"{key} is {config[key]!r} and not {required!r}")
        self._activation = _activation(config["hidden_act"])
        self._eps = float(config["layer_norm_eps"])
        self._heads = int(config["num_attention_heads"])
        self.dim = int(config["hidden_size"])
        self.max_tokens = int(config["max_position_embeddings"])
        if self.dim % self._heads:
            raise UnknownNetwork(f"{self._heads} heads do not divide a width of {self.dim}")
        self._dtype = dtype

        def take(name: str, *shape: int) -> torch.Tensor:
            tensor = weights.pop(name, None)
            if tensor is None or tensor.shape != shape:
                found = "missing" if tensor is None else f"of shape {tuple(tensor.shape)}"
                raise UnknownNetwork(f"weight {name} is {found}, wanted {shape}")
            return tensor.to(device, torch.float32)

        def linear(name: str, out: int, size: int) -> Linear:
            return take(f"{name}.weight", out, size).to(dtype), take(f"{name}.bias", out).to(dtype)

        def norm(name: str) -> Norm:
            return take(f"{name}.weight", dim), take(f"{name}.bias", dim)

        dim, inner = self.dim, int(config["intermediate_size"])
        self._words = take("embeddings.word_embeddings.weight", int(config["vocab_size"]), dim)
        kinds = take("embeddings.token_type_embeddings.weight", int(config["type_vocab_size"]), dim)
        # One text a sequence: every token is of kind 0.
        self._places = take("embeddings.position_embeddings.weight", self.max_tokens, dim) + kinds[0]
        self._norm = norm("embeddings.LayerNorm")
        self._layers = []
        for number in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{number}"
            parts = [linear(f"{at}.attention.self.{part}", dim, dim) for part in ("query", "key", "value")]
            self._layers.append(
                Layer(
                    qkv=(torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])),
                    out=linear(f"{at}.attention.output.dense", dim, dim),
                    attention_norm=norm(f"{at}.attention.output.LayerNorm"),
                    up=linear(f"{at}.intermediate.dense", inner, dim),
                    down=linear(f"{at}.output.dense", dim, inner),
                    norm=norm(f"{at}.output.LayerNorm"),
                )
            )
        if left := sorted(name for name in weights if not name.startswith(_UNUSED)):
            raise UnknownNetwork(f"weights that no layer asks for: {', '.join(left[:3])}")

    @classmethod
    def load(cls, folder: Path, *, device: torch.device, dtype: torch.dtype) -> Self:
        """The network of a folder with config.json and model.safetensors.

        Raises:
            UnknownNetwork: It is another network than this module computes, or no readable one.
        """
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return cls(config, load_file(folder / "model.safetensors"), device=device, dtype=dtype)
        except (SafetensorError, LookupError, TypeError) as error:
            raise UnknownNetwork(f"{folder}: {error!r}") from error

    def __call__(self, ids: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """The last hidden state of every token.

        The sequences lie one after the other, without padding: linear maps see all tokens as one long
        list, attention sees sequences of equal length as one batch.

        Args:
            ids: Token numbers of all sequences in turn, int64 (tokens,).
            lengths: Of each sequence, at most `max_tokens`; equal ones side by side run fastest.

        Returns:
            float32, (tokens, dim).
        """
        places = torch.cat([torch.arange(length) for length in lengths]).to(ids.device)  # (tokens,)
        x = self._normalise(
            functional.embedding(ids, self._words) + functional.embedding(places, self._places), self._norm
        )
        runs = _runs(lengths)
        for layer in self._layers:
            x = self._layer(x, layer, runs)  # (tokens, dim)
        return x

    def _layer(self, x: torch.Tensor, layer: Layer, runs: Sequence[Run]) -> torch.Tensor:
        qkv = functional.linear(x.to(self._dtype), *layer.qkv)  # (tokens, 3 dim)
        mixed = functional.linear(self._attend(qkv, runs), *layer.out)  # (tokens, dim)
        x = self._normalise(x + mixed, layer.attention_norm)
        inner = self._activation(functional.linear(x.to(self._dtype), *layer.up))  # (tokens, inner)
        return self._normalise(x + functional.linear(inner, *layer.down), layer.norm)

    def _attend(self, qkv: torch.Tensor, runs: Sequence[Run]) -> torch.Tensor:
        """Each token's mixture of the values of its own sequence, (tokens, dim), heads side by side."""
        mixed = qkv.new_empty(len(qkv), self.dim)
        for start, count, length in runs:
            part = slice(start, start + count * length)
            split = qkv[part].view(count, length, 3, self._heads, -1)
            query, key, value = split.permute(2, 0, 3, 1, 4)  # (count, heads, length, dim / heads) each
            found = functional.scaled_dot_product_attention(query, key, value)
            mixed[part] = found.transpose(1, 2).reshape(-1, self.dim)
        return mixed

    def _normalise(self, x: torch.Tensor, norm: Norm) -> torch.Tensor:
        return functional.layer_norm(x, (self.dim,), *norm, eps=self._eps)


def _runs(lengths: Sequence[int]) -> list[Run]:
    runs = []
    start = 0
    for length, group in groupby(lengths):
        count = sum(1 for _ in group)
        runs.append((start, count, length))
        start += count * length
    return runs


def _activation(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    if name == "gelu":
        return functional.gelu
    if name in ("gelu_new", "gelu_pytorch_tanh"):
        return lambda x: functional.gelu(x, approximate="tanh")
    if name == "relu":
        return functional.relu
    raise UnknownNetwork(f"hidden_act is {name!r}")
