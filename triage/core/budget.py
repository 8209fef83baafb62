"""The policy of a digest: which items fit into the reader's minutes, and in which order they stand.

Pure: it weighs candidates that others have scored. Owns reading time, lanes' order and share caps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triage.core.items import ItemKind, Lane

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the policy needs to know of an item."""

    id: int
    source: str
    lane: Lane
    minutes: float
    value: float
    """What reading it is expected to be worth, in [0, 1]."""
    content: str = ""
    """Hash of its words; two candidates with the same one tell the same."""
    kept: bool = False
    """Marked since this digest was built, or saved by hand: it stays, whatever its value."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen ids in the order of the screen, and which candidates only repeat another one."""

    ids: tuple[int, ...]
    repeats: dict[int, int]
    """Id of a repeated item -> id of the one that stands for it."""


def reading_minutes(words: int, cjk_characters: int = 0) -> float:
    """Estimated minutes to read a text of so many words and Chinese or Japanese characters."""
    return OPENING_MINUTES + words / WORDS_PER_MINUTE + cjk_characters / CHARACTERS_PER_MINUTE


def lane_of(kind: ItemKind, personal: bool, saved: bool) -> Lane:
    """Mail from a person, and what the reader saved, is never buried under the rest."""
    return "people" if saved or (kind == "mail" and personal) else "for-you"


def select(candidates: Sequence[Candidate], minutes: float) -> Selection:
    """Chooses what to read in `minutes`.

    Repeats are folded under the copy of the highest value. Then items are taken greedily by value, as
    long as they fit and their source has not used up its share of the lane; the people lane may use
    half of the minutes before the rest gets its turn, and what it leaves. Of the rest, nothing is taken
    that is worth less than a quarter of the best. At least one item of each lane that has any is shown
    even if it alone is too long. Within a lane, items stand by value.

    Args:
        candidates: In any order; ties are broken by id, so the result depends on the set only.
        minutes: The budget, > 0.
    """
    ranked = sorted(candidates, key=lambda c: (not c.kept, -c.value, c.id))
    first: dict[str, int] = {}
    repeats: dict[int, int] = {}
    unique: list[Candidate] = []
    for candidate in ranked:
        if candidate.content and candidate.content in first:
            repeats[candidate.id] = first[candidate.content]
        else:
            first[candidate.content] = candidate.id
            unique.append(candidate)
    people = _fill([c for c in unique if c.lane == "people"], minutes / 2)
    rest = [c for c in unique if c.lane == "for-you"]
    floor = WORTH_IT * max((c.value for c in rest if not c.kept), default=0.0)
    rest = _fill([c for c in rest if c.kept or c.value >= floor], minutes - sum(c.minutes for c in people))
    in_order = [
        *sorted(people, key=lambda c: (-c.value, c.id)),
        *sorted(rest, key=lambda c: (-c.value, c.id)),
    ]
    return Selection(ids=tuple(c.id for c in in_order), repeats=repeats)


def _fill(ranked: Sequence[Candidate], minutes: float) -> list[Candidate]:
    taken: list[Candidate] = []
    left = minutes
    by_source: dict[str, float] = {}
    for candidate in ranked:
        cost = min(candidate.minutes, MAX_ITEM_MINUTES)
        used = by_source.get(candidate.source, 0.0)
        fits = cost <= left and (used == 0.0 or used + cost <= minutes * SOURCE_SHARE)
        if candidate.kept or fits or not taken:
            taken.append(candidate)
            left -= cost
            by_source[candidate.source] = used + cost
    return taken
