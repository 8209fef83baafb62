"""What an item adds to others about the same: less, the more of that a digest has already.

Pure and deterministic: how much two items are about the same is given. Owns the discount, and its bound.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from triage.core.knapsack import EMPTY, Piece

LEAST = 0.75
"""What is left at least of the value of an item about which there is much already. So variety has its price:
what takes its place is worth three quarters of it or more, and nothing that nobody wants comes in by it."""

Alike = Callable[[int], Mapping[int, float]]
"""Id of an item -> id of another -> how much they are about the same, in [0, 1]; none if it is missing."""


def discount(said: float) -> float:
    """What is left of an item's value, in (`LEAST`, 1], when as much as `said` others of its kind is there.

    Of equal value, the second item on a subject stands behind the first one on any other, the third behind
    the second, so that subjects take turns. The marginal values of a set fall as it grows (Lin & Bilmes
    2011, "A class of submodular functions for document summarization").
    """
    return LEAST + (1 - LEAST) / (1 + said)


def discounts(
    pieces: Sequence[Piece],
    capacity: float,
    share: float,
    used: Mapping[str, float],
    alike: Alike,
    present: Iterable[int] = (),
) -> dict[int, float]:
    """What is left of the value of each piece beside those that would be taken, by its id.

    Pieces are taken greedily, by what is left of their value per cost, as long as there is room: of one that
    is taken, that is what was left then; of the others, what is left in the end. Values only fall, so a piece
    is looked at again only when it comes first (Minoux 1978, "Accelerated greedy algorithms for maximizing
    submodular set functions").

    Args:
        pieces: In any order; ties are broken by id, so the result depends on the set only.
        capacity: Of all pieces together.
        share: Of the pieces of one group; but one piece may always be taken alone.
        used: What groups have used of their shares already.
        alike: Between the pieces, and between them and those that are present.
        present: Ids of what is there anyway.
    """
    said = defaultdict[int, float](float)

    def take(i: int) -> None:
        for other, how_much in alike(i).items():
            said[other] += how_much

    for i in present:
        take(i)
    by_id = {piece.id: piece for piece in pieces}
    spent, room, left = dict(used), capacity, dict[int, float]()
    heap = [(-piece.value * discount(said[piece.id]) / piece.cost, piece.id) for piece in pieces]
    heapq.heapify(heap)
    while heap:
        density, i = heapq.heappop(heap)
        piece = by_id[i]
        of_group = spent.get(piece.group, 0.0) if piece.group is not None else 0.0
        if piece.cost > room + EMPTY or (of_group >= EMPTY and of_group + piece.cost > share + EMPTY):
            continue
        now = -piece.value * discount(said[i]) / piece.cost
        if now > density + EMPTY:
            heapq.heappush(heap, (now, i))
            continue
        left[i] = discount(said[i])
        room -= piece.cost
        if piece.group is not None:
            spent[piece.group] = of_group + piece.cost
        take(i)
    return {piece.id: left.get(piece.id, discount(said[piece.id])) for piece in pieces}
