"""How the ranker and the reader get on: how true its numbers were, what was read, what chance has found.

Pure: counts what the event log, the digests and the openings hold. Nothing here is learned from, and no count
is of things that were left unread.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from triage.core import feedback
from triage.core.feedback import Event
from triage.core.history import Shown
from triage.core.interval import wilson
from triage.core.pace import LONGEST_S
from triage.core.verbs import FORESEEABLE

BINS = 10
LEAST_MARKS = 30
"""Marks from which on the calibration error is said: with fewer, chance alone makes one of ten points."""
TOPICS = 8

Day = Callable[[datetime], date]
"""The day that a moment belongs to where the reader lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The marks of items whose probability lay in one tenth, before they were made."""

    low: float
    high: float
    marks: int
    expected: float
    """Mean of the probabilities."""
    liked: float
    """The share that was liked or loved."""
    least: float
    most: float
    """The interval of `liked` (`triage.core.interval.wilson`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How true the probabilities were. Of marked items: what the reader passed over says nothing here."""

    marks: int
    error: float | None
    """Expected calibration error (Naeini, Cooper & Hauskrecht 2015): the mean distance of `liked` from
    `expected`, over all marks. None with fewer than `LEAST_MARKS`."""
    by_chance: float | None
    """The error that a perfect forecaster would be expected to show with so many marks."""
    bins: tuple[Bin, ...]
    """Those with a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpent:
    """One day."""

    day: date
    planned: float
    """Minutes of its last digest."""
    read: float
    """Minutes that something was open, of each time `LONGEST_S` at most: who leaves is not reading."""
    opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One interest, or source, over the weeks."""

    name: str
    shown: tuple[int, ...]
    kept: tuple[int, ...]
    """Of those shown, by week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """What digests were about, by week."""

    by: str
    """`interest`, or `source` where no interest has put anything into a digest."""
    weeks: tuple[date, ...]
    """Their Mondays."""
    shown: tuple[int, ...]
    """Items of all topics, and of none."""
    topics: tuple[Topic, ...]
    """Those that were shown most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What chance has put into digests that the reader looked at."""

    shown: int
    kept: int
    disliked: int
    least: float
    most: float
    """The interval of the kept share."""
    weighed: float | None
    """The kept share to expect of everything that chance could have drawn: each item counts by one over the
    likelihood of its being drawn (self-normalised: Hesterberg 1995). None if nothing was drawn."""
    chosen: int
    chosen_kept: int
    """The same of what was chosen by its score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """All of it over some days; its fields are those of `triage insight --json`."""

    days: int
    calibration: Calibration
    time: tuple[TimeSpent, ...]
    topics: Topics
    exploration: Exploration

    def to_json(self) -> dict[str, Any]:
        """Its fields; days are ISO 8601."""
        out = dataclasses.asdict(self)
        for spent in out["time"]:
            spent["day"] = spent["day"].isoformat()
        out["topics"]["weeks"] = [week.isoformat() for week in self.topics.weeks]
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far items of one kind have moved against the average item."""

    kind: str
    """source, person, interest, word or item."""
    name: str
    change: float
    """Of the mean standing: 1 is the spread of the scores of all items. Drawn towards 0 where few have it."""
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the marks of some time have taught, by ranking the same items without and with them."""

    since: datetime
    said: int
    """Events since then."""
    shifts: tuple[Shift, ...]
    """By kind; of each those that moved most, up and down."""

    def to_json(self) -> dict[str, Any]:
        """Its fields; times are RFC 3339."""
        return {**dataclasses.asdict(self), "since": self.since.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Learned:
        """The inverse of `to_json`; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            since=datetime.fromisoformat(data["since"]),
            said=data["said"],
            shifts=tuple(Shift(**shift) for shift in data["shifts"]),
        )


def calibration(events: Iterable[Event], foreseen: Mapping[int, float], since: datetime) -> Calibration:
    """Compares what was foreseen of items with what was said of them.

    Args:
        events: The log.
        foreseen: Event id -> the probability on the screen when it was made.
        since: Items that were first marked before are left out.
    """
    counted = feedback.effective(events)
    said = feedback.labels(counted)
    first: dict[int, Event] = {}
    for event in counted:
        if event.verb in FORESEEABLE and event.item_id is not None:
            first.setdefault(event.item_id, event)
    pairs = [
        (foreseen[event.id], said[item] > 0)
        for item, event in first.items()
        if event.at >= since and event.id in foreseen
    ]
    bins = []
    for number in range(BINS):
        inside = [pair for pair in pairs if min(int(pair[0] * BINS), BINS - 1) == number]
        if inside:
            bins.append(_bin(number, inside))
    enough = len(pairs) >= LEAST_MARKS
    return Calibration(
        marks=len(pairs),
        error=sum(b.marks * abs(b.liked - b.expected) for b in bins) / len(pairs) if enough else None,
        by_chance=sum(map(_noise, bins)) / len(pairs) if enough else None,
        bins=tuple(bins),
    )


