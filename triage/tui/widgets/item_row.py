"""One item as two lines of the list: what goes where at which width. Pure drawing, no state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from triage.core import words
from triage.core.items import Item
from triage.tui.cells import clip, fit, line

LINES = 2
WIDE = 90
"""From this width on, source, age and minutes stand in columns of the first line."""
NARROW = 34
"""Below this width the bar goes too."""
SOURCE_CELLS = 16
INDENT = 4
CURSOR = "▌"

Styles = Mapping[str, Style]
"""By part: title, faint, dim, bar, track, mark, passage, cursor."""


@dataclass(frozen=True, slots=True)
class RowView:
    """What decides how an item looks besides the item."""

    width: int
    now: datetime
    state: str
    selected: bool


def row_segments(item: Item, part: int, view: RowView, styles: Styles) -> list[Segment]:
    """Line `part` (0 or 1) of `item`, exactly `view.width` cells wide."""
    draw = _first if part == 0 else _second
    lead = [Segment(CURSOR if view.selected else " ", styles["cursor"])]
    return lead + draw(item, view, styles)


def _first(item: Item, view: RowView, styles: Styles) -> list[Segment]:
    right: list[Segment] = []
    if view.width >= WIDE:
        facts = (
            fit(_origin(item), SOURCE_CELLS),
            fit(words.age(item.published, view.now), 5, right=True),
            fit(words.minutes(item.length or item.minutes), 8, right=True),
        )
        right.append(Segment("  " + "".join(facts), styles["dim"]))
    if view.width >= NARROW:
        right += [Segment("  ", styles["dim"]), *_care(item, styles)]
    used = sum(cell_len(segment.text) for segment in right)
    title = styles["faint" if view.state == "dislike" else "title"]
    room = view.width - INDENT - used - 1
    told = clip(words.copies(item), room)
    return [
        Segment(fit(f" {words.GLYPHS.get(view.state, ' ')} ", 3), styles["mark"]),
        Segment(fit(line(item.title) or "(no title)", room - cell_len(told)), title),
        Segment(told, styles["dim"]),
        *right,
        Segment(" ", title),
    ]


def _second(item: Item, view: RowView, styles: Styles) -> list[Segment]:
    room = view.width - INDENT
    best = max(item.highlights, key=lambda h: h.contribution, default=None)
    passage = line(best.text) if best is not None and best.contribution >= 0 else ""
    known = [words.revised(item, view.now)]
    if view.width < WIDE:
        known += [_origin(item), words.age(item.published, view.now), words.reading_time(item)]
    elif not passage:
        known.append(line(", ".join(item.people[:4])))
    facts = clip(" · ".join(fact for fact in known if fact), room)
    passage = f"  {passage}" if passage and facts else passage
    room -= cell_len(facts)
    return [
        Segment(" " * (INDENT - 1), styles["dim"]),
        Segment(facts, styles["dim"]),
        Segment(fit(passage, max(room - 1, 0)), styles["passage"]),
        Segment(" " * min(room, 1), styles["dim"]),
    ]


def _origin(item: Item) -> str:
    """Who wrote, for mail; where it stood, for everything else; an address is left to the text's head."""
    if item.kind != "mail" or not item.people:
        return line(item.source)
    sender = line(item.people[0])
    return sender.partition(" <")[0] or sender


def _care(item: Item, styles: Styles) -> list[Segment]:
    if item.p is None:
        return [Segment(fit(item.match, words.BAR_CELLS + 1), styles["dim"])]
    filled, empty = words.bar(item.p)
    return [Segment(filled, styles["bar"]), Segment(empty + " ", styles["track"])]
