"""The policy of a digest: which items fit into the reader's minutes, and in which order they stand.

Pure: it weighs candidates that others have scored. Owns reading time, lanes' order, share caps, and what
is left to chance.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from triage.core.items import Drawn, ItemKind, Lane

WORDS_PER_MINUTE = 230.0
"""Silent reading of English non-fiction: 238 words per minute over 190 studies (Brysbaert 2019), rounded
down because a screen is read a little more slowly than paper."""
CHARACTERS_PER_MINUTE = 260.0 * 1.6
"""Of Chinese or Japanese: 260 words per minute at about 1.6 characters a word (Brysbaert 2019)."""
OPENING_MINUTES = 0.15
"""To decide on an item and to open it, however short it is."""
MAX_ITEM_MINUTES = 8.0
"""A reader who opens something longer has decided to spend that time; the digest plans its first part."""
WORTH_IT = 0.25
"""An item worth less than this share of the best one is left out even if there are minutes left: a digest
may end early."""
SOURCE_SHARE = 0.34
"""The largest share of the minutes that one source may take in a lane, so that no flood fills a morning."""


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
    value: float
    """What reading it is expected to be worth, in [0, 1]."""
    story: int | None = None
    """Two candidates with the same one tell the same; None if nobody else tells it."""
    kept: bool = False
    """Marked since this digest was built, or saved by hand: it stays, whatever its value."""
    first: bool = False
    """A rule of the reader's says so: it is shown, whatever its value, and before the others of its lane."""

    @property
    def cost(self) -> float:
        """The minutes that are planned for it."""
        return min(self.minutes, MAX_ITEM_MINUTES)


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen ids in the order of the screen, and which candidates only repeat another one."""

    ids: tuple[int, ...]
    repeats: dict[int, int]
    """Id of a repeated item -> id of the one that stands for it."""
    explored: frozenset[int] = frozenset()
    """Those of `ids` that are shown because they were drawn."""


def reading_minutes(words: int, cjk_characters: int = 0) -> float:
    """Estimated minutes to read a text of so many words and Chinese or Japanese characters."""
    return OPENING_MINUTES + words / WORDS_PER_MINUTE + cjk_characters / CHARACTERS_PER_MINUTE


def lane_of(kind: ItemKind, personal: bool, saved: bool) -> Lane:
    """Mail from a person, and what the reader saved, is never buried under the rest."""
    return "people" if saved or (kind == "mail" and personal) else "for-you"


def select(candidates: Sequence[Candidate], minutes: float, drawn: Container[int] = frozenset()) -> Selection:
    """Chooses what to read in `minutes`.

    Repeats are folded under the copy of the highest value. Then items are taken greedily by value, as
    long as they fit and their source has not used up its share of the lane; the people lane may use
    half of the minutes before the rest gets its turn, and what it leaves. Of the rest, nothing is taken
    that is worth less than a quarter of the best. At least one item of each lane that has any is shown
    even if it alone is too long. Within a lane, items stand by value, after those that a rule puts first.
    What was drawn is shown at the end, unless its turn has come by a rule or because it was saved.

    Args:
        candidates: In any order; ties are broken by id, so the result depends on the set only.
        minutes: The budget, > 0.
        drawn: Ids of candidates that `draw` has drawn.
    """
    ranked = sorted(candidates, key=lambda c: (not c.first, not c.kept, c.id not in drawn, -c.value, c.id))
    unique, repeats = _folded(ranked)
    people = _fill([c for c in unique if c.lane == "people"], minutes / 2)
    explored = [c for c in unique if c.lane == "for-you" and c.id in drawn and not c.first]
    rest = [c for c in unique if c.lane == "for-you" and c not in explored]
    floor = WORTH_IT * max((c.value for c in rest if not c.kept), default=0.0)
    left = minutes - sum(c.minutes for c in people) - sum(c.cost for c in explored)
    rest = _fill([c for c in rest if c.kept or c.first or c.value >= floor], left)
    in_order = [
        *sorted(people, key=lambda c: (not c.first, -c.value, c.id)),
        *sorted(rest, key=lambda c: (not c.first, -c.value, c.id)),
        *sorted(explored, key=lambda c: (-c.value, c.id)),
    ]
    return Selection(
        ids=tuple(c.id for c in in_order), repeats=repeats, explored=frozenset(c.id for c in explored)
    )


def draw(candidates: Sequence[Candidate], chosen: Selection, minutes: float, seed: str) -> tuple[Drawn, ...]:
    """Draws what a digest explores: one in ten of its items, or a single one if a smaller digest has room.

    What was not chosen is drawn with weight p (1 - p), the variance of what the reader will say of it: the
    more a mark would tell, the likelier. The draw is that of Efraimidis and Spirakis (2006, "Weighted
    random sampling with a reservoir"): each item has a random number of its own, so others that come and
    go do not change it.

    Args:
        candidates: In any order.
        chosen: What `select` takes of them when nothing is drawn.
        minutes: The budget.
        seed: Other seeds draw others.
    """
    shown = [c for c in candidates if c.id in chosen.ids]
    slots, longest = len(shown) // EXPLORED, minutes * SOURCE_SHARE
    if not slots:
        slots, longest = 1, minutes - sum(c.cost for c in shown)
    pool = {
        c.id: c.value * (1 - c.value)
        for c in sorted(candidates, key=lambda c: c.id)
        if c.lane == "for-you" and not (c.kept or c.first or c.id in chosen.ids or c.id in chosen.repeats)
        if c.cost <= longest and 0 < c.value < 1
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


def _fill(ranked: Sequence[Candidate], minutes: float) -> list[Candidate]:
    taken: list[Candidate] = []
    left = minutes
    by_source: dict[str, float] = {}
    for candidate in ranked:
        cost = candidate.cost
        used = by_source.get(candidate.source, 0.0)
        fits = cost <= left and (used == 0.0 or used + cost <= minutes * SOURCE_SHARE)
        if candidate.kept or candidate.first or fits or not taken:
            taken.append(candidate)
            left -= cost
            by_source[candidate.source] = used + cost
    return taken
