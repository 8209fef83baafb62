"""The scale that experts share, and how much each counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.mixture import CAP, Scale, echo_share, scale_of, squash, strengths

WANTED = np.array([True, True, True, False, False, False])


def test_strengths_follow_the_formula() -> None:
    unseen = np.array([[1.0, -1], [1, -1], [1, -1], [-1, 1], [-1, 1], [-1, 1]])
    gap = 2 * CAP * np.tanh(1 / CAP)
    expected = [(4 * 1.0 + 1.5 * gap) / 5.5, (4 * 3.0 + 1.5 * 0) / 5.5]
    np.testing.assert_allclose(strengths([1.0, 3.0], unseen, WANTED, 4.0), expected)


def test_labels_of_one_kind_say_nothing_about_experts() -> None:
    unseen = np.ones((3, 1))
    assert strengths([2.0], unseen, np.array([True, True, True]), 4.0).tolist() == [2.0]


def test_no_expert_counts_against_its_direction_or_is_lost() -> None:
    against = np.where(WANTED, -3.0, 3.0)[:, None]
    assert 0 < strengths([1.0], against, WANTED, 4.0)[0] < 1
    many = np.tile(against, (100, 1))
    assert 0 < strengths([1.0], many, np.tile(WANTED, 100), 4.0)[0] < 0.1


def test_the_better_of_two_experts_ends_up_stronger() -> None:
    rng = np.random.default_rng(4)
    wanted = rng.random(200) < 0.5
    good, poor = rng.normal(size=200) + 2 * wanted, rng.normal(size=200) + 0.2 * wanted
    found = strengths([1.0, 1.0], np.stack([good, poor], axis=1), wanted, 4.0)
    assert found[0] > 1.5 > 0.6 > found[1]


def test_scale_is_measured_where_nobody_labelled() -> None:
    raw = np.array([0.0, 2.0, 100.0, 50.0])
    usable = np.array([True, True, True, False])
    assert scale_of(raw, usable, np.array([2])) == (1.0, 1.0)
    assert scale_of(raw, np.zeros(4, dtype=bool), np.array([2])) == (0.0, 0.0)
    assert scale_of(np.zeros(4), usable, np.array([], dtype=int)) == (0.0, 1 / 0.02)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_squash_keeps_the_order_and_the_bound(values: list[float]) -> None:
    found = squash(np.sort(np.array(values)))
    assert (np.diff(found) >= 0).all()
    assert (np.abs(found) <= CAP).all()
    small = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(squash(small), small, atol=0.01)


@pytest.mark.parametrize("raw", [-40.0, -0.3, 0.0, 0.7, 12.0])
def test_parts_add_up_to_the_share(raw: float) -> None:
    scale = Scale(mean=0.2, factor=3.0, strength=1.5)
    parts, weights = np.array([0.25, 0.75]) * raw, np.array([0.4, 0.6])
    shares = scale.slope(raw) * (parts - scale.mean * weights)
    assert shares.sum() == pytest.approx(float(scale(np.array([raw]))[0]))


def test_what_is_not_known_has_no_share() -> None:
    scale = Scale(mean=0.2, factor=3.0, strength=1.5)
    np.testing.assert_array_equal(scale(np.array([0.0, 0.0]), np.array([0.0, 1.0]))[0], 0.0)


def test_the_share_of_an_echo_follows_the_formula() -> None:
    own, echo, r = np.where(WANTED, 1.0, -1.0), np.where(WANTED, 0.9, -0.9), 0.6
    d, e = (2 * CAP * np.tanh(x / CAP) for x in (1.0, 0.9))
    worth = [(a - r * b) / (1 - r * r) for a, b in ((d, e), (e, d))]
    expected = (4 * 0.5 + 1.5 * worth[1]) / (4 + 1.5 * worth[0])
    assert echo_share(0.5, own, echo, r, WANTED, 4.0) == pytest.approx(expected)


def test_an_echo_that_only_repeats_fades_and_one_that_knows_more_never_outweighs_its_source() -> None:
    many = np.tile(WANTED, 50)
    own = np.where(many, 2.0, -2.0)
    assert echo_share(0.5, own, 0.8 * own, 0.8, many, 4.0) < 0.05
    assert echo_share(0.5, 0.1 * own, own, 0.3, many, 4.0) == 1.0
    assert echo_share(0.7, own[:3], own[:3], 0.9, np.ones(3, dtype=bool), 4.0) == 0.7


@given(st.floats(-1, 1), st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=6, max_size=6))
def test_the_share_of_an_echo_lies_between_nothing_and_its_source(
    correlation: float, scores: list[tuple[float, float]]
) -> None:
    own, echo = np.array(scores).T
    assert 0 <= echo_share(0.5, own, echo, correlation, WANTED, 4.0) <= 1
