"""From rows of the store to the values of `triage.core.items`: one translation for every listing."""

from __future__ import annotations

from triage.core import fulltext, words
from triage.core.budget import lane_of
from triage.core.items import KINDS, Highlight, Item, ItemKind, Lane, Reason
from triage.core.pace import GENERAL, PLANNED_MINUTES, Pace
from triage.core.readings import Reading
from triage.core.verbs import AT_HAND
from triage.core.worth import gain
from triage.store.fulltext import FullTextRow
from triage.store.items import ItemRow

NUMBERS_FROM = 15
"""Marks from which on a probability is said in numbers; with fewer it would pretend to know."""


def item(
    row: ItemRow,
    *,
    state: str = "new",
    labels: int = 0,
    logit: float | None = None,
    probability: float | None = None,
    why: tuple[Reason, ...] = (),
    highlights: tuple[Highlight, ...] = (),
    story: int | None = None,
    copies: int = 0,
    pace: Pace = GENERAL,
    worth: float | None = None,
) -> Item:
    """One item as a reader sees it.

    Args:
        row: As stored.
        state: Its last mark.
        labels: How many marks have taught the ranker; decides whether `p` is said in numbers.
        logit: A score newer than the stored one.
        probability: Its probability.
        why: Its reasons, if known.
        highlights: Its highlights, if known.
        story: The item that it repeats.
        copies: How many other items tell the same story.
        pace: How fast the reader reads.
        worth: What reading it is worth; None for its probability.
    """
    logit = row.logit if logit is None else logit
    probability = row.probability if probability is None else probability
    whole, minutes = _whole(row, pace), planned(row, pace)
    return Item(
        id=row.id,
        kind=kind(row),
        source=row.source,
        title=row.title,
        url=row.url,
        people=tuple(row.people),
        published=row.published_at,
        revised=row.revised_at,
        story=story,
        copies=copies,
        lane=lane(row, state),
        p=probability if labels >= NUMBERS_FROM else None,
        score=logit,
        minutes=minutes,
        length=whole if whole > PLANNED_MINUTES else None,
        value=round(gain((probability or 0.0) if worth is None else worth, minutes), 4),
        match="" if logit is None else words.match(probability or 0.0, logit),
        why=why,
        highlights=highlights,
        state=state,
    )


def planned(row: ItemRow, pace: Pace) -> float:
    """The minutes that a digest plans for an item."""
    return min(_whole(row, pace), PLANNED_MINUTES)


def _whole(row: ItemRow, pace: Pace) -> float:
    return round(pace.minutes(row.words, row.cjk_characters, kind(row)), 2)


def kind(row: ItemRow) -> ItemKind:
    """What an item is."""
    return KINDS[row.kind]


def lane(row: ItemRow, state: str = "new") -> Lane:
    """Where an item stands."""
    return lane_of(kind(row), row.personal, state in AT_HAND)


def reading(item: Item, text: str, row: FullTextRow) -> Reading:
    """An item opened, with what a reader should know about its text."""
    state, note = fulltext.state_of(row.facts, row.attempt)
    again = row.attempt.next_try_at if row.attempt is not None else None
    if note is not None and again is not None:
        note += f" (next try {again.astimezone():%a %H:%M})"
    return Reading(
        item=item,
        text=text,
        text_state=state,
        text_note=note,
        text_url=row.found_at if state == "full" else None,
    )
