"""Listing, finding and opening items that are stored; works without the model worker."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from triage.core import feedback
from triage.core.errors import UsageError
from triage.core.items import Digest, Item, Reading
from triage.services import views
from triage.store import feedback as event_log
from triage.store import fulltext, items, search
from triage.store.engine import Database
from triage.store.items import ItemRow

SEARCH_LIMIT = 200


def best(database: Database, limit: int, since: datetime | None = None) -> list[Item]:
    """The stored items of the highest score."""
    with database.read() as connection:
        rows = items.best(connection, limit, since)
    return _views(database, rows)


def latest_of(database: Database, source_id: int, limit: int) -> list[Item]:
    """What one source brought last, the latest first."""
    with database.read() as connection:
        rows = items.latest_of(connection, source_id, limit)
    return _views(database, rows)


def find(database: Database, query: str, limit: int = SEARCH_LIMIT) -> list[Item]:
    """Items that hold every word of `query`, best match first."""
    with database.read() as connection:
        ids = search.search(connection, query, limit)
        rows = items.by_ids(connection, ids)
    return _views(database, [rows[i] for i in ids if i in rows])


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
        behind = fulltext.rows(connection, [item_id])[item_id]
    explained = next((item for item in digest.items if item.id == item_id), None) if digest else None
    item = _in_place(explained, text) if explained else _views(database, [row])[0]
    return views.reading(item, text, behind)


def _in_place(item: Item, text: str) -> Item:
    """Without the highlights of a text that another has replaced since the item was ranked."""
    kept = tuple(h for h in item.highlights if text[h.start : h.end] == h.text)
    return item if kept == item.highlights else dataclasses.replace(item, highlights=kept)


def _views(database: Database, rows: list[ItemRow]) -> list[Item]:
    with database.read() as connection:
        events = event_log.events(connection)
    states, labels = feedback.states(events), len(feedback.labels(events))
    return [views.item(row, state=states.get(row.id, "new"), labels=labels) for row in rows]
