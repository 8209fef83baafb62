"""The adapter for other encoders, with small multilingual networks of random weights."""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from model.encode_child import has_native_bf16
from model.encoder import EncoderProcess, find_weights
from model.types import Window

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# sentence_transformers and transformers take 9 s to import and warn of each other.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TEXTS = ("Katzen schlafen. Zinsen steigen.", "注意力机制 决定哪些部分重要", "", "x", "a word " * 80)
ENGLISH_AND_MORE = 60_001
"""Words in the vocabulary; from 60,000 on an encoder counts as multilingual."""


def build(folder: Path, pooling: Literal["mean", "cls"]) -> SentenceTransformer:
    """An XLM-R of two narrow layers with a vocabulary of characters and a SentencePiece-like tokenizer."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    letters = ["▁", *string.ascii_letters, ".", *sorted(set(TEXTS[1]) - {" "}), "▁word", "en"]
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((c, -9.0) for c in letters)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=64,
    ).save_pretrained(folder / "transformer")
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=ENGLISH_AND_MORE,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=70,
        initializer_range=0.5,
    )
    XLMRobertaModel(config).save_pretrained(folder / "transformer")
    model = SentenceTransformer(
        modules=[Transformer(str(folder / "transformer")), Pooling(16, pooling), Normalize()], device="cpu"
    )
    model.save(str(folder / "encoder"))
    return model


def test_spans_share_the_vector_of_a_multilingual_encoder_that_pools_by_mean(tmp_path: Path) -> None:
    plain = build(tmp_path, "mean")
    weights = find_weights(tmp_path / "encoder")
    assert weights.reads(TEXTS[1])
    words = [[(0, 6), (7, 17), (17, 32)], [(0, 5), (6, 14)], [], [], [(0, 50), (50, 400), (400, 560)]]
    windows = [Window(text, tuple(spans)) for text, spans in zip(TEXTS, words, strict=True)]
    with EncoderProcess(weights, threads=1) as process:
        wholes = process.encode([Window(text) for text in TEXTS])
        parts = process.encode(windows)
    expected = plain.encode(list(TEXTS), normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_array_less(0.99999, (wholes * expected).sum(axis=1))
    ends = np.cumsum([len(window.parts) for window in windows])[:-1]
    shares = np.split(parts, ends)
    np.testing.assert_allclose([share.sum(axis=0) for share in shares], wholes, atol=1e-5)
    assert not shares[4][2].any(), "beyond the window of 64 tokens"
    # By hand: the tokens of "▁schlafen" begin with its "s", not with the blank before it.
    state = plain.encode(TEXTS[0], output_value="token_embeddings", show_progress_bar=False).numpy()
    pieces = plain.tokenizer.tokenize(TEXTS[0])
    second = 1 + next(n for n, piece in enumerate(pieces) if n and piece.startswith("▁"))
    third = second + next(n for n, piece in enumerate(pieces[second:]) if piece.startswith("▁"))
    length = np.linalg.norm(state.sum(axis=0))
    exact = 2e-3 if has_native_bf16() else 1e-5  # the child's arithmetic; the largest of these numbers is .1
    np.testing.assert_allclose(shares[0][0], state[:second].sum(axis=0) / length, atol=exact)
    np.testing.assert_allclose(shares[0][1], state[second : third + 1].sum(axis=0) / length, atol=exact)


def test_spans_are_encoded_alone_where_an_encoder_pools_otherwise(tmp_path: Path) -> None:
    import torch

    from model.general_encoder import GeneralEncoder

    plain = build(tmp_path, "cls")
    encoder = GeneralEncoder(tmp_path / "encoder", torch.device("cpu"), torch.float32)
    assert not encoder.pools_by_mean
    window = Window(TEXTS[0], ((0, 16), (16, 17), (17, 32)))
    ((numbers, vectors),) = encoder.encode([window, Window("")])
    assert numbers == [0, 1]
    np.testing.assert_allclose(np.linalg.norm(vectors[:3].sum(axis=0)), 1, atol=1e-5)
    assert not vectors[1].any(), "a blank says nothing"
    first, last, empty = plain.encode(
        [TEXTS[0][:16], TEXTS[0][17:], ""], normalize_embeddings=True, show_progress_bar=False
    )
    np.testing.assert_allclose(
        vectors[[0, 2]], np.array([first, last]) / np.linalg.norm(first + last), atol=1e-5
    )
    np.testing.assert_allclose(vectors[3], empty, atol=1e-5)
