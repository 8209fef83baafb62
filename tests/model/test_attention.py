"""Attention pooling against explicit loops, on numpy and on torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from model.attention import SelfAttentionPooling, attention_weights, cross_attention


@pytest.fixture
def rng() -> np.random.Generator:
    """Each test draws the same numbers in whatever order the tests run."""
    return np.random.default_rng(5)


def by_loops(
    parts: np.ndarray, mask: np.ndarray, query: np.ndarray, key: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The chain for one document, one part at a time."""
    queries = [query @ x for x in parts]
    keys = [key @ q for q in queries]
    values = [value @ k for k in keys]
    forces = [math.exp(float(q @ k)) * bool(m) for q, k, m in zip(queries, keys, mask, strict=True)]
    weights = np.array(forces) / sum(forces)
    return sum(w * v for w, v in zip(weights, values, strict=True)), weights  # type: ignore[return-value]


def test_a_sentence_of_nine_words_becomes_one_vector(rng: np.random.Generator) -> None:
    """Each word is a part with a vector; the sentence is the sum of the words' values by their weights."""
    sentence = ["the", "model", "reads", "every", "word", "but", "weighs", "only", "few"]
    assert len(sentence) == 9
    parts = rng.normal(size=(9, 4))
    maps = [rng.normal(size=(3, 4)), rng.normal(size=(3, 3)), rng.normal(size=(2, 3))]
    pooled, weights = SelfAttentionPooling(*maps)(parts[None], np.ones((1, 9), dtype=bool))
    expected, expected_weights = by_loops(parts, np.ones(9), *maps)
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights[0], expected_weights, rtol=1e-12)
    np.testing.assert_allclose(pooled[0], expected, rtol=1e-12)


def test_self_attention_in_a_batch_equals_the_loops(rng: np.random.Generator) -> None:
    parts = rng.normal(size=(5, 6, 4))
    mask = rng.random((5, 6)) < 0.6
    mask[:, 0] = True
    maps = [rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(3, 4))]
    pooled, weights = SelfAttentionPooling(*maps)(parts, mask)
    for row in range(5):
        expected, expected_weights = by_loops(parts[row], mask[row], *maps)
        np.testing.assert_allclose(weights[row], expected_weights, rtol=1e-10)
        np.testing.assert_allclose(pooled[row], expected, rtol=1e-10)


def test_cross_attention_with_heads_equals_the_loops(rng: np.random.Generator) -> None:
    b, q, t, d, d_v, heads = 2, 3, 5, 6, 4, 2
    queries, keys = rng.normal(size=(b, q, d)), rng.normal(size=(b, t, d))
    values, mask = rng.normal(size=(b, t, d_v)), np.ones((b, t), dtype=bool)
    mask[1, 3:] = False
    pooled, weights = cross_attention(queries, keys, values, mask, heads=heads)
    for i in range(b):
        for h in range(heads):
            for j in range(q):
                part, part_v = slice(h * 3, h * 3 + 3), slice(h * 2, h * 2 + 2)
                scores = [float(queries[i, j, part] @ k[part]) / math.sqrt(3) for k in keys[i]]
                forces = [math.exp(s) * bool(m) for s, m in zip(scores, mask[i], strict=True)]
                expected = np.array(forces) / sum(forces)
                np.testing.assert_allclose(weights[i, h, j], expected, rtol=1e-10)
                np.testing.assert_allclose(
                    pooled[i, j, part_v],
                    sum(w * v[part_v] for w, v in zip(expected, values[i], strict=True)),
                    rtol=1e-10,
                )


def test_sharpness_goes_from_the_mean_to_the_best_passage(rng: np.random.Generator) -> None:
    queries, keys, values = rng.normal(size=(1, 1, 4)), rng.normal(size=(1, 7, 4)), rng.normal(size=(1, 7, 3))
    mask = np.ones((1, 7), dtype=bool)
    mean, _ = cross_attention(queries, keys, values, mask, sharpness=0)
    best, _ = cross_attention(queries, keys, values, mask, sharpness=1e4)
    np.testing.assert_allclose(mean[0, 0], values[0].mean(axis=0))
    np.testing.assert_allclose(best[0, 0], values[0, int((keys[0] @ queries[0, 0]).argmax())])


def test_the_order_of_the_parts_changes_nothing(rng: np.random.Generator) -> None:
    parts, mask = rng.normal(size=(1, 6, 4)), np.array([[True, True, False, True, True, False]])
    layer = SelfAttentionPooling(*[rng.normal(size=(4, 4)) for _ in range(3)])
    order = rng.permutation(6)
    pooled, weights = layer(parts, mask)
    again, moved = layer(parts[:, order], mask[:, order])
    np.testing.assert_allclose(again, pooled, rtol=1e-12)
    np.testing.assert_allclose(moved, weights[:, order], rtol=1e-12)


def test_masked_parts_have_no_say_and_no_parts_give_zero(rng: np.random.Generator) -> None:
    parts, mask = rng.normal(size=(2, 3, 4)), np.array([[True, True, False], [False, False, False]])
    layer = SelfAttentionPooling(*[rng.normal(size=(4, 4)) for _ in range(3)])
    pooled, weights = layer(parts, mask)
    parts[0, 2] = 1e6
    with np.errstate(over="ignore"):
        again, _ = layer(parts, mask)
    np.testing.assert_array_equal(again, pooled)
    np.testing.assert_array_equal(weights[1], 0)
    np.testing.assert_array_equal(pooled[1], 0)
    assert weights[0].sum() == pytest.approx(1)


def test_huge_scores_do_not_overflow() -> None:
    weights = attention_weights(np.array([[1e4, 1e4 - 1, -1e4]]), np.ones((1, 3), dtype=bool))
    np.testing.assert_allclose(weights, [[0.731058, 0.268941, 0]], atol=1e-5)


@pytest.mark.slow
def test_on_torch_it_computes_the_same_and_is_differentiable(rng: np.random.Generator) -> None:
    torch: Any = pytest.importorskip("torch")
    maps = [rng.normal(size=(3, 4)), rng.normal(size=(3, 3)), rng.normal(size=(2, 3))]
    parts, mask = rng.normal(size=(2, 5, 4)), np.array([[True] * 5, [True, False, True, True, False]])
    tensors = [torch.tensor(a, requires_grad=True) for a in (parts, *maps)]
    visible = torch.tensor(mask)

    def pooled(x: Any, *weights: Any) -> Any:
        return SelfAttentionPooling(*weights)(x, visible)[0]

    expected = SelfAttentionPooling(*maps)(parts, mask)[0]
    np.testing.assert_allclose(pooled(*tensors).detach().numpy(), expected, rtol=1e-10)
    assert torch.autograd.gradcheck(pooled, tensors)

    queries, keys, values = (rng.normal(size=(2, n, 4)) for n in (3, 5, 5))
    crossed = [torch.tensor(a, requires_grad=True) for a in (queries, keys, values)]

    def attended(*arrays: Any) -> Any:
        return cross_attention(*arrays, visible, heads=2)[0]

    expected = cross_attention(queries, keys, values, mask, heads=2)[0]
    np.testing.assert_allclose(attended(*crossed).detach().numpy(), expected, rtol=1e-10)
    assert torch.autograd.gradcheck(attended, crossed)


@pytest.mark.slow
def test_gradients_stay_finite_where_everything_is_masked() -> None:
    torch: Any = pytest.importorskip("torch")
    scores = torch.tensor([[1.0, 2.0]], requires_grad=True)
    attention_weights(scores, torch.tensor([[False, False]])).sum().backward()
    assert torch.isfinite(scores.grad).all()
