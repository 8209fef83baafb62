"""Statements on sources: who is due, what a fetch left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from triage.store.schema import Item, Source

_COLUMNS = (
    Source.id,
    Source.ingestor,
    Source.kind,
    Source.target,
    Source.title,
    Source.allow_local,
    Source.cursor,
    Source.next_due_at,
    Source.wait_until,
    Source.attempted_at,
    Source.succeeded_at,
    Source.failures,
    Source.last_error,
)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the services see it."""

    id: int
    ingestor: str
    kind: str
    target: str
    title: str
    allow_local: bool
    cursor: Mapping[str, Any]
    next_due_at: datetime
    wait_until: datetime | None
    attempted_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    last_error: str | None


def active(connection: Connection) -> list[SourceRow]:
    """Every source that is not removed, by id."""
    rows = connection.execute(select(*_COLUMNS).where(Source.removed_at.is_(None)).order_by(Source.id))
    return [SourceRow(*row) for row in rows]


def item_counts(connection: Connection) -> dict[int, int]:
    """Source id -> number of stored items."""
    rows = connection.execute(select(Item.source_id, func.count()).group_by(Item.source_id))
    return {row[0]: row[1] for row in rows}


def add(
    connection: Connection,
    *,
    ingestor: str,
    kind: str,
    target: str,
    title: str,
    tags: list[str],
    allow_local: bool,
    now: datetime,
) -> tuple[int, bool]:
    """Adds a source, or brings back a removed one; a known one gains the new tags.

    A source that may contact local addresses from now on is due at once.

    Returns:
        Its id, and whether anything is new: the source, its return, or that permission.
    """
    known = connection.execute(
        select(Source.id, Source.tags, Source.removed_at, Source.allow_local, Source.next_due_at).where(
            Source.ingestor == ingestor, Source.target == target
        )
    ).first()
    if known is None:
        result = connection.execute(
            insert(Source)
            .values(
                ingestor=ingestor,
                kind=kind,
                target=target,
                title=title,
                tags=tags,
                allow_local=allow_local,
                options={},
                cursor={},
                added_at=now,
                next_due_at=now,
                failures=0,
            )
            .returning(Source.id)
        )
        return int(result.scalar_one()), True
    permitted = allow_local and not known.allow_local
    connection.execute(
        update(Source)
        .where(Source.id == known.id)
        .values(
            tags=list(dict.fromkeys([*known.tags, *tags])),
            removed_at=None,
            allow_local=known.allow_local or allow_local,
            next_due_at=now if permitted else known.next_due_at,
        )
    )
    return int(known.id), known.removed_at is not None or permitted


def remove(connection: Connection, source_id: int, now: datetime) -> None:
    """Stops polling a source; everything it brought stays."""
    connection.execute(update(Source).where(Source.id == source_id).values(removed_at=now))


def record_success(
    connection: Connection,
    source_id: int,
    *,
    cursor: Mapping[str, Any],
    title: str | None,
    now: datetime,
    next_due_at: datetime,
    wait_until: datetime | None,
    note: str | None,
) -> None:
    """After a fetch: in the same transaction as the items it brought. `note` names refused documents."""
    values: dict[str, Any] = {
        "cursor": dict(cursor),
        "attempted_at": now,
        "succeeded_at": now,
        "next_due_at": next_due_at,
        "wait_until": wait_until,
        "failures": 0,
        "last_error": note,
    }
    if title:
        values["title"] = title
    connection.execute(update(Source).where(Source.id == source_id).values(values))


def record_failure(
    connection: Connection,
    source_id: int,
    *,
    error: str,
    failures: int,
    now: datetime,
    next_due_at: datetime,
    wait_until: datetime | None,
) -> None:
    """After a fetch that failed: cursor and validators stay as they were."""
    connection.execute(
        update(Source)
        .where(Source.id == source_id)
        .values(
            attempted_at=now,
            next_due_at=next_due_at,
            wait_until=wait_until,
            failures=failures,
            last_error=error,
        )
    )
