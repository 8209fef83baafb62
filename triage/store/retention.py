"""Statements that drop what is past its time. What an event or an opening names is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, or_, select

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
_NOBODYS = (
    Item.personal.is_(False),
    select(ItemText.item_id).where(ItemText.item_id == Item.id).exists(),
    ~select(Event.id).where(Event.item_id == Item.id).exists(),
    ~select(Opening.id).where(Opening.item_id == Item.id).exists(),
)
"""With a text that nothing speaks for: no mark, no opening, no person who wrote to the reader."""


def past(connection: Connection, kind: str, before: datetime, after: int, limit: int) -> list[int]:
    """The first items with an id above `after` whose texts may go: first seen before then, and nobody's."""
    chosen = select(Item.id).where(Item.kind == kind, Item.first_seen_at < before, Item.id > after, *_NOBODYS)
    return list(connection.execute(chosen.order_by(Item.id).limit(limit)).scalars())


def empty(connection: Connection, ids: Sequence[int]) -> int:
    """Drops the texts of these items, but of those that have become somebody's; how many lost theirs."""
    still = list(connection.execute(select(Item.id).where(Item.id.in_(ids), *_NOBODYS)).scalars())
    if still:
        search.forget(connection, still)
        for part in _PARTS:
            connection.execute(delete(part).where(part.item_id.in_(still)))
    return len(still)


def last_digest(connection: Connection, before: datetime) -> datetime | None:
    """When the last digest was built of those that were built before then."""
    return connection.execute(select(func.max(Digest.built_at)).where(Digest.built_at < before)).scalar_one()


def drop_digests(connection: Connection, before: datetime, unseen_before: datetime) -> None:
    """Drops digests that were built before then, earlier those that nobody looked at; never the latest."""
    latest = select(func.max(Digest.id)).scalar_subquery()
    looked_at = or_(Digest.seen_at.is_not(None), exists().where(Opening.digest_id == Digest.id))
    past = or_(Digest.built_at < before, and_(Digest.built_at < unseen_before, ~looked_at))
    connection.execute(delete(Digest).where(past, Digest.id < latest))


def drop_contacts(connection: Connection, before: datetime) -> None:
    """Forgets which hosts were asked before then."""
    connection.execute(delete(Contact).where(Contact.day < before.date().isoformat()))
