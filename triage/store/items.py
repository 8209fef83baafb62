"""Statements on items and their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, select, update

from triage.store.bulk import insert_rows
from triage.store.chunks import chunks
from triage.store.engine import upsert
from triage.store.schema import FullText, Item, ItemText, Score, Source

if TYPE_CHECKING:
    from triage.core.readings import Relation

MOST_RELATED = 100
"""Parts of a newsletter, and messages of a conversation, that are named."""
RESTLESS = 20
"""Editions from which on an item that changes once more is not called revised: its page never rests."""
NEWEST_FIRST = (Item.first_seen_at.desc(), Item.id.desc())
"""The order of the index over `first_seen_at`. By ids, SQLite reads on beyond the oldest one wanted."""
LAST_ID = 2**63 - 1
"""No id is larger, and the driver refuses to ask for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An item as it is written; `first_seen_at` is kept when it is already known."""

    key: str
    kind: str
    title: str
    text: str
    url: str | None
    people: list[str]
    tags: list[str]
    identifiers: Mapping[str, str]
    personal: bool
    flags: Sequence[str] = ()
    published_at: datetime | None
    content_hash: str
    words: int
    cjk_characters: int
    links: Sequence[Sequence[str]] = ()
    """What its text leads to: (words, URL)."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with its source's title and its latest score, without its text."""

    id: int
    source_id: int
    source: str
    kind: str
    title: str
    url: str | None
    people: list[str]
    tags: list[str]
    source_tags: list[str]
    personal: bool
    published_at: datetime | None
    first_seen_at: datetime
    revised_at: datetime | None
    content_hash: str
    words: int
    cjk_characters: int
    logit: float | None
    probability: float | None


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Item.id,
            Item.source_id,
            Source.title,
            Item.kind,
            Item.title,
            Item.url,
            Item.people,
            Item.tags,
            Source.tags,
            Item.personal,
            Item.published_at,
            Item.first_seen_at,
            Item.revised_at,
            Item.content_hash,
            Item.words,
            Item.cjk_characters,
            Score.logit,
            Score.probability,
        )
        .join(Source, Source.id == Item.source_id)
        .outerjoin(Score, Score.item_id == Item.id)
    )


_INSERTED = (
    "id",
    "source_id",
    "key",
    "kind",
    "title",
    "url",
    "people",
    "tags",
    "identifiers",
    "personal",
    "flags",
    "published_at",
    "first_seen_at",
    "edition",
    "content_hash",
    "words",
    "cjk_characters",
)


def insert_new(connection: Connection, source_id: int, items: Sequence[NewItem], now: datetime) -> list[int]:
    """Stores items that are not known yet; returns their ids in order."""
    if not items:
        return []
    # The ids are given here, and not asked back: rows whose ids come back in order go in one by one, which
    # takes twice the time. A write holds the lock of the database, so nobody else gives the same ones.
    first = (connection.execute(select(func.max(Item.id))).scalar() or 0) + 1
    ids = list(range(first, first + len(items)))
    rows = (
        (
            item_id,
            source_id,
            item.key,
            item.kind,
            item.title,
            item.url,
            item.people,
            item.tags,
            item.identifiers,
            item.personal,
            item.flags,
            item.published_at,
            now,
            0,
            item.content_hash,
            item.words,
            item.cjk_characters,
        )
        for item_id, item in zip(ids, items, strict=True)
    )
    insert_rows(connection, Item, _INSERTED, rows)
    texts = ((item_id, item.text, item.links or None) for item_id, item in zip(ids, items, strict=True))
    insert_rows(connection, ItemText, ("item_id", "text", "links"), texts)
    return ids


def revise(connection: Connection, changes: Mapping[int, NewItem], now: datetime) -> None:
    """Item id -> what its source now says. Its date stays: a date moved forward would bring it up again.

    Where the text behind its link was fetched, that stays too, and is asked for again.
    """
    for item_id, item in changes.items():
        values = _values(item)
        published = values.pop("published_at")
        if _refetch(connection, item_id, item.text, now):
            del values["words"], values["cjk_characters"]
        else:
            set_text(connection, item_id, item.text)
        links = update(ItemText).where(ItemText.item_id == item_id)
        connection.execute(links.values(links=item.links or None))
        connection.execute(
            update(Item)
            .where(Item.id == item_id)
            .values(
                **values,
                published_at=func.coalesce(Item.published_at, published),
                revised_at=case((Item.edition < RESTLESS, now), else_=Item.revised_at),
                edition=Item.edition + 1,
            )
        )


