from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import pytest

from triage.core.knapsack import TOLERANCE, Piece, pack


def fits(pieces: tuple[Piece, ...], capacity: float, share: float) -> bool:
    used: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for piece in pieces:
        if piece.group is not None:
            used[piece.group] += piece.cost  # type: ignore[assignment]
            count[piece.group] += 1
    within = all(used[group] <= share + 1e-9 or count[group] == 1 for group in used)
    return within and sum(piece.cost for piece in pieces) <= capacity + 1e-9


def optimum(pieces: list[Piece], capacity: float, share: float) -> float:
    """By looking at every set."""
    sets = (chosen for size in range(len(pieces) + 1) for chosen in combinations(pieces, size))
    return max(sum(p.value for p in chosen) for chosen in sets if fits(chosen, capacity, share))


def case(seed: int) -> tuple[list[Piece], float, float]:
    """Everyday ones, and nasty ones: a long one against many short, all alike, one flooding source."""
    rng = random.Random(seed)
    count, capacity = rng.randint(1, 11), rng.choice([3.0, 7.5, 15.0, 40.0])
    kind = seed % 5
    pieces = []
    for n in range(count):
        cost, value = rng.uniform(0.2, 8), rng.random()
        if kind == 1:  # one long, good one and many short ones that are nearly as good together
            cost, value = (7.9, 0.95) if n == 0 else (rng.uniform(0.5, 1.5), rng.uniform(0.05, 0.2))
        elif kind == 2:  # worth is proportional to length: density says nothing
            value = cost / 8
        elif kind == 3:  # all the same
            cost, value = 2.0, 0.5
        group = "wire" if kind == 4 and n % 3 else rng.choice("abc")
        pieces.append(Piece(n, cost, value, rng.choice([group, group, None])))
    return pieces, capacity, capacity * 0.34


@pytest.mark.parametrize("start", range(0, 500, 100))
def test_the_set_is_worth_what_the_best_of_all_sets_is_worth(start: int) -> None:
    for seed in range(start, start + 100):
        pieces, capacity, share = case(seed)
        packed, best = pack(pieces, capacity, share), optimum(pieces, capacity, share)
        assert fits(tuple(p for p in pieces if p.id in packed.ids), capacity, share), seed
        assert packed.value == pytest.approx(sum(p.value for p in pieces if p.id in packed.ids))
        assert best * (1 - TOLERANCE) - 1e-9 <= packed.value <= best + 1e-9, seed
        assert packed.bound >= best - 1e-9, seed


def morning(seed: int, count: int = 1000) -> list[Piece]:
    rng = random.Random(seed)
    return [
        Piece(n, rng.lognormvariate(0.3, 0.8) + 0.15, rng.betavariate(1, 5), f"s{rng.randint(1, 60)}")
        for n in range(count)
    ]


def test_a_thousand_items_come_within_a_hundredth_of_what_nobody_can_better() -> None:
    for seed in range(6):
        packed = pack(morning(seed), 15.0, 5.1)
        assert packed.value >= 0.99 * packed.bound > 0


def test_the_result_depends_on_the_set_only() -> None:
    pieces = morning(1, 200)
    assert pack(pieces, 15.0, 5.1) == pack(pieces[::-1], 15.0, 5.1)


def test_what_a_group_has_used_is_taken_from_its_share() -> None:
    pieces = [Piece(n, 1.0, 0.9, "wire") for n in range(5)] + [Piece(9, 1.0, 0.1, "other")]
    assert len(pack(pieces, 10.0, 3.0).ids & set(range(5))) == 3
    assert len(pack(pieces, 10.0, 3.0, {"wire": 1.5}).ids & set(range(5))) == 1
    assert pack(pieces, 10.0, 3.0, {"wire": 3.0}).ids == {9}


def test_one_piece_may_be_larger_than_the_share_of_its_group() -> None:
    assert pack([Piece(1, 8.0, 0.9, "a"), Piece(2, 1.0, 0.5, "a")], 10.0, 3.0).ids == {1}


def test_nothing_comes_of_nothing() -> None:
    assert pack([], 10.0, 3.0).ids == frozenset()
    assert pack([Piece(1, 2.0, 0.5)], 1.0, 3.0).ids == frozenset()
