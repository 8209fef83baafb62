"""What each order would have done for the reader on the days that have been, in numbers and words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from triage.core import words

LEAST_DAYS = 5
"""Days with something liked: a bootstrap over fewer says next to nothing."""
LEAST_MARKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over days, with the interval in which 95 of 100 bootstrap samples of days lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one order would have done."""

    name: str
    """chronological, rules, before or now."""
    says: str
    """The same in words."""
    found: int
    """Liked items that it would have put into the minutes of their day."""
    share: Estimate
    """Of the liked items, how many are found in their day's minutes; the mean of the days."""
    precision: Estimate
    """Of the items in the minutes, how many were liked."""
    average_precision: Estimate
    behind: Estimate | None = None
    """By how much the present order finds a larger share, day by day; None for the present order itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """The comparison of some orders."""

    message: str
    """One sentence for the reader."""
    marks: int
    """How many marks there are that could have been foreseen."""
    days: int = 0
    """How many days with something liked were looked at."""
    liked: int = 0
    minutes: float = 0.0
    """Of reading, a day."""
    candidates: float = 0.0
    """Items to choose from, on the average day."""
    orders: tuple[Order, ...] = ()


def missing(marks: int, days: int) -> str | None:
    """What there is too little of to compare, in words; None if there is enough."""
    if marks < LEAST_MARKS:
        return (
            f"{LEAST_MARKS} marks are needed to compare orders, and there are {marks}: "
            f"{LEAST_MARKS - marks} to go"
        )
    if days < LEAST_DAYS:
        return (
            f"likes on {LEAST_DAYS} days are needed, after the first ten marks, and there are "
            f"{words.plural(days, 'such day')}"
        )
    return None


def summary(orders: tuple[Order, ...], liked: int, minutes: float) -> str:
    """How the present order fares against the plainest one, and whether that could be chance."""
    now, plain = orders[-1], orders[0]
    said = (
        f"the order of now puts {now.found} of {words.plural(liked, 'liked item')} into the first "
        f"{words.minutes(minutes)} of their day, {plain.says} {plain.found}"
    )
    if plain.behind is not None and plain.behind.low <= 0 <= plain.behind.high:
        return f"{said}; with so few days that may be chance"
    return said