def complete(connection: Connection, item_id: int, item: NewItem) -> None:
    """Adds what another source knows of a work: identifiers, and the text if there was none.

    The hash of its content stays that of its first source, which has not changed its words.
    """
    stored = connection.execute(select(Item.identifiers, Item.words).where(Item.id == item_id)).one()
    values: dict[str, Any] = {"identifiers": {**item.identifiers, **stored.identifiers}}
    if item.words and not stored.words:
        set_text(connection, item_id, item.text)
        values |= {
            "words": item.words,
            "cjk_characters": item.cjk_characters,
            "indexed_with": None,
            "edition": Item.edition + 1,
        }
    connection.execute(update(Item).where(Item.id == item_id).values(values))


def set_text(connection: Connection, item_id: int, body: str) -> None:
    """Replaces the text alone; whoever calls it counts the words and the edition."""
    text = upsert(ItemText).values(item_id=item_id, text=body)
    connection.execute(text.on_conflict_do_update(index_elements=["item_id"], set_={"text": body}))


def set_parents(connection: Connection, parents: Mapping[int, int]) -> None:
    """Item id -> id of the item that it is a part of."""
    if parents:
        connection.execute(
            update(Item).where(Item.id == bindparam("part")).values(parent_id=bindparam("whole")),
            [{"part": part, "whole": whole} for part, whole in parents.items()],
        )


def _refetch(connection: Connection, item_id: int, served: str, now: datetime) -> bool:
    """Asks again for the text behind a link, as if it had never been tried; False if there is none so far."""
    again = update(FullText).where(FullText.item_id == item_id)
    connection.execute(again.values(state="wanted", error=None, attempts=0, next_try_at=now))
    kept = connection.execute(again.where(FullText.served.is_not(None)).values(served=served))
    return kept.rowcount > 0


def _values(item: NewItem) -> dict[str, Any]:
    return {
        "title": item.title,
        "url": item.url,
        "people": item.people,
        "tags": item.tags,
        "identifiers": dict(item.identifiers),
        "personal": item.personal,
        "flags": list(item.flags),
        "published_at": item.published_at,
        "content_hash": item.content_hash,
        "words": item.words,
        "cjk_characters": item.cjk_characters,
        "indexed_with": None,
    }


def get(connection: Connection, item_id: int) -> ItemRow | None:
    """One item, or None."""
    if item_id > LAST_ID:
        return None
    row = connection.execute(_rows().where(Item.id == item_id)).first()
    return None if row is None else ItemRow(*row)


def by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, ItemRow]:
    """Id -> item for those of `ids` that exist."""
    found: dict[int, ItemRow] = {}
    for chunk in chunks(ids):
        for row in connection.execute(_rows().where(Item.id.in_(chunk))):
            found[row[0]] = ItemRow(*row)
    return found


def best(connection: Connection, limit: int, since: datetime | None = None) -> list[ItemRow]:
    """The items of the highest score, then those without one, newest first."""
    statement = _rows().order_by(Score.logit.desc().nulls_last(), Item.first_seen_at.desc(), Item.id.desc())
    if since is not None:
        statement = statement.where(Item.first_seen_at >= since)
    return [ItemRow(*row) for row in connection.execute(statement.limit(limit))]


def latest_of(connection: Connection, source_id: int, limit: int) -> list[ItemRow]:
    """The `limit` items that a source brought last, the latest first."""
    statement = _rows().where(Item.source_id == source_id).order_by(Item.id.desc()).limit(limit)
    return [ItemRow(*row) for row in connection.execute(statement)]


