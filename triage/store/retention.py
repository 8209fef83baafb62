"""Statements that drop what is past its time. What an event or an opening names is never touched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from triage.store import search
from triage.store.schema import (
    Contact,
    Digest,
    Event,
    FullText,
    Item,
    ItemStory,
    ItemTerms,
    ItemText,
    Opening,
    Passage,
    Score,
)

_PARTS = (Passage, ItemTerms, ItemStory, Score, FullText, ItemText)


def empty(connection: Connection, kind: str, before: datetime, limit: int) -> int:
    """Drops the texts of items first seen before then, at most `limit`; how many lost theirs."""
    chosen = (
        select(Item.id)
        .join(ItemText, ItemText.item_id == Item.id)
        .where(
            Item.kind == kind,
            Item.first_seen_at < before,
            Item.personal.is_(False),
            ~select(Event.id).where(Event.item_id == Item.id).exists(),
            ~select(Opening.id).where(Opening.item_id == Item.id).exists(),
        )
        .order_by(Item.id)
        .limit(limit)
    )
    ids = list(connection.execute(chosen).scalars())
    if ids:
        search.forget(connection, ids)
        for part in _PARTS:
            connection.execute(delete(part).where(part.item_id.in_(ids)))
    return len(ids)


def drop_digests(connection: Connection, before: datetime) -> None:
    """Drops digests that were built before then, never the latest."""
    latest = select(func.max(Digest.id)).scalar_subquery()
    connection.execute(delete(Digest).where(Digest.built_at < before, Digest.id < latest))


def drop_contacts(connection: Connection, before: datetime) -> None:
    """Forgets which hosts were asked before then."""
    connection.execute(delete(Contact).where(Contact.day < before.date().isoformat()))
