"""Listing and opening items that are stored; works without the model worker."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from triage.config import Clock
from triage.core import feedback, links
from triage.core.errors import UsageError
from triage.core.items import Digest, Item
from triage.core.readings import Copy, Reading, Related, Relation
from triage.core.stories import SETTLED
from triage.services.reader import folding, past, views
from triage.store import feedback as event_log
from triage.store import fulltext, items, openings, scores
from triage.store.engine import Database
from triage.store.items import ItemRow

FOLDED_FROM = 2
"""So many times the items of a list are looked at: as long as half of them are told again, it is full."""


def best(database: Database, limit: int, since: datetime | None = None) -> list[Item]:
    """The stored items of the highest score, those that tell the same folded under the first of them."""
    with database.read() as connection:
        rows = items.best(connection, FOLDED_FROM * limit, since)
    found = as_shown(database, rows)
    listed = {item.id for item in found}
    return [item for item in found if item.story not in listed][:limit]


def latest_of(database: Database, source_id: int, limit: int) -> list[Item]:
    """What one source brought last, the latest first."""
    with database.read() as connection:
        rows = items.latest_of(connection, source_id, limit)
    return as_shown(database, rows)


def read(database: Database, item_id: int, digest: Digest | None = None) -> Reading:
    """One item with its whole text; with its highlights, if `digest` has it.

    Raises:
        UsageError: There is no such item.
    """
    with database.read() as connection:
        row = items.get(connection, item_id)
        if row is None:
            raise UsageError(f"there is no item {item_id}", fix="triage list")
        text = items.text(connection, item_id)
        leads_to = items.links(connection, item_id)
        belonging = items.related(connection, item_id)
        behind = fulltext.rows(connection, [item_id])[item_id]
        others = folding.around(connection, event_log.events(connection), [item_id]).others(item_id)
        told = items.by_ids(connection, others)
    explained = next((item for item in digest.items if item.id == item_id), None) if digest else None
    item = _in_place(explained, text) if explained else as_shown(database, [row])[0]
    copies = tuple(Copy(i, told[i].source, told[i].title, told[i].url) for i in others if i in told)
    return dataclasses.replace(
        views.reading(item, text, behind),
        copies=copies,
        links=links.links(text, leads_to),
        related=tuple(_related(relation, row) for relation, row in belonging),
    )


def opened(database: Database, clock: Clock, item_id: int, seconds: float | None = None) -> None:
    """Remembers that the reader opened an item, and for how long if that is known."""
    with database.write() as connection:
        if items.get(connection, item_id) is not None:
            digest = scores.latest_digest(connection)
            shown = digest is not None and any(item["id"] == item_id for item in digest.document["items"])
            openings.add(connection, item_id, clock(), seconds, digest.id if digest and shown else None)


def _related(relation: Relation, row: ItemRow) -> Related:
    who = row.people[0] if row.people else ""
    return Related(row.id, relation, row.title, who, row.published_at)


def _in_place(item: Item, text: str) -> Item:
    """Without the highlights of a text that another has replaced since the item was ranked."""
    kept = tuple(h for h in item.highlights if text[h.start : h.end] == h.text)
    return item if kept == item.highlights else dataclasses.replace(item, highlights=kept)


def stories(database: Database, since: datetime) -> list[list[Item]]:
    """The stories that several items tell, one of them first seen since then; the newest story first.

    Of each, the item that stands for it comes first.
    """
    with database.read() as connection:
        found = folding.recent(connection, event_log.events(connection), since)
        rows = items.by_ids(connection, [i for members in found for i in members])
    listed = [[rows[i] for i in members if i in rows] for members in found]
    listed.sort(key=lambda told: max(row.first_seen_at for row in told), reverse=True)
    views_of = {item.id: item for item in as_shown(database, [row for told in listed for row in told])}
    return [
        sorted((views_of[row.id] for row in told), key=lambda item: item.story is not None) for told in listed
    ]


def as_shown(database: Database, rows: list[ItemRow]) -> list[Item]:
    """Items as a reader sees them; one that another stands for names it in `story`."""
    with database.read() as connection:
        events = event_log.events(connection)
        stories = folding.around(connection, events, [row.id for row in rows])
        settled = folding.settled(connection, events, stories)
        told = items.by_ids(connection, [i for members in stories for i in members])
        known = past.of_current_day(connection, events)
    states, labels = feedback.states(events), len(feedback.labels(events))
    heads = {members: _head([told[i] for i in members if i in told]) for members in stories}
    head_of = {i: head for members, head in heads.items() for i in members if i != head}
    return [
        views.item(
            row,
            state=states.get(row.id, SETTLED if row.id in settled else "new"),
            labels=labels,
            story=head_of.get(row.id),
            copies=len(stories.others(row.id)),
            pace=known.pace,
            worth=known.worth(row, states.get(row.id, "new"), row.probability or 0.0),
        )
        for row in rows
    ]


def _head(rows: list[ItemRow]) -> int | None:
    """The item that stands for a story: that of the highest score, or the first."""
    best = max(rows, key=lambda row: (row.logit is not None, row.logit or 0.0, -row.id), default=None)
    return None if best is None else best.id