def seen_since(connection: Connection, since: datetime, limit: int) -> list[ItemRow]:
    """The newest `limit` items first seen at or after `since`, oldest first."""
    statement = _rows().where(Item.first_seen_at >= since).order_by(*NEWEST_FIRST).limit(limit)
    return [ItemRow(*row) for row in connection.execute(statement)][::-1]


def identifiers(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Item id -> its identifiers, as `ingestors.base.Entry` has them."""
    found: dict[int, dict[str, str]] = {}
    for chunk in chunks(ids):
        rows = connection.execute(select(Item.id, Item.identifiers).where(Item.id.in_(chunk)))
        found.update((row[0], row[1]) for row in rows)
    return found


def text(connection: Connection, item_id: int) -> str:
    """The whole text of an item; empty if there is none."""
    return connection.execute(select(ItemText.text).where(ItemText.item_id == item_id)).scalar() or ""


def links(connection: Connection, item_id: int) -> list[tuple[str, str]]:
    """What the text of an item leads to, in order: (words, URL)."""
    found = connection.execute(select(ItemText.links).where(ItemText.item_id == item_id)).scalar()
    return [(shown, url) for shown, url in found or ()]


def related(connection: Connection, item_id: int) -> list[tuple[Relation, ItemRow]]:
    """(relation, item) of what belongs to an item: the whole it is cut from, its parts, its conversation.

    A conversation is looked for in its source alone.
    """
    own = connection.execute(
        select(Item.source_id, Item.parent_id, Item.identifiers).where(Item.id == item_id)
    ).one()
    found: list[tuple[Relation, ItemRow]] = [
        ("whole", row) for row in by_ids(connection, [own.parent_id] if own.parent_id else []).values()
    ]
    parts = _rows().where(Item.parent_id == item_id).order_by(Item.id).limit(MOST_RELATED)
    found += [("story", ItemRow(*row)) for row in connection.execute(parts)]
    if thread := own.identifiers.get("thread"):
        same = _rows().where(
            Item.source_id == own.source_id,
            Item.id != item_id,
            Item.kind == "mail",
            Item.identifiers["thread"].as_string() == thread,
        )
        newest = same.order_by(Item.published_at.desc(), Item.id.desc()).limit(MOST_RELATED)
        messages = [ItemRow(*row) for row in connection.execute(newest)]
        found += [("thread", row) for row in reversed(messages)]
    return found


def texts(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Id -> text."""
    found: dict[int, str] = {}
    for chunk in chunks(ids):
        rows = connection.execute(select(ItemText.item_id, ItemText.text).where(ItemText.item_id.in_(chunk)))
        found.update((item_id, body) for item_id, body in rows)
    return found


@dataclass(frozen=True, slots=True)
class TextRow:
    """What is read of an item."""

    id: int
    title: str
    text: str
    edition: int


_LEAD = " (leads)"


def lead_of(encoder: str) -> str:
    """What `indexed_with` says of an item of which the encoder has read the lead only."""
    return f"{encoder}{_LEAD}"


def _all_indexed_with(connection: Connection) -> list[str]:
    """The values of `indexed_with`: few, so each is looked up in its index instead of reading it all."""
    found, next_one = [""], select(func.min(Item.indexed_with)).where(Item.indexed_with > bindparam("last"))
    while (value := connection.execute(next_one, {"last": found[-1]}).scalar()) is not None:
        found.append(value)
    return found[1:]


def _stale(connection: Connection, encoder: str | None) -> list[ColumnElement[bool]]:
    """What is true of items that need the encoder: each condition of other items."""
    never_read = Item.indexed_with.is_(None)
    if encoder is None:
        return [never_read]
    others = [name for name in _all_indexed_with(connection) if name not in (encoder, lead_of(encoder))]
    return [never_read, *(Item.indexed_with == name for name in others)]


def _to_read(connection: Connection, ids: Select[int]) -> list[TextRow]:
    """Those items, newest first; items are chosen before any text is read."""
    rows = connection.execute(
        select(Item.id, Item.title, ItemText.text, Item.edition)
        .join(ItemText, ItemText.item_id == Item.id)
        .where(Item.id.in_(ids))
        .order_by(Item.id.desc())
    )
    return [TextRow(row[0], row[1], row[2], row[3]) for row in rows]


def stale(connection: Connection, encoder: str | None, limit: int) -> list[TextRow]:
    """Items without passages, newest first; where there are none, those with another encoder's.

    Without an encoder (None), vectors that are there stay as they are.
    """
    for condition in _stale(connection, encoder):
        chosen = select(Item.id).where(condition).order_by(Item.id.desc()).limit(limit)
        if found := _to_read(connection, chosen):
            return found
    return []


def best_leads(connection: Connection, encoder: str) -> list[int]:
    """Ids of the items of which the encoder has read the lead only, those of the highest scores first."""
    chosen = (
        select(Item.id)
        .outerjoin(Score, Score.item_id == Item.id)
        .where(Item.indexed_with == lead_of(encoder))
        .order_by(Score.logit.desc().nulls_last(), Item.id.desc())
    )
    return list(connection.execute(chosen).scalars())


def leads(connection: Connection, encoder: str, ids: Sequence[int]) -> list[TextRow]:
    """Those of some few items of which the encoder still has read the lead only."""
    return _to_read(
        connection, select(Item.id).where(Item.indexed_with == lead_of(encoder), Item.id.in_(ids))
    )


def count_leads(connection: Connection, encoder: str | None = None) -> int:
    """How many items are known by their lead only, to this encoder or to any."""
    known = [name for name in _all_indexed_with(connection) if name.endswith(_LEAD)]
    if encoder is not None:
        known = [lead_of(encoder)]
    return sum(_count(connection, Item.indexed_with == name) for name in known)


def count_stale(connection: Connection, encoder: str | None) -> int:
    """How many items wait for their passages."""
    return sum(_count(connection, condition) for condition in _stale(connection, encoder))


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(Item).where(condition)).scalar_one())


