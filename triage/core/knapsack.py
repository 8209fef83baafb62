"""The set of the highest worth within a budget and a share for each group: a knapsack, all but exactly.

Pure and deterministic: the work is bounded by counted steps, not by time. What the pieces are is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TOLERANCE = 1e-3
"""The search ends when nothing can be better by more than this share: a thousandth of a morning's worth."""
STEPS = 60_000
"""Pieces looked at before the best set so far is taken, so that no list of items can hold up a digest. What
is lost then is between `Packed.value` and `Packed.bound`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that can be taken, as a whole or not at all."""

    id: int
    cost: float
    """> 0."""
    value: float
    """>= 0."""
    group: str | None = None
    """Whose share it uses; None for nobody's."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A set of pieces that fits."""

    ids: frozenset[int]
    value: float
    bound: float
    """No set that fits is worth more than this."""


def pack(
    pieces: Sequence[Piece], capacity: float, share: float, used: Mapping[str, float] | None = None
) -> Packed:
    """The set of the highest value that fits; worth at least its `bound` less `TOLERANCE` if steps suffice.

    Branch and bound in the order of value per cost (Horowitz and Sahni 1974), from the greedy set. The bound
    lets the last piece be cut: with one budget and a share for each group inside of it, taking the densest
    first is then the optimum (Edmonds 1970, such budgets form a polymatroid).

    Args:
        pieces: In any order; ties are broken by id, so the result depends on the set only.
        capacity: Of all pieces together.
        share: Of the pieces of one group; but one piece may always be taken alone.
        used: What groups have used of their shares already.
    """
    fitting = [p for p in pieces if p.value > 0 and p.cost <= capacity]
    kept = _undominated(fitting, share, used or {})
    dense = sorted(kept, key=lambda p: (-p.value / p.cost, p.id))
    return _Search(dense, capacity, share, dict(used or {})).run()


def _undominated(pieces: Sequence[Piece], share: float, used: Mapping[str, float]) -> list[Piece]:
    """Without pieces that no best set needs: a flood from one group becomes the few that could be taken.

    If the pieces of a group that are at least as good and as cheap as one do not fit into the share together
    with it, a set that has it lacks one of them, and is no worse with that in its place.
    """
    groups: dict[str, list[Piece]] = defaultdict(list)
    found = []
    for piece in sorted(pieces, key=lambda p: (-p.value, p.cost, p.id)):
        if piece.group is None:
            found.append(piece)
            continue
        better = groups[piece.group]
        room = share - used.get(piece.group, 0.0)
        if piece.cost + sum(p.cost for p in better if p.cost <= piece.cost) > room and any(
            p.cost <= piece.cost for p in better
        ):
            continue
        better.append(piece)
        found.append(piece)
    return found


@dataclass(slots=True)
class _Search:
    pieces: Sequence[Piece]
    """The densest first."""
    room: float
    share: float
    used: dict[str, float]
    biggest: dict[str, float] = field(default_factory=dict)
    """Group -> cost of its largest piece, which may be taken alone."""
    taken: list[int] = field(default_factory=list)
    value: float = 0.0
    best: frozenset[int] = frozenset()
    best_value: float = 0.0
    steps: int = 0

    def run(self) -> Packed:
        for piece in self.pieces:
            if piece.group is not None:
                self.biggest[piece.group] = max(self.biggest.get(piece.group, 0.0), piece.cost)
        root = self._bound(0)
        complete = self._descend(0, root)
        bound = min(root, self.best_value * (1 + TOLERANCE)) if complete else root
        return Packed(frozenset(self.pieces[n].id for n in self.best), self.best_value, bound)

    def _descend(self, start: int, root: float) -> bool:
        """Goes through the sets, the greedy one first; whether that could be ended."""
        while True:
            self._fill(start)
            if self.value > self.best_value:
                self.best_value, self.best = self.value, frozenset(self.taken)
            start = self._back(root)
            if start < 0:
                return True
            if self.steps > STEPS:
                return False

    def _fill(self, start: int) -> None:
        """Takes what fits from `start` on, until it can no longer become better than the best."""
        for n in range(start, len(self.pieces)):
            piece = self.pieces[n]
            self.steps += 1
            if self.value + self.room * piece.value / piece.cost <= self.best_value * (1 + TOLERANCE):
                return
            if piece.cost <= self.room and self._shares(piece):
                self._take(n, 1)

    def _back(self, root: float) -> int:
        """Gives back the last piece without which a better set is possible; where to go on, or -1."""
        while self.taken and root > self.best_value * (1 + TOLERANCE):
            n = self.taken[-1]
            self._take(n, -1)
            if self._bound(n + 1) > self.best_value * (1 + TOLERANCE):
                return n + 1
        return -1

    def _take(self, n: int, sign: int) -> None:
        piece = self.pieces[n]
        if sign > 0:
            self.taken.append(n)
        else:
            self.taken.pop()
        self.room -= sign * piece.cost
        self.value += sign * piece.value
        if piece.group is not None:
            self.used[piece.group] = self.used.get(piece.group, 0.0) + sign * piece.cost

    def _shares(self, piece: Piece) -> bool:
        if piece.group is None:
            return True
        used = self.used.get(piece.group, 0.0)
        return used < EMPTY or used + piece.cost <= self.share + EMPTY

    def _bound(self, start: int) -> float:
        """What the pieces from `start` on could add at most, with what is taken."""
        value, room, left = self.value, self.room, dict[str, float]()
        for n in range(start, len(self.pieces)):
            piece = self.pieces[n]
            self.steps += 1
            part = min(piece.cost, room)
            if piece.group is not None:
                if piece.group not in left:
                    used = self.used.get(piece.group, 0.0)
                    whole = max(self.share, self.biggest[piece.group]) if used < EMPTY else self.share
                    left[piece.group] = max(whole - used, 0.0)
                part = min(part, left[piece.group])
                left[piece.group] -= part
            value += piece.value * part / piece.cost
            room -= part
            if room <= 0:
                break
        return value


EMPTY = 1e-9
"""Minutes that are none: sums of fractions do not come back to zero."""