def _bin(number: int, pairs: Sequence[tuple[float, bool]]) -> Bin:
    liked = sum(wanted for _, wanted in pairs)
    least, most = wilson(liked, len(pairs))
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        marks=len(pairs),
        expected=sum(p for p, _ in pairs) / len(pairs),
        liked=liked / len(pairs),
        least=least,
        most=most,
    )


def _noise(found: Bin) -> float:
    """What chance makes of a bin's share of the error, times all marks: E|x| = sd sqrt(2 / pi)."""
    return math.sqrt(found.marks * found.expected * (1 - found.expected) * 2 / math.pi)


def time_spent(
    shown: Iterable[Shown], opened: Iterable[tuple[datetime, float | None]], day: Day
) -> tuple[TimeSpent, ...]:
    """The days with a digest or something opened, oldest first.

    Args:
        shown: What digests showed, the oldest digest first.
        opened: When something was opened, and for how many seconds, if that is known.
        day: Tells days apart.
    """
    planned: dict[date, dict[int, float]] = {}
    for each in shown:
        last = planned.setdefault(day(each.built_at), {})
        if each.digest not in last:
            last.clear()
        last[each.digest] = last.get(each.digest, 0.0) + each.minutes
    read: Counter[date] = Counter()
    times: Counter[date] = Counter()
    for at, seconds in opened:
        times[day(at)] += 1
        read[day(at)] += min(seconds or 0.0, LONGEST_S)  # type: ignore[assignment]
    return tuple(
        TimeSpent(
            day=each,
            planned=round(sum(planned.get(each, {}).values()), 1),
            read=round(read[each] / 60, 1),
            opened=times[each],
        )
        for each in sorted(planned.keys() | times.keys())
    )


def topics(shown: Iterable[Shown], source_of: Mapping[int, str], kept: Container[int], day: Day) -> Topics:
    """What was shown each week, by the interest that speaks for it most strongly.

    Args:
        shown: What digests showed.
        source_of: Item id -> the name of its source, for a reader whose interests put nothing into a digest.
        kept: Ids of the items that were kept.
        day: Tells days apart.
    """
    items: dict[tuple[date, int], Shown] = {}
    for each in shown:
        built = day(each.built_at)
        items[built - timedelta(days=built.weekday()), each.item] = each
    interest_of = {place: _interest(each) for place, each in items.items()}
    by_interest = any(interest_of.values())
    weeks = sorted({week for week, _ in items})
    place_of = {week: place for place, week in enumerate(weeks)}
    total = [0] * len(weeks)
    counts: dict[str, tuple[list[int], list[int]]] = {}
    for week, item in items:
        place = place_of[week]
        total[place] += 1
        name = interest_of[week, item] if by_interest else source_of.get(item)
        if name is not None:
            seen, liked = counts.setdefault(name, ([0] * len(weeks), [0] * len(weeks)))
            seen[place] += 1
            liked[place] += item in kept
    most = sorted(counts.items(), key=lambda found: (-sum(found[1][0]), found[0]))[:TOPICS]
    return Topics(
        by="interest" if by_interest else "source",
        weeks=tuple(weeks),
        shown=tuple(total),
        topics=tuple(Topic(name=name, shown=tuple(seen), kept=tuple(liked)) for name, (seen, liked) in most),
    )


def _interest(shown: Shown) -> str | None:
    spoken = [why for why in shown.why if why["kind"] == "interest" and why["contribution"] > 0]
    return max(spoken, key=lambda why: why["contribution"])["name"] if spoken else None


def exploration(
    shown: Iterable[Shown],
    drawn: Mapping[tuple[int, int], float],
    kept: Container[int],
    disliked: Container[int],
) -> Exploration:
    """What became of the items that chance has shown, beside those that were chosen.

    Args:
        shown: What digests showed, the oldest first.
        drawn: (digest id, item id) -> how likely the item was to be drawn, in (0, 1].
        kept: Ids of the items that were kept.
        disliked: Ids of the items that were disliked.
    """
    likelihood: dict[int, float] = {}
    chosen: set[int] = set()
    for each in shown:
        if (each.digest, each.item) in drawn:
            likelihood.setdefault(each.item, drawn[each.digest, each.item])
        else:
            chosen.add(each.item)
    chosen -= likelihood.keys()
    liked = [item for item in likelihood if item in kept]
    least, most = wilson(len(liked), len(likelihood))
    weights = {item: 1 / p for item, p in likelihood.items()}
    return Exploration(
        shown=len(likelihood),
        kept=len(liked),
        disliked=sum(item in disliked for item in likelihood),
        least=least,
        most=most,
        weighed=sum(weights[item] for item in liked) / sum(weights.values()) if weights else None,
        chosen=len(chosen),
        chosen_kept=sum(item in kept for item in chosen),
    )