def count(connection: Connection) -> int:
    """How many items are stored."""
    return int(connection.execute(select(func.count()).select_from(Item)).scalar_one())


def latest_first_seen(connection: Connection) -> datetime | None:
    """When the item that was seen last came in."""
    return connection.execute(select(func.max(Item.first_seen_at))).scalar()


def changed_since(connection: Connection, moment: datetime, now: datetime) -> bool:
    """Whether an item was added or revised between `moment` and `now`, or waits for its passages.

    What came in when the clock was ahead would be new to every digest until it is there again.
    """
    ways = (
        and_(Item.first_seen_at > moment, Item.first_seen_at <= now),
        and_(Item.revised_at > moment, Item.revised_at <= now),
        Item.indexed_with.is_(None),
    )
    # One question for each, which its index answers: all in one read every item when nothing has changed.
    return any(
        connection.execute(select(select(Item.id).where(changed).exists())).scalar_one() for changed in ways
    )


def mark_indexed(connection: Connection, editions: Mapping[int, int], indexed_with: str) -> None:
    """Item id -> the edition that was split; an item that has another text meanwhile stays stale."""
    if editions:
        connection.execute(
            update(Item)
            .where(Item.id == bindparam("item_id"), Item.edition == bindparam("was"))
            .values(indexed_with=indexed_with),
            [{"item_id": item_id, "was": edition} for item_id, edition in editions.items()],
        )


def signature(connection: Connection, since: datetime, limit: int) -> tuple[object, ...]:
    """Changes whenever an item of `seen_since` is added, has another text or is split anew.

    And when all are read.

    Not with every one that is read: the order would change between two marks for no reason that a reader
    could see.
    """
    newest = (
        select(Item.id, Item.revised_at, Item.edition, Item.indexed_with)
        .where(Item.first_seen_at >= since)
        .order_by(*NEWEST_FIRST)
        .limit(limit)
        .subquery()
    )
    row = connection.execute(
        select(
            func.count(),
            func.max(newest.c.id),
            func.max(newest.c.revised_at),
            func.sum(newest.c.edition),
            func.count(newest.c.indexed_with),
            func.max(case((newest.c.indexed_with.endswith(_LEAD), 1), else_=0)),
        )
    ).one()
    return tuple(row)
