"""The learning journal: what the reader has said, one entry an event, and what came of each.

Owns the values of an entry and what each event is about in the end. Knows neither titles nor where events are
stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triage.core import words
from triage.core.feedback import Event
from triage.core.verbs import Verb


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did to the digest, when it was first learned from."""

    moved: int
    """How many items of the digest stood elsewhere afterwards."""
    size: int
    """How many there were."""
    together: int = 1
    """How many events were learned from at once: the effect is that of all."""

    def __str__(self) -> str:
        """`5 of 20 items moved`."""
        if not self.moved:
            said = "nothing moved"
        else:
            said = f"{self.moved} of {words.plural(self.size, 'item')} moved"
        others = self.together - 1
        return f"{said}, with {words.plural(others, 'other step')}" if others else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as the journal shows it."""

    id: int
    at: datetime
    verb: Verb
    says: str
    """What was said, about what, in words."""
    item_id: int | None = None
    undoes: int | None = None
    """The event that an undo takes back, or brings back if it undoes an undo."""
    undone_by: int | None = None
    """The undo that takes it back now; None while it counts."""
    over: bool = False
    """Whether the time until which it was said has passed."""
    effect: Effect | None = None
    """None if nothing was learned from it while a digest was there."""


def notes(entry: Entry) -> str:
    """What came of an event, in one line: `undone by 12 · 5 of 20 items moved`; empty if there is nothing."""
    found = [] if entry.undone_by is None else [f"undone by {entry.undone_by}"]
    found += ["over"] if entry.over else []
    found += [] if entry.effect is None else [str(entry.effect)]
    return " · ".join(found)


def root(by_id: Mapping[int, Event], event: Event) -> tuple[Event, bool]:
    """What an event is about in the end, and whether it brings that back instead of taking it back.

    For an undo of an undo of a mark, the mark and True; for a mark, itself and True.
    """
    back = True
    while event.verb is Verb.UNDO and event.undoes is not None and event.undoes in by_id:
        event, back = by_id[event.undoes], not back
    return event, back
