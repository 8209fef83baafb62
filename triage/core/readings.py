"""An item that was opened: its whole text, what belongs to it, and why it stands where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from triage.core.items import Item, Reason, TextState
from triage.core.links import Link


@dataclass(frozen=True, slots=True)
class Copy:
    """Another item that tells the same story."""

    id: int
    source: str
    title: str
    url: str | None


Relation = Literal["whole", "story", "thread"]
"""The mail that a story is cut from; a story of it; another message of the same conversation."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another item that belongs to the one that is open."""

    id: int
    relation: Relation
    title: str
    who: str
    """Its first author or sender."""
    published: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An item opened: its whole text. `item.highlights` are offsets into `text`."""

    item: Item
    text: str
    text_state: TextState = "served"
    text_note: str | None = None
    """Of a summary, why it is no more than that; of a full text, what is missing of it."""
    text_url: str | None = None
    """Of a full text, where it was found."""
    copies: tuple[Copy, ...] = ()
    links: tuple[Link, ...] = ()
    """Numbered from 1 in this order."""
    related: tuple[Related, ...] = ()
    """The whole, its stories, the conversation with the oldest message first."""


@dataclass(frozen=True, slots=True)
class MarkShare:
    """What one mark does to the score of another item: the score less what it would be without the mark."""

    item: int
    title: str
    state: str
    """The mark: like, love, dislike, or known for what was liked elsewhere."""
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why an item stands where it stands: the contributions of `reasons` sum to `score`."""

    item: Item
    score: float
    reasons: tuple[Reason, ...]
    calibration: str
    """One sentence: how the score becomes a probability, or why it does not yet."""
    warnings: tuple[str, ...] = ()
    """What the reader should know about the ranking."""
    marks: tuple[MarkShare, ...] = ()
    """The marks that move it most, the strongest first, if that was asked for."""
