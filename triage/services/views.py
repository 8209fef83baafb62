"""From rows of the store to the values of `triage.core.items`: one translation for every listing."""

from __future__ import annotations

from triage.core import fulltext
from triage.core.budget import lane_of, reading_minutes
from triage.core.feedback import AT_HAND
from triage.core.fulltext import Facts
from triage.core.items import Highlight, Item, ItemKind, Reading, Reason
from triage.services.translate import measure
from triage.store.fulltext import FullTextRow
from triage.store.items import ItemRow

NUMBERS_FROM = 15
"""Marks from which on a probability is said in numbers; with fewer it would pretend to know."""

_KINDS: dict[str, ItemKind] = {"feed": "feed", "mail": "mail", "paper": "paper"}


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
    """
    logit = row.logit if logit is None else logit
    probability = row.probability if probability is None else probability
    kind = _KINDS[row.kind]
    return Item(
        id=row.id,
        kind=kind,
        source=row.source,
        title=row.title,
        url=row.url,
        people=tuple(row.people),
        published=row.published_at,
        revised=row.revised_at,
        story=story,
        copies=copies,
        lane=lane_of(kind, row.personal, state in AT_HAND),
        p=probability if labels >= NUMBERS_FROM else None,
        score=logit,
        minutes=round(reading_minutes(row.words, row.cjk_characters), 2),
        value=probability or 0.0,
        why=why,
        highlights=highlights,
        state=state,
    )


def facts(row: FullTextRow) -> Facts:
    """What decides on the full text of an item."""
    words, cjk_characters = measure(row.served)
    chosen = row.options.get("full_text")
    return Facts(
        kind=_KINDS[row.kind],
        url=row.url,
        text=row.served,
        words=words,
        cjk_characters=cjk_characters,
        flags=frozenset(row.flags),
        personal=row.personal,
        part=row.part,
        source=row.target,
        setting=chosen if chosen in fulltext.SETTINGS else "auto",
    )


def reading(item: Item, text: str, row: FullTextRow) -> Reading:
    """An item opened, with what a reader should know about its text."""
    state, note = fulltext.state_of(facts(row), row.attempt)
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
