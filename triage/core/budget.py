"""The policy of a digest: which items fit into the reader's minutes, and in which order they stand.

Pure: it weighs candidates that others have scored. Owns lanes' order, share caps, what is not worth a place
even if there is room, and what is left to chance.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

from triage.core.items import Drawn, ItemKind, Lane
from triage.core.knapsack import Packed, Piece, pack
from triage.core.variety import Alike, discounts
from triage.core.worth import gain

WORTH_IT = 0.25
"""An item worth less than this share of the best one is left out even if there are minutes left: a digest
may end early."""
SOURCE_SHARE = 0.34
"""The largest share of the minutes that one source may take for you, so that no flood fills a morning; a
single item may be longer. People have no such share: one mailbox is the source of all of them."""
PEOPLE_SHARE = 0.5
"""Of the minutes, for people and what was saved, before the rest gets its turn."""
STAYING = 1.03
"""What was in the digest when it was built counts as worth this much more when a mark has it chosen again:
otherwise a mark that changes every worth by a hair would exchange items for others that are as good."""
EXPLORED = 10
"""One item in so many is drawn by chance: what is never shown is never marked, so a ranker that has once
underrated it would do so for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the policy needs to know of an item."""

    id: int
    source: str
    lane: Lane
    minutes: float
    """Planned for it, > 0."""
    worth: float
    """What reading it is expected to be worth, in [0, 1]: the order, and whether it deserves a place."""
    chance: float | None = None
    """That the reader will care, in [0, 1]; None if that is all its worth."""
    story: int | None = None
    """Two candidates with the same one tell the same; None if nobody else tells it."""
    kept: bool = False
    """Marked or read since this digest's day began: it stays, whatever its worth."""
    first: bool = False
    """A rule of the reader's says so: it is shown, whatever its worth, and before the others of its lane."""

    @property
    def value(self) -> float:
        """What there is to gain by it: of this, a digest collects as much as its minutes hold."""
        return gain(self.worth, self.minutes)


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen ids in the order of the screen, and why the others were not chosen."""

    ids: tuple[int, ...]
    repeats: dict[int, int]
    """Id of a repeated item -> id of the one that stands for it."""
    explored: frozenset[int] = frozenset()
    """Those of `ids` that are shown because they were drawn."""
    unfit: frozenset[int] = frozenset()
    """Worth a place, but there was no more room, or their source had its share."""
    faint: frozenset[int] = frozenset()
    """Worth too little beside the best."""
    value: float = 0.0
    """What there is to gain by `ids` together."""
    bound: float = 0.0
    """By no choice under the same rules is there more to gain."""


def lane_of(kind: ItemKind, personal: bool, saved: bool) -> Lane:
    """Mail from a person, and what the reader saved, is never buried under the rest."""
    return "people" if saved or (kind == "mail" and personal) else "for-you"


def select(
    candidates: Sequence[Candidate],
    minutes: float,
    drawn: Container[int] = frozenset(),
    staying: Collection[int] = frozenset(),
    alike: Alike | None = None,
) -> Selection:
    """Chooses what to read in `minutes`: the set by which there is most to gain.

    Repeats are folded under the copy of the highest worth. What was marked and what a rule puts first is in.
    Of people and saved things comes what is worth most in half of the minutes; the rest of them competes
    for the other half with everything else, of which one source may take a share, and nothing that is worth
    less than a quarter of the best is taken; there, an item counts for less beside others about the same
    (`triage.core.variety`). At least one item of each lane that has any is shown even if
    it alone is too long. Within a lane, items stand by worth, after those that a rule puts first. What was
    drawn is shown at the end, unless its turn has come by a rule or because it was saved; what is longer than
    a tenth of the minutes only if the others leave so many.

    Args:
        candidates: In any order; ties are broken by id, so the result depends on the set only.
        minutes: The budget, > 0.
        drawn: Ids of candidates that `draw` has drawn.
        staying: Ids of those that are in the digest already.
        alike: How much candidates are about the same; None if that is not to count.
    """
    ranked = sorted(candidates, key=lambda c: (not c.first, not c.kept, c.id not in drawn, -c.worth, c.id))
    unique, repeats = _folded(ranked)
    by_chance = [c for c in unique if c.lane == "for-you" and c.id in drawn and not c.first]
    explored = [c for c in by_chance if c.minutes <= minutes / EXPLORED]
    others = [c for c in unique if c not in explored]
    fixed = [c for c in others if c.kept or c.first]
    free = [c for c in others if not (c.kept or c.first)]
    worthy = [c for c in free if c.lane == "for-you"]
    floor = WORTH_IT * max((c.worth for c in worthy), default=0.0)
    people = _lane(free, fixed, "people", minutes * PEOPLE_SHARE, minutes, staying, floor)
    taken = [*fixed, *explored, *(c for c in free if c.id in people.ids)]
    faint = frozenset(c.id for c in worthy if c.worth < floor)
    open_to = [c for c in free if c.id not in people.ids and c.id not in faint]
    left = minutes - sum(c.minutes for c in taken)
    rest = _lane(open_to, fixed, "for-you", left, minutes, staying, alike=alike, present=taken)
    chosen = [*taken, *(c for c in open_to if c.id in rest.ids)]
    # Its full text may have come after the draw: one that is long now has what the others leave.
    spare = minutes - sum(c.minutes for c in chosen)
    for c in by_chance:
        if c not in chosen and c.minutes <= spare:
            explored.append(c)
            chosen.append(c)
            spare -= c.minutes
    drawn_ids = frozenset(c.id for c in explored)
    in_order = sorted(
        chosen, key=lambda c: (c.id in drawn_ids, c.lane != "people", not c.first, -c.worth, c.id)
    )
    given = sum(c.value for c in (*fixed, *explored))
    return Selection(
        ids=tuple(c.id for c in in_order),
        repeats=repeats,
        explored=drawn_ids,
        unfit=frozenset(c.id for c in open_to if c.id not in rest.ids | drawn_ids),
        faint=faint,
        value=sum(c.value for c in chosen),
        bound=given + people.bound + rest.bound,
    )


def _lane(
    free: Sequence[Candidate],
    fixed: Sequence[Candidate],
    lane: Lane,
    room: float,
    minutes: float,
    staying: Collection[int],
    floor: float = 0.0,
    *,
    alike: Alike | None = None,
    present: Sequence[Candidate] = (),
) -> Packed:
    """What to take for a lane: of people their own only, for you whatever is left of both.

    Args:
        free: What may be taken.
        fixed: What is in the digest anyway; it uses the shares of its sources, and that of people.
        lane: Which one.
        room: Minutes, those of `fixed` for people not yet taken off.
        minutes: The budget, of which a source has its share.
        staying: Ids of those that are in the digest already.
        floor: An old letter that is worth less is taken only if there is no other.
        alike: How much candidates are about the same; None if that is not to count.
        present: What is in the digest by now.
    """
    used: dict[str, float] = defaultdict(float)
    for c in fixed:
        used[c.source] += c.minutes if c.lane == "for-you" else 0.0
    if lane == "people":
        free = [c for c in free if c.lane == "people"]
        room -= sum(c.minutes for c in fixed if c.lane == "people")
    alone = max((c for c in free if c.lane == lane), key=lambda c: (c.worth, -c.id), default=None)
    free = [c for c in free if c.worth >= floor]
    pieces = [
        Piece(
            c.id,
            c.minutes,
            c.value * (STAYING if c.id in staying else 1.0),
            None if c.lane == "people" else c.source,
        )
        for c in free
    ]
    share = minutes * SOURCE_SHARE
    if alike is not None:
        left = discounts(pieces, room, share, used, alike, [c.id for c in present])
        pieces = [dataclasses.replace(piece, value=piece.value * left[piece.id]) for piece in pieces]
    packed = pack(pieces, room, share, used)
    if staying or alike is not None:
        own = [dataclasses.replace(piece, value=c.value) for piece, c in zip(pieces, free, strict=True)]
        packed = dataclasses.replace(packed, bound=pack(own, room, share, used).bound)
    if alone is not None and not packed.ids and not any(c.lane == lane for c in fixed):
        return Packed(frozenset({alone.id}), alone.value, alone.value)
    return packed


def draw(candidates: Sequence[Candidate], chosen: Selection, minutes: float, seed: str) -> tuple[Drawn, ...]:
    """Draws what a digest explores: one in ten of its items, or a single one if a smaller digest has room.

    What was not chosen is drawn with weight p (1 - p), the variance of what the reader will say of it: the
    more a mark would tell, the likelier. The draw is that of Efraimidis and Spirakis (2006, "Weighted
    random sampling with a reservoir"): each item has a random number of its own, so others that come and
    go do not change it. None takes more than a tenth of the minutes: chance may not fill a digest.

    Args:
        candidates: In any order.
        chosen: What `select` takes of them when nothing is drawn.
        minutes: The budget.
        seed: Other seeds draw others.
    """
    shown = [c for c in candidates if c.id in chosen.ids]
    slots, longest = len(shown) // EXPLORED, minutes / EXPLORED
    if not slots:
        slots, longest = 1, minutes - sum(c.minutes for c in shown)
    pool = {
        c.id: chance * (1 - chance)
        for c in sorted(candidates, key=lambda c: c.id)
        if c.lane == "for-you" and not (c.kept or c.first or c.id in chosen.ids or c.id in chosen.repeats)
        if c.minutes <= longest and 0 < (chance := c.worth if c.chance is None else c.chance) < 1
    }
    keys = {i: -math.log(_uniform(seed, i)) / weight for i, weight in pool.items()}
    drawn: list[Drawn] = []
    for i in sorted(keys, key=lambda i: (keys[i], i))[:slots]:
        total = sum(pool.values())
        drawn.append(Drawn(i, pool.pop(i) / total))
    return tuple(drawn)


def _uniform(seed: str, item_id: int) -> float:
    """A number in (0, 1) that depends on both."""
    digest = hashlib.sha256(f"{seed} {item_id}".encode()).digest()
    return (int.from_bytes(digest[:6], "big") + 0.5) / 2**48


def _folded(ranked: Sequence[Candidate]) -> tuple[list[Candidate], dict[int, int]]:
    """What remains when each repeat is folded under the first that tells the same, and the repeats."""
    told: dict[int, int] = {}
    unique: list[Candidate] = []
    repeats: dict[int, int] = {}
    for candidate in ranked:
        if candidate.story is not None and candidate.story in told:
            repeats[candidate.id] = told[candidate.story]
            continue
        if candidate.story is not None:
            told[candidate.story] = candidate.id
        unique.append(candidate)
    return unique, repeats
