"""Statements for what leaves a database and comes into another: whole items, and the sources they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from triage.core.feedback import Event
from triage.core.portable import item_name
from triage.store import feedback as event_log
from triage.store import schema
from triage.store.chunks import chunks
from triage.store.schema import FullText, Item, ItemText, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableSource:
    """A source as it is exported."""

    id: int
    ingestor: str
    kind: str
    target: str
    title: str
    tags: list[str]
    options: Mapping[str, Any]
    paused: str | None
    subscribed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableItem:
    """An item with everything that ranking and reading take."""

    id: int
    source_id: int
    key: str
    kind: str
    title: str
    url: str | None
    people: list[str]
    tags: list[str]
    identifiers: Mapping[str, str]
    links: Sequence[Sequence[str]] | None
    personal: bool
    flags: list[str]
    parent_id: int | None
    published_at: datetime | None
    first_seen_at: datetime
    text: str
    served: str | None
    """What the source served in the place of `text`; None if that is it."""
    found_at: str | None


def all_sources(connection: Connection) -> dict[int, PortableSource]:
    """Source id -> source, the removed ones too."""
    rows = connection.execute(
        select(
            Source.id,
            Source.ingestor,
            Source.kind,
            Source.target,
            Source.title,
            Source.tags,
            Source.options,
            Source.paused,
            Source.removed_at.is_(None).label("subscribed"),
        ).order_by(Source.id)
    )
    return {row.id: PortableSource(**row._mapping) for row in rows}


def names_of_items(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Item id -> the name that holds on every machine."""
    found: dict[int, str] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(Item.id, Source.ingestor, Source.target, Item.key)
            .join(Source, Source.id == Item.source_id)
            .where(Item.id.in_(chunk))
        )
        found |= {row[0]: item_name(row[1], row[2], row[3]) for row in rows}
    return found


def whole_items(connection: Connection, ids: Sequence[int]) -> Iterator[PortableItem]:
    """Those items, by id."""
    for chunk in chunks(ids):
        rows = connection.execute(
            select(
                Item.id,
                Item.source_id,
                Item.key,
                Item.kind,
                Item.title,
                Item.url,
                Item.people,
                Item.tags,
                Item.identifiers,
                Item.personal,
                Item.flags,
                Item.parent_id,
                Item.published_at,
                Item.first_seen_at,
                ItemText.text,
                ItemText.links,
                FullText.served,
                FullText.url.label("found_at"),
            )
            .outerjoin(ItemText, ItemText.item_id == Item.id)
            .outerjoin(FullText, FullText.item_id == Item.id)
            .where(Item.id.in_(chunk))
            .order_by(Item.id)
        )
        for row in rows:
            yield PortableItem(**{**row._mapping, "text": row.text or ""})


def ids_since(connection: Connection, moment: datetime, limit: int) -> list[int]:
    """Ids of the newest items first seen at or after a moment, by id."""
    newest = select(Item.id).where(Item.first_seen_at >= moment).order_by(Item.id.desc()).limit(limit)
    return sorted(connection.execute(newest).scalars())


def shown_with(connection: Connection) -> dict[int, dict[str, Any]]:
    """Event id -> what was on the screen when it was said."""
    rows = connection.execute(select(schema.Event.id, schema.Event.shown))
    return {row[0]: row[1] for row in rows}


def item_of_key(connection: Connection, source_id: int, key: str) -> int | None:
    """The item of a source with this key, if there is one."""
    found = select(Item.id).where(Item.source_id == source_id, Item.key == key)
    return connection.execute(found).scalar_one_or_none()


def add_event(
    connection: Connection, event: Event, shown: Mapping[str, Any], *, opens_step: bool = False
) -> int:
    """Adds an event that was said elsewhere, with the stamp that it has there; returns its id here.

    Args:
        connection: In a transaction that writes.
        event: Its own id is not used; the others in it are those of this database.
        shown: What was on the screen when it was said.
        opens_step: Whether its step is named by itself.
    """
    event_id = event_log.last_id(connection) + 1  # nobody else writes meanwhile
    connection.execute(
        insert(schema.Event).values(
            id=event_id,
            at=event.at,
            stamp=event.stamp,
            verb=event.verb.value,
            item_id=event.item_id,
            undoes=event.undoes,
            phrase=event.phrase,
            weight=event.weight,
            standing=event.standing,
            model=event.model,
            shown=dict(shown),
            until=event.until,
            scope=event.scope,
            step=event_id if opens_step else event.step,
        )
    )
    return event_id
