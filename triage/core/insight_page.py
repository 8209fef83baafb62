"""The insight page as lines of text with roles: the terminal interface gives them colours, the shell none.

Pure. Owns which numbers are said in which words; every number of it is in `triage.core.insight`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Literal, TypeAlias

from triage.core import plots
from triage.core.insight import (
    LEAST_MARKS,
    Bin,
    Calibration,
    Exploration,
    Insight,
    Learned,
    Shift,
    TimeSpent,
    Topic,
    Topics,
)
from triage.core.interval import wilson
from triage.core.text import sanitize_line
from triage.core.words import bar, minutes, plural

Role = Literal["title", "text", "dim", "bar", "up", "down"]
Line: TypeAlias = tuple[tuple[str, Role], ...]
"""Pieces of one line, safe to be drawn as they are."""

PLOT_WIDTH, PLOT_HEIGHT, LEAST_WIDTH = 41, 11, 15
MANY = 10
"""Marks from which on a point of the plot is filled: fewer may lie anywhere."""
BAR_CELLS = 10
NAME = 60
"""Characters of the name of a source, a person or an item."""
DAYS_SHOWN = 14
WEEKS_SHOWN = 13
KINDS = {
    "interest": "Interests, by what mentions them",
    "source": "Sources",
    "person": "People",
    "word": "Words in titles",
    "item": "Items",
}


def page(found: Insight, learned: Learned | None, width: int) -> Iterator[Line]:
    """The page for lines of `width` cells; those of one piece are prose, which may be longer.

    `learned` is None while it is being found out.
    """
    yield from _calibration(found.calibration, max(min(PLOT_WIDTH, width - 8), LEAST_WIDTH))
    yield from _learned(learned)
    yield from _time(found, min(max(width - 42, 6), 24))
    yield from _topics(found.topics)
    yield from _exploration(found.exploration)


def _head(title: str) -> Iterator[Line]:
    yield ()
    yield ((title, "title"),)


def _calibration(found: Calibration, width: int) -> Iterator[Line]:
    yield (("How accurate the probabilities were", "title"),)
    if not found.marks:
        yield (("Nothing to compare yet: no item with a probability was marked.", "dim"),)
        return
    points = [(b.expected, b.liked, "●" if b.marks >= MANY else "○") for b in found.bins]
    for number, row in enumerate(plots.plane(points, width, PLOT_HEIGHT)):
        scale = {0: "100%", PLOT_HEIGHT // 2: "liked", PLOT_HEIGHT - 1: "0%"}.get(number, "")
        yield ((f"{scale:>5} ┤", "dim"), *_dotted(row))
    yield ((" " * 6 + "└" + "─" * width, "dim"), ("", "dim"))
    yield ((" " * 7 + f"0%{'expected':^{width - 6}}100%", "dim"), ("", "dim"))
    yield ((f"● a tenth with {MANY} marks or more, ○ with fewer; on the dotted line they are exact.", "dim"),)
    yield (("Expected → liked, the interval that holds it 9 times in 10, and of how many marks:", "dim"),)
    for each in found.bins:
        yield _bin(each)
    if found.error is None or found.by_chance is None:
        yield (
            (
                f"{plural(found.marks, 'mark')}: too few to say how accurate, {LEAST_MARKS} are needed.",
                "text",
            ),
        )
    else:
        off, chance = f"{100 * found.error:.0f} points", f"{100 * found.by_chance:.0f}"
        said = f"{plural(found.marks, 'mark')}: off by {off} on average; chance alone would make {chance}."
        yield ((said, "text"),)
    yield (("Of marked items only: what you passed over says nothing here.", "dim"),)


def _dotted(row: str) -> Iterator[tuple[str, Role]]:
    for dotted, run in groupby(row, key=lambda character: character in " ·"):
        yield "".join(run), "dim" if dotted else "bar"


def _bin(found: Bin) -> Line:
    filled, empty = bar(found.liked, BAR_CELLS)
    expected = f"  {found.expected:4.0%} → {found.liked:4.0%} "
    between = f" {found.least:.0%} to {found.most:.0%}, {plural(found.marks, 'mark')}"
    return ((expected, "text"), (filled, "bar"), (empty, "dim"), (between, "dim"))


def _learned(found: Learned | None) -> Iterator[Line]:
    yield from _head("What was learned this week")
    if found is None:
        yield (("Ranking without and with it …", "dim"),)
        return
    if not found.shifts:
        yield (("Nothing has moved.", "dim"),)
        return
    since = f"By what you said since {found.since.astimezone():%-d %B}, against the average item:"
    yield ((since, "dim"),)
    most = max(abs(shift.change) for shift in found.shifts)
    for kind, shifts in groupby(found.shifts, key=lambda shift: shift.kind):
        yield ((KINDS.get(kind, kind), "dim"),)
        for shift in shifts:
            yield _shift(shift, most)
    yield (("1 is the spread of the scores of all items.", "dim"),)


def _shift(shift: Shift, most: float) -> Line:
    role: Role = "up" if shift.change > 0 else "down"
    count = f" ({plural(shift.items, 'item')})" if shift.items > 1 else ""
    return (
        (f"{shift.change:+7.2f} ", role),
        (plots.signed(shift.change, most, BAR_CELLS), role),
        (f" {sanitize_line(shift.name, NAME)}{count}", "text"),
    )


def _time(found: Insight, cells: int) -> Iterator[Line]:
    yield from _head("Time spent")
    read, planned = sum(day.read for day in found.time), sum(day.planned for day in found.time)
    if not found.time:
        yield (("No digest and nothing opened yet.", "dim"),)
        return
    opened = plural(sum(day.opened for day in found.time), "item")
    whole = f"{minutes(read)} read of {minutes(planned)} planned, {opened} opened, in {found.days} days"
    yield ((whole, "text"),)
    last = found.time[-1].day
    recent = [day for day in found.time if day.day > last - timedelta(days=DAYS_SHOWN)]
    most = max(max(day.read, day.planned) for day in recent) or 1.0
    for day in recent:
        yield _day(day, most, cells)


def _day(day: TimeSpent, most: float, cells: int) -> Line:
    read = round(cells * day.read / most)
    planned = max(round(cells * day.planned / most), read)
    said = f"{' ' * (cells - planned)} {minutes(day.read)} of {minutes(day.planned)}, {day.opened} opened"
    return (
        (f"  {day.day:%a %d %b} ", "dim"),
        ("━" * read, "bar"),
        ("─" * (planned - read), "dim"),
        (said, "dim"),
    )


def _topics(found: Topics) -> Iterator[Line]:
    yield from _head(f"What digests were about, by {found.by} and week")
    if not found.topics:
        yield (("No digest that you looked at yet.", "dim"),)
        return
    weeks = found.weeks[-WEEKS_SHOWN:]
    yield ((f"Share of what was shown, {weeks[0]:%-d %B} to {weeks[-1] + timedelta(days=6):%-d %B}", "dim"),)
    for topic in found.topics:
        yield _topic(topic, found.shown)


def _topic(topic: Topic, shown: tuple[int, ...]) -> Line:
    shares = [part / whole if whole else 0.0 for part, whole in zip(topic.shown, shown, strict=True)]
    drawn = plots.columns(shares[-WEEKS_SHOWN:])
    count = f" {sum(topic.shown) / sum(shown):4.0%}, kept {sum(topic.kept)} of {sum(topic.shown)}  "
    return (
        (f"  {drawn:<{min(len(shares), WEEKS_SHOWN)}}", "bar"),
        (count, "dim"),
        (sanitize_line(topic.name, NAME), "text"),
    )


def _exploration(found: Exploration) -> Iterator[Line]:
    yield from _head("What was found by chance")
    if not found.shown:
        yield (("Nothing was drawn by chance yet.", "dim"),)
        return
    drawn = f"drawn by chance: kept {found.kept} of {found.shown} ({found.least:.0%} to {found.most:.0%})"
    yield ((f"  {drawn}, disliked {found.disliked}", "text"),)
    least, most = wilson(found.chosen_kept, found.chosen)
    chosen = f"chosen by score: kept {found.chosen_kept} of {found.chosen} ({least:.0%} to {most:.0%})"
    yield ((f"  {chosen}", "text"),)
    if found.weighed is not None and found.shown >= MANY:
        yield ((f"Of all that could have been drawn, about {found.weighed:.0%} would be kept.", "dim"),)
