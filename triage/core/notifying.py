"""Which items are worth an interruption: few, soon, and fewer when the reader says that it was too much.

Pure. Owns the bar that an item must pass and how marks move it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from triage.core import feedback
from triage.core.feedback import Event
from triage.core.items import Item
from triage.core.verbs import Verb

FIRST_BAR = 0.8
"""P(you will care) that an item must have before anybody has said anything about notifications."""
RAISED_BY, LOWERED_BY = 0.7, 0.25
"""In logits, by a `too much` and by a like of what was notified: one complaint outweighs two likes."""
HIGHEST = 0.99
FRESH = {"feed": timedelta(hours=6), "mail": timedelta(hours=24), "paper": timedelta(0)}
"""How long after its date an item is still time-sensitive; a paper never is."""


def bar(events: Iterable[Event], notified: Collection[int]) -> float:
    """The probability that an item must reach, as the reader's marks of earlier notifications have moved it.

    Args:
        events: The log.
        notified: Ids of the items that were notified.
    """
    counted = feedback.effective(events)
    complaints = {e.item_id for e in counted if e.verb is Verb.TOO_MUCH}
    liked = {i for i, value in feedback.labels(counted).items() if value > 0 and i in notified} - complaints
    logit = math.log(FIRST_BAR / (1 - FIRST_BAR)) + RAISED_BY * len(complaints) - LOWERED_BY * len(liked)
    return min(max(1 / (1 + math.exp(-logit)), FIRST_BAR), HIGHEST)


def choose(
    items: Sequence[Item], *, bar: float, notified: Collection[int], room: int, now: datetime
) -> list[Item]:
    """The items to notify of, the likeliest first.

    Args:
        items: Of the digest; those without a probability are never chosen.
        bar: As above.
        notified: Ids that were notified before, and of what tells the same.
        room: How many more there may be today.
        now: The present.
    """
    worthy = [
        item
        for item in items
        if item.p is not None
        and item.p >= bar
        and item.id not in notified
        and item.state == "new"
        and item.published is not None
        and timedelta(0) <= now - item.published < FRESH[item.kind]
    ]
    return sorted(worthy, key=lambda item: (-(item.p or 0.0), item.id))[: max(room, 0)]
