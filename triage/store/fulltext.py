"""Statements on full texts: what is known of a page, and the exchange of an item's text for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from triage.core.fulltext import SETTINGS, Attempt, Facts
from triage.core.items import KINDS
from triage.core.length import measure
from triage.store import items, search
from triage.store.chunks import chunks
from triage.store.engine import upsert
from triage.store.items import LAST_ID
from triage.store.schema import FullText, Item, ItemText, Score, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTextRow:
    """An item, its source, and the last try to fetch its full text."""

    id: int
    kind: str
    title: str
    url: str | None
    people: list[str]
    tags: list[str]
    identifiers: Mapping[str, str]
    personal: bool
    flags: list[str]
    part: bool
    edition: int
    served: str
    """What the source served, also where a full text has taken its place."""
    source_id: int
    source: str
    target: str
    allow_local: bool
    options: Mapping[str, Any]
    wait_until: datetime | None
    removed: bool
    attempt: Attempt | None
    found_at: str | None
    """Where the full text was found."""

    @property
    def facts(self) -> Facts:
        """What decides on its full text."""
        count, cjk_characters = measure(self.served)
        chosen = self.options.get("full_text")
        return Facts(
            kind=KINDS[self.kind],
            url=self.url,
            text=self.served,
            words=count,
            cjk_characters=cjk_characters,
            flags=frozenset(self.flags),
            personal=self.personal,
            part=self.part,
            source=self.target,
            setting=chosen if chosen in SETTINGS else "auto",
        )


_ATTEMPT = (
    FullText.state,
    FullText.error,
    FullText.attempts,
    FullText.tried_at,
    FullText.next_try_at,
    FullText.served.is_not(None).label("kept"),
)


def rows(connection: Connection, ids: Sequence[int]) -> dict[int, FullTextRow]:
    """Id -> row, for those of `ids` that exist."""
    found: dict[int, FullTextRow] = {}
    ids = [item_id for item_id in ids if item_id <= LAST_ID]
    for chunk in chunks(ids):
        statement = (
            select(
                Item.id,
                Item.kind,
                Item.title,
                Item.url,
                Item.people,
                Item.tags,
                Item.identifiers,
                Item.personal,
                Item.flags,
                Item.parent_id,
                Item.edition,
                ItemText.text,
                Item.source_id,
                Source.title.label("source"),
                Source.target,
                Source.allow_local,
                Source.options,
                Source.wait_until,
                Source.removed_at,
                *_ATTEMPT,
                FullText.served,
                FullText.url.label("found_at"),
            )
            .join(Source, Source.id == Item.source_id)
            .outerjoin(ItemText, ItemText.item_id == Item.id)
            .outerjoin(FullText, FullText.item_id == Item.id)
            .where(Item.id.in_(chunk))
        )
        for row in connection.execute(statement):
            found[row.id] = FullTextRow(
                id=row.id,
                kind=row.kind,
                title=row.title,
                url=row.url,
                people=row.people,
                tags=row.tags,
                identifiers=row.identifiers,
                personal=row.personal,
                flags=row.flags,
                part=row.parent_id is not None,
                edition=row.edition,
                served=(row.text or "") if row.served is None else row.served,
                source_id=row.source_id,
                source=row.source,
                target=row.target,
                allow_local=row.allow_local,
                options=row.options,
                wait_until=row.wait_until,
                removed=row.removed_at is not None,
                attempt=None if row.state is None else Attempt(*(row._mapping[c] for c in _ATTEMPT)),
                found_at=row.found_at,
            )
    return found


def likely(connection: Connection, limit: int, since: datetime) -> list[int]:
    """Ids of the items of the highest score that were first seen at or after `since`."""
    statement = (
        select(Item.id)
        .join(Score, Score.item_id == Item.id)
        .where(Item.first_seen_at >= since)
        .order_by(Score.logit.desc(), Item.id.desc())
        .limit(limit)
    )
    return [row[0] for row in connection.execute(statement)]


def wanted(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Ids of the items whose full text is to be fetched again, the longest due first."""
    statement = (
        select(FullText.item_id)
        .where(FullText.state == "wanted", or_(FullText.next_try_at <= now, FullText.tried_at > now))
        .order_by(FullText.next_try_at, FullText.item_id)
        .limit(limit)
    )
    return [row[0] for row in connection.execute(statement)]


def latest(connection: Connection, source_id: int, limit: int) -> list[Attempt]:
    """The last tries at pages of a source, newest first."""
    statement = (
        select(*_ATTEMPT)
        .join(Item, Item.id == FullText.item_id)
        .where(Item.source_id == source_id, FullText.tried_at.is_not(None))
        .order_by(FullText.tried_at.desc(), FullText.item_id.desc())
        .limit(limit)
    )
    return [Attempt(*row) for row in connection.execute(statement)]


def record_failure(
    connection: Connection,
    item_id: int,
    *,
    error: str,
    failures: int,
    tried_at: datetime,
    next_try_at: datetime | None,
) -> None:
    """A page brought no text; None for `next_try_at` leaves it to the reader to ask again.

    The text that the item has, served or full, stays.
    """
    _write(
        connection,
        item_id,
        {
            "state": "failed" if next_try_at is None else "wanted",
            "error": error,
            "attempts": failures,
            "tried_at": tried_at,
            "next_try_at": next_try_at,
        },
    )


def record_text(
    connection: Connection,
    item_id: int,
    *,
    missing: str | None,
    tried_at: datetime,
    found_at: str | None,
    served: str | None,
) -> None:
    """A page was read: the item has its text, or the page has no more than was `served` (None).

    Args:
        connection: Of the transaction that exchanges the text.
        item_id: The item.
        missing: What of the text could not be read.
        tried_at: When it was fetched.
        found_at: Where.
        served: What the source served in its place.
    """
    _write(
        connection,
        item_id,
        {
            "state": "same" if served is None else "have",
            "error": missing,
            "attempts": 0,
            "tried_at": tried_at,
            "next_try_at": None,
            "url": found_at,
            "served": served,
        },
    )


def _write(connection: Connection, item_id: int, values: dict[str, Any]) -> None:
    statement = upsert(FullText).values(item_id=item_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["item_id"], set_=values))


def exchange_text(
    connection: Connection, row: FullTextRow, text: str, *, words: int, cjk_characters: int
) -> bool:
    """Puts another text in the place of an item's; it is to be ranked anew, and is found by its words.

    Returns:
        False, and nothing is done, if the item has another text by now than when `row` was read.
    """
    changed = connection.execute(
        update(Item)
        .where(Item.id == row.id, Item.edition == row.edition)
        .values(words=words, cjk_characters=cjk_characters, indexed_with=None, edition=Item.edition + 1)
    ).rowcount
    if not changed:
        return False
    items.set_text(connection, row.id, text)
    search.index(connection, [search.SearchRow(row.id, row.title, text, row.people, row.source, row.tags)])
    return True
