"""What a reader says, as an append-only log of events, and the pure functions that read it.

The log is the only truth: labels, interests and states are functions of it, so undoing an event
gives exactly what would have been without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verb(StrEnum):
    """What can be said."""

    LIKE = "like"
    LOVE = "love"
    DISLIKE = "dislike"
    LATER = "later"
    INTEREST = "interest"
    """An interest phrase was added, or removed with weight 0."""
    UNDO = "undo"


MARKS = (Verb.LIKE, Verb.LOVE, Verb.DISLIKE, Verb.LATER)
"""The verbs that a reader can apply to an item."""

LABEL_VALUES: dict[Verb, float] = {Verb.LIKE: 1.0, Verb.LOVE: 2.0, Verb.DISLIKE: 0.0}
"""The marks that train the ranker. Later does not: it says when, not whether."""

PAST_TENSE: dict[Verb, str] = {
    Verb.LIKE: "liked",
    Verb.LOVE: "loved",
    Verb.DISLIKE: "disliked",
    Verb.LATER: "kept for later",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the log. `phrase` and `weight` belong to interest events, `undoes` to undo events."""

    id: int
    at: datetime
    verb: Verb
    item_id: int | None = None
    undoes: int | None = None
    phrase: str | None = None
    weight: float | None = None


def effective(events: Iterable[Event]) -> list[Event]:
    """The events that count, oldest first: without undo events and without what they take back.

    An undo of an undo restores the event, so the newest undo in a chain decides.
    """
    log = sorted(events, key=lambda event: event.id)
    undone: set[int] = set()
    for event in reversed(log):
        if event.verb is Verb.UNDO and event.undoes is not None and event.id not in undone:
            undone.add(event.undoes)
    return [event for event in log if event.verb is not Verb.UNDO and event.id not in undone]


def last_undoable(events: Iterable[Event], *, marks_only: bool = False) -> Event | None:
    """The newest event that still counts, or the newest such mark: what the next undo takes back."""
    counted = [event for event in effective(events) if not marks_only or event.verb in MARKS]
    return counted[-1] if counted else None


def labels(events: Iterable[Event]) -> dict[int, float]:
    """Item id -> label value; the last training mark of an item wins."""
    return {
        event.item_id: LABEL_VALUES[event.verb]
        for event in effective(events)
        if event.verb in LABEL_VALUES and event.item_id is not None
    }


def states(events: Iterable[Event]) -> dict[int, str]:
    """Item id -> its last mark of any kind."""
    return {e.item_id: e.verb.value for e in effective(events) if e.verb in MARKS and e.item_id is not None}


def interests(events: Iterable[Event]) -> dict[str, float]:
    """Interest phrase -> weight, in the order of their first mention; weight 0 removes one."""
    weights: dict[str, float] = {}
    for event in effective(events):
        if event.verb is Verb.INTEREST and event.phrase is not None:
            weights[event.phrase] = 1.0 if event.weight is None else event.weight
    return {phrase: weight for phrase, weight in weights.items() if weight}


def profile_hash(events: Iterable[Event]) -> str:
    """Hash of what the events teach: equal logs up to undone events give equal hashes."""
    import hashlib  # 4 ms that the first frame need not wait for

    log = list(events)
    content = json.dumps([sorted(labels(log).items()), sorted(interests(log).items())])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
