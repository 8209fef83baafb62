"""The guided start: its steps, and where a reader stands in them.

Owns the order of the steps and the values that its screens, its lines and its options share. Where somebody
stands is a function of what there is and of which steps they have gone past, so that leaving in the middle
loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from triage.core.items import Item

QUESTIONS = 10
"""Judgements that are asked for at most."""
ASKED = "What do you want to keep up with?"
HINT = (
    "A few phrases in your words, with commas between them: tidal energy, cycling in cities, Python packaging"
)
IMPORTABLE = (
    "OPML or urls file, .bib, .ris, list of titles (.txt), zotero:users/N, mailbox or imaps://, any site"
)
MAILBOX_ASKED = "No password is stored here. Which command prints its password? Such as: pass show mail"
NOTHING = "There is nothing to read yet. To begin again: triage start; to look around: triage demo"
LEFT = "What you did so far is kept. To go on there: triage start"
AFTERWARDS = "Fetched and ranked every day by: triage daemon install. Help: ?"


class Step(StrEnum):
    """The steps, in order."""

    INTERESTS = "interests"
    PACKS = "packs"
    IMPORTS = "imports"
    FETCH = "fetch"
    MARKS = "marks"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a reader stands."""

    step: Step
    interests: tuple[str, ...] = ()
    sources: int = 0
    items: int = 0
    marks: int = 0


def step_of(past: Collection[str], *, sources: int, items: int, marks: int) -> Step:
    """The first step that is neither past nor without an object.

    Args:
        past: The steps that the reader has finished or skipped.
        sources: How many there are: without any there is nothing to fetch.
        items: How many there are: without any there is nothing to judge.
        marks: How many items are judged.
    """
    for step in Step:
        nothing_to_judge = not items or marks >= QUESTIONS
        moot = (step is Step.FETCH and not sources) or (step is Step.MARKS and nothing_to_judge)
        if step not in past and not moot:
            return step
    return Step.DONE


@dataclass(frozen=True, slots=True)
class Found:
    """What a target for import turned out to be; nothing of it is stored yet."""

    target: str
    kind: Literal["list", "liked", "source", "password"]
    """`password`: it is a mailbox, and how to come by its password must be said first."""
    said: str
    password_command: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far fetching and reading have come; `line` is news about one source, in words."""

    what: str
    done: int
    total: int
    line: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the first round came to."""

    asked: int
    failed: int
    new: int
    items: int
    """All that are stored now."""


@dataclass(frozen=True, slots=True)
class Question:
    """An item to be judged, with the best of all items as they stand."""

    item: Item | None
    """None when there is nothing left to ask."""
    said: str
    """The beginning of its text, or the passage that speaks most."""
    top: tuple[Item, ...]
    """The best items, best first: more than a digest takes, so that it is seen how they move."""
    number: int
    """Of this question, from 1 on."""
    message: str = ""
    """What the last answer did: `liked: Bees, 12 items moved`."""
    moved: int = 0
    """How many of `top` have another place than before, or had none."""


OnProgress = Callable[[Progress], None]


def moves(before: Sequence[Item], after: Sequence[Item]) -> dict[int, int | None]:
    """Of each item of a list, how many places it went up (down is negative); None for one that is new.

    Without a list before it, nothing has moved.
    """
    places = {item.id: place for place, item in enumerate(before or after)}
    return {
        item.id: places[item.id] - place if item.id in places else None for place, item in enumerate(after)
    }


def arrow(move: int | None) -> str:
    """A move in at most four cells: `↑3`, `↓12`, `new`; empty for none."""
    if move is None:
        return "new"
    return f"{'↑' if move > 0 else '↓'}{min(abs(move), 99)}" if move else ""
