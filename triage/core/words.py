"""How numbers and times of items are written in a few cells. Pure; knows no widget."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from triage.core import links
from triage.core.items import Item
from triage.core.links import Link
from triage.core.text import sanitize_line
from triage.core.verbs import PAST_TENSE, Verb

if TYPE_CHECKING:
    from triage.core.readings import Reading, Related, Relation

BAR_CELLS = 5
PASSAGE = 240
"""Characters of the passage under an item."""
STRONG, FAIR = 0.35, 0.17
"""Chances from which on a match is called so; what nobody has said anything about stands at .15."""
PENDING = "being stored"
"""The state of an item whose mark is not stored yet."""
GLYPHS = {"like": "+", "love": "♥", "dislike": "−", "save": "★", "later": "»", "settled": "=", PENDING: "…"}
"""One cell each, and different without colour."""
_VERBS = frozenset(verb.value for verb in PAST_TENSE)


def state(mark: str) -> str:
    """The state of an item as people say it: `liked`, `new`."""
    return PAST_TENSE[Verb(mark)] if mark in _VERBS else mark


def age(published: datetime | None, now: datetime) -> str:
    """The age in at most four cells: `now`, `5m`, `3h`, `2d`, `6w`, `9mo`, `3y`; empty if unknown."""
    if published is None:
        return ""
    minutes = int((now - published).total_seconds() // 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    if minutes < 1:
        return "now"
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h"
    if days < 14:
        return f"{days}d"
    if days < 60:
        return f"{days // 7}w"
    return f"{days // 30}mo" if days < 365 else f"{days // 365}y"


def revised(item: Item, now: datetime) -> str:
    """That its source changed it, and when; empty if it never did."""
    return f"revised {age(item.revised, now)}" if item.revised else ""


def copies(item: Item) -> str:
    """How many other items tell the same, to be put behind a title: `  +3`; empty if none does."""
    return f"  +{item.copies}" if item.copies else ""


def minutes(value: float) -> str:
    """A reading time in at most eight cells: `0 min`, `<1 min`, `4 min`, `2 h 10`."""
    if 0 < value < 0.75:
        return "<1 min"
    whole = round(value)
    return f"{whole} min" if whole < 100 else f"{whole // 60} h {whole % 60:02d}"


def duration(seconds: float) -> str:
    """A span of time in its largest fitting unit: `45 s`, `30 min`, `6 h`, `2 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def plural(count: int, noun: str) -> str:
    """`1 item`, `2 items`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def by_words(count: int) -> str:
    """That some items could only be ranked by their words."""
    are = "is" if count == 1 else "are"
    return f"{plural(count, 'item')} in scripts that the encoder does not read {are} ranked by words alone."


def bar(share: float, cells: int = BAR_CELLS) -> tuple[str, str]:
    """A bar for `share` in [0, 1] as its filled and its empty part, `cells` together, in half-cell steps."""
    halves = round(min(max(share, 0.0), 1.0) * cells * 2)
    filled = "━" * (halves // 2) + "╸" * (halves % 2)
    return filled, "─" * (cells - len(filled))


def match(chance: float, score: float) -> str:
    """How well an item fits, in a word of at most six letters, while there is no probability to show.

    From few marks a chance is near the share of them that were likes, whatever the item: where more speaks
    against it than for it, as its reasons say, it is no match that one would call fair.
    """
    if chance < FAIR or score < 0:
        return "faint"
    return "strong" if chance >= STRONG else "fair"


def reading_time(item: Item) -> str:
    """The time that an item takes: `4 min`, or `8 of 35 min` of something long."""
    if item.length is None:
        return minutes(item.minutes)
    return f"{round(item.minutes)} of {minutes(item.length)}"


def facts(item: Item, now: datetime) -> list[str]:
    """What there is to know of an item besides its title: source, person, age, time, chance; sanitised."""
    known = [
        sanitize_line(item.source),
        sanitize_line(item.people[0]) if item.people else "",
        age(item.published, now),
        revised(item, now),
        reading_time(item),
        f"{item.p:.0%}" if item.p is not None else item.match,
    ]
    return list(dict.fromkeys(fact for fact in known if fact))


def passage(item: Item) -> str:
    """The passage that speaks most for an item, sanitised; empty if none does."""
    best = max(item.highlights, key=lambda h: h.contribution, default=None)
    return sanitize_line(best.text, PASSAGE) if best is not None and best.contribution >= 0 else ""


def day(moment: datetime) -> str:
    """A local day in words: `Thursday 5 March`."""
    local = moment.astimezone()
    return f"{local:%A} {local.day} {local:%B}"


def text_note(reading: Reading) -> str:
    """What a reader should know about the text of an item; empty if it is all that there is."""
    if reading.text_state == "summary":
        return f"Summary only: {reading.text_note}"
    if reading.text_state == "full":
        where = links.host(reading.text_url or "") or "its page"
        return f"Full text from {where}" + (f"; {reading.text_note}" if reading.text_note else "")
    return ""


RELATIONS: dict[Relation, str] = {"whole": "cut from", "story": "story", "thread": "thread"}


def related(other: Related, now: datetime) -> str:
    """How another item belongs to the one that is open, and whose and how old it is."""
    facts = [other.who, age(other.published, now)] if other.relation == "thread" else []
    return " ".join([RELATIONS[other.relation], *(fact for fact in facts if fact)])


def link(leads_to: Link) -> str:
    """The words of a link and its whole address, which says where it leads more honestly than they do."""
    return leads_to.url if leads_to.words == leads_to.url else f"{leads_to.words} — {leads_to.url}"


def care(item: Item) -> str:
    """The chance that the reader will care, as words for the head of a text."""
    if item.p is not None:
        return f"{round(item.p * 100)}% likely to matter to you"
    return f"a {item.match} match, too early for a probability" if item.match else "not ranked"
