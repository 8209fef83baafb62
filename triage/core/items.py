"""Items and digests as a reader meets them, and their JSON form (the contract of every `--json`).

Owns the view values and nothing else: rows of the database are in `triage.store.schema`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from triage.core.verbs import AT_HAND

SCHEMA_VERSION = 1
"""Of the JSON form; raised when a field changes its meaning."""

ItemKind = Literal["feed", "mail", "paper"]
KINDS: dict[str, ItemKind] = {"feed": "feed", "mail": "mail", "paper": "paper"}
"""From the strings that are stored."""
Lane = Literal["for-you", "people", "exploring"]
TextState = Literal["served", "full", "summary"]
"""How much of an item's text there is: all that its source serves, which is all there seems to be; the full
text from behind its link; or a summary of that."""
LANE_TITLES: dict[Lane, str] = {"people": "People", "for-you": "For you", "exploring": "Exploring"}
"""In the order in which a digest shows them; a heading says more (`heading`)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One signed share of an item's score."""

    kind: str
    """passage, interest, rule, source, person, age or bias."""
    name: str
    contribution: float


LESS_OF = "less of: "
"""What stands before the name of a reason that is an interest of negative weight."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage of the text, `text[start:end]` in characters."""

    start: int
    end: int
    text: str
    contribution: float
    """How much of the score goes without it; negative = it speaks against the item. 0 where nothing is known
    of the reader and it only says what the item is about."""
    phrases: tuple[tuple[int, int], ...] = ()
    """Inside a long one, the words that carry it, as `text[start:end]`."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Highlight:
        """From its fields; raises KeyError, TypeError or ValueError for anything else."""
        return cls(**data | {"phrases": tuple((int(a), int(b)) for a, b in data.get("phrases", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item as every listing shows it."""

    id: int
    kind: ItemKind
    source: str
    title: str
    url: str | None
    people: tuple[str, ...]
    published: datetime | None
    """Aware UTC, never later than the moment the item was first seen."""
    revised: datetime | None = None
    """When its source last changed its words; None if it never did."""
    story: int | None = None
    """The id of the item that stands for the same story, if this one is folded under it."""
    copies: int = 0
    """How many other items tell the same story."""
    lane: Lane = "for-you"
    p: float | None = None
    """P(you will care), in [0, 1]; None while there are too few labels to say it in numbers."""
    score: float | None = None
    """The logit; None for an item that no model has scored."""
    minutes: float
    """Reading time that a digest plans for it: estimated for this reader; of a long text, its first part."""
    length: float | None = None
    """Estimated reading time of all of it, where that is more than `minutes`."""
    value: float = 0.0
    """What there is to gain by reading it today (`triage.core.worth.gain`): a digest collects as much as
    its minutes hold."""
    match: str = ""
    """How well it fits, in a word: strong, fair, faint; empty for an item that no model has scored."""
    why: tuple[Reason, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    state: str = "new"
    """new, or the last mark: like, love, dislike, save, later; settled, if another copy of its story was
    marked."""

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form; times are RFC 3339."""
        out = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        for moment in ("published", "revised"):
            out[moment] = out[moment].isoformat() if out[moment] else None
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Item:
        """The inverse of `to_json`; raises KeyError, TypeError or ValueError for anything else."""
        fields = {k: v for k, v in data.items() if k != "schema_version"}
        for moment in ("published", "revised"):
            fields[moment] = datetime.fromisoformat(data[moment]) if data.get(moment) else None
        fields["people"] = tuple(data["people"])
        fields["why"] = tuple(Reason(**r) for r in data["why"])
        fields["highlights"] = tuple(Highlight.from_json(h) for h in data["highlights"])
        return cls(**fields)


def lanes(items: Sequence[Item]) -> dict[str, tuple[Item, ...]]:
    """Those of each lane that has any, under its heading, in the order in which a digest shows them."""
    found = ((lane, tuple(item for item in items if item.lane == lane)) for lane in LANE_TITLES)
    return {heading(lane, its): its for lane, its in found if its}


def heading(lane: Lane, items: Sequence[Item]) -> str:
    """What stands over items of one lane; what the reader keeps at hand shares that of people."""
    kept = sum(item.state in AT_HAND for item in items)
    if lane != "people" or not kept:
        return LANE_TITLES[lane]
    return "Kept" if kept == len(items) else f"{LANE_TITLES[lane]} and kept"


@dataclass(frozen=True, slots=True)
class Drawn:
    """An item that chance has put into a digest, to learn what the reader thinks of it."""

    id: int
    propensity: float
    """How likely it was to be drawn in its turn, in (0, 1]: what its mark weighs is one over this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A day's reading: it fits into its minutes, and it ends."""

    built_at: datetime
    budget_minutes: float
    items: tuple[Item, ...]
    considered: int = 0
    """How many items were weighed for it."""
    repeats: int = 0
    """How many of those repeat a story that another item already tells."""
    ruled_out: int = 0
    """How many of them a rule of the reader's keeps out."""
    people_left: int = 0
    """How many from people, or saved, had no room."""
    unfit: int = 0
    """How many others were worth a place, but had no room, or their source had its share."""
    too_old: int = 0
    """How many are worth too little beside the others, and older than `triage.core.worth.OLD` half-lives."""
    missed: float | None = None
    """How many of what came since the reader last looked, and was left out, would matter to them, as the
    ranker expects; None while there are too few marks to say it in numbers."""
    since: datetime | None = None
    """When the reader last looked, if they have missed a day or more since."""
    day: datetime | None = None
    """When its day began: what was marked or read since then stays in it."""
    staying: tuple[int, ...] = ()
    """Ids of the items that it was built with; they have a small advantage while marks change the order."""
    value: float = 0.0
    """What its items are worth together."""
    bound: float = 0.0
    """No choice of items under the same rules (`triage.core.budget`) would be worth more."""
    words_per_minute: float = 0.0
    """The speed of reading that the minutes are estimated with."""
    paced_by: int = 0
    """On how many of the reader's own readings that rests; 0 if it is the speed of readers in general."""
    labels: int = 0
    """How many marks taught the order."""
    by_words: int = 0
    """How many items are ranked by their words alone, because the encoder does not read their script."""
    profile: str = ""
    """Hash of everything the order depends on besides the items."""
    standings: tuple[float, ...] = ()
    """Of each item, its score in units that stay comparable from day to day: what its mark is judged by."""
    drawn: tuple[Drawn, ...] = ()
    """Drawn when it was built; they stay in their lane while marks change the order of the others."""
    unread: int = 0
    """Of how many items it knows the beginning only, because many came in at once."""
    demo: bool = False
    warnings: tuple[str, ...] = ()
    """What the reader should know about it: English-only encoder, lexical scores only."""

    @property
    def minutes(self) -> float:
        """Estimated reading time of all of it."""
        return sum(item.minutes for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form."""
        return {
            "schema_version": SCHEMA_VERSION,
            "built_at": self.built_at.isoformat(),
            "budget_minutes": self.budget_minutes,
            "items": [item.to_json() for item in self.items],
            "considered": self.considered,
            "repeats": self.repeats,
            "ruled_out": self.ruled_out,
            "people_left": self.people_left,
            "unfit": self.unfit,
            "too_old": self.too_old,
            "missed": self.missed,
            "since": self.since.isoformat() if self.since else None,
            "day": self.day.isoformat() if self.day else None,
            "staying": list(self.staying),
            "value": self.value,
            "bound": self.bound,
            "words_per_minute": self.words_per_minute,
            "paced_by": self.paced_by,
            "labels": self.labels,
            "by_words": self.by_words,
            "profile": self.profile,
            "standings": list(self.standings),
            "drawn": [dataclasses.asdict(each) for each in self.drawn],
            "unread": self.unread,
            "demo": self.demo,
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Digest:
        """The inverse of `to_json`; raises KeyError, TypeError or ValueError for anything else."""
        fields = {k: v for k, v in data.items() if k != "schema_version"}
        fields["built_at"] = datetime.fromisoformat(data["built_at"])
        for moment in ("since", "day"):
            fields[moment] = datetime.fromisoformat(data[moment]) if data.get(moment) else None
        fields["staying"] = tuple(data.get("staying", ()))
        fields["items"] = tuple(Item.from_json(item) for item in data["items"])
        fields["standings"] = tuple(data["standings"])
        fields["drawn"] = tuple(Drawn(**each) for each in data["drawn"])
        fields["warnings"] = tuple(data["warnings"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something that the reader said, which is stored now, in words for them."""

    event_id: int
    message: str
    states: Mapping[int, str] = field(default_factory=dict)
    """Item id -> its state now (see `Item.state`), of the items that it is about."""


@dataclass(frozen=True, slots=True)
class Change:
    """What all that was recorded did to the digest."""

    digest: Digest
    """As it now stands."""
    moved: int
    """How many items of the digest changed their place."""
