"""Statements on stories: which story each item tells, and what items are compared by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select

from triage.store.chunks import chunks
from triage.store.schema import Item, ItemStory, ItemText


@dataclass(frozen=True, slots=True)
class StoryRow:
    """An item with what its story is found by."""

    id: int
    kind: str
    source_id: int
    title: str
    people: list[str]
    identifiers: dict[str, Any]
    personal: bool
    parent_id: int | None
    published_at: datetime | None
    first_seen_at: datetime
    text: str | None
    """None for one that is grouped already."""
    story: int | None
    particulars: bytes | None


def _select(text: bool) -> Select[*tuple[Any, ...]]:
    columns = (
        Item.id,
        Item.kind,
        Item.source_id,
        Item.title,
        Item.people,
        Item.identifiers,
        Item.personal,
        Item.parent_id,
        Item.published_at,
        Item.first_seen_at,
    )
    if text:
        return select(*columns, ItemText.text).join(ItemText, ItemText.item_id == Item.id)
    return select(*columns)


def newest(connection: Connection, since: datetime, limit: int) -> dict[int, int | None]:
    """Item id -> story, None where not known yet, of the newest items first seen since then, oldest first."""
    chosen = (
        select(Item.id)
        .where(Item.first_seen_at >= since)
        .order_by(Item.first_seen_at.desc(), Item.id.desc())
        .limit(limit)
        .subquery()
    )
    rows = connection.execute(
        select(chosen.c.id, ItemStory.story).outerjoin(ItemStory, ItemStory.item_id == chosen.c.id)
    )
    return dict(sorted((item_id, story) for item_id, story in rows))


def ungrouped(connection: Connection, ids: Sequence[int]) -> list[StoryRow]:
    """Those items whose passages are there and whose story is not known, oldest first."""
    rows = connection.execute(
        _select(text=True)
        .outerjoin(ItemStory, ItemStory.item_id == Item.id)
        .where(Item.id.in_(ids), Item.indexed_with.is_not(None), ItemStory.item_id.is_(None))
        .order_by(Item.id)
    )
    return [StoryRow(*[*row, None, None]) for row in rows]


def grouped(connection: Connection, ids: Sequence[int]) -> list[StoryRow]:
    """Those items whose story is known, without their texts."""
    found: list[StoryRow] = []
    for chunk in chunks(ids):
        rows = connection.execute(
            _select(text=False)
            .add_columns(ItemStory.story, ItemStory.particulars)
            .join(ItemStory, ItemStory.item_id == Item.id)
            .where(Item.id.in_(chunk))
            .order_by(Item.id)
        )
        found += [StoryRow(*[*row[:-2], None, *row[-2:]]) for row in rows]
    return found


def put(connection: Connection, rows: Iterable[tuple[int, int, bytes]]) -> None:
    """Stores (item id, story, particulars) of items whose story was not known."""
    values = [{"item_id": item, "story": story, "particulars": packed} for item, story, packed in rows]
    if values:
        connection.execute(insert(ItemStory), values)


_own, _other = ItemStory.__table__.alias(), ItemStory.__table__.alias()
# Built once: with the ids as values of the statement, making it takes longer than running it. Most stories
# are told once, and 20,000 rows that say so would take as long as ranking.
_AROUND = select(ItemStory.item_id, ItemStory.story).where(
    ItemStory.story.in_(
        select(_own.c.story)
        .join(_other, (_other.c.story == _own.c.story) & (_other.c.item_id != _own.c.item_id))
        .where(_own.c.item_id.in_(bindparam("ids", expanding=True)))
    )
)


def around(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Item id -> story, of those items that do not tell theirs alone and of all that tell the same."""
    found: dict[int, int] = {}
    for chunk in chunks(ids):
        rows = connection.execute(_AROUND, {"ids": chunk})
        found.update((item_id, story) for item_id, story in rows)
    return found


def retold(connection: Connection, since: datetime) -> dict[int, int]:
    """Item id -> story, of all stories that several items tell, one of them first seen since then."""
    several = (
        select(ItemStory.story)
        .join(Item, Item.id == ItemStory.item_id)
        .group_by(ItemStory.story)
        .having(func.count() > 1, func.max(Item.first_seen_at) >= since)
    )
    rows = connection.execute(select(ItemStory.item_id, ItemStory.story).where(ItemStory.story.in_(several)))
    return {item_id: story for item_id, story in rows}  # noqa: C416 - rows are no pairs to a type checker


def first_seen(connection: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """When each of these items came in."""
    found: dict[int, datetime] = {}
    for chunk in chunks(ids):
        rows = connection.execute(select(Item.id, Item.first_seen_at).where(Item.id.in_(chunk)))
        found.update((item_id, moment) for item_id, moment in rows)
    return found
