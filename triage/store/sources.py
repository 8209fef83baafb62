"""Statements on sources: who is due, what a fetch left behind, what the reader has set."""

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
    Source.tags,
    Source.allow_local,
    Source.options,
    Source.cursor,
    Source.added_at,
    Source.next_due_at,
    Source.wait_until,
    Source.attempted_at,
    Source.succeeded_at,
    Source.failures,
    Source.last_error,
    Source.paused,
)

NAME = "title"
"""The option with the name that the reader gave to a source; what it calls itself does not replace that."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the services see it."""

    id: int
    ingestor: str
    kind: str
    target: str
    title: str
    tags: list[str]
    allow_local: bool
    options: Mapping[str, Any]
    cursor: Mapping[str, Any]
    added_at: datetime
    next_due_at: datetime
    wait_until: datetime | None
    attempted_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    last_error: str | None
    paused: str | None
    """Why it is not polled."""


def active(connection: Connection) -> list[SourceRow]:
    """Every source that is not removed, by id; those that are paused too."""
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
    options: Mapping[str, Any] | None = None,
) -> tuple[int, bool]:
    """Adds a source, or brings back a removed one; a known one gains the new tags and options.

    A source that may contact local addresses from now on is due at once.

    Returns:
        Its id, and whether anything is new: the source, its return, or that permission.
    """
    options = dict(options or {})
    known = connection.execute(
        select(
            Source.id,
            Source.title,
            Source.tags,
            Source.options,
            Source.paused,
            Source.removed_at,
            Source.allow_local,
            Source.next_due_at,
        ).where(Source.ingestor == ingestor, Source.target == target)
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
                options=options,
                cursor={},
                added_at=now,
                next_due_at=now,
                failures=0,
            )
            .returning(Source.id)
        )
        return int(result.scalar_one()), True
    permitted = allow_local and not known.allow_local
    returns = known.removed_at is not None
    connection.execute(
        update(Source)
        .where(Source.id == known.id)
        .values(
            title=options.get(NAME, known.title),
            tags=list(dict.fromkeys([*known.tags, *tags])),
            options={**known.options, **options},
            paused=None if returns else known.paused,
            removed_at=None,
            allow_local=known.allow_local or allow_local,
            next_due_at=now if permitted else known.next_due_at,
        )
    )
    return int(known.id), returns or permitted


def change(
    connection: Connection,
    source_id: int,
    *,
    target: str | None = None,
    title: str | None = None,
    tags: list[str] | None = None,
    options: Mapping[str, Any] | None = None,
    allow_local: bool | None = None,
) -> None:
    """Writes what the reader has set; None leaves a thing as it is.

    With another target the cursor goes: the validators of one document say nothing about another.
    """
    values: dict[str, Any] = {"title": title, "tags": tags, "allow_local": allow_local}
    values["options"] = None if options is None else dict(options)
    if target is not None:
        values |= {"target": target, "cursor": {}, "failures": 0}
    values = {name: value for name, value in values.items() if value is not None}
    if values:
        connection.execute(update(Source).where(Source.id == source_id).values(values))


def pause(connection: Connection, source_id: int, reason: str) -> None:
    """Stops polling a source until it is resumed; `reason` is shown to the reader."""
    connection.execute(update(Source).where(Source.id == source_id).values(paused=reason))


def resume(connection: Connection, source_id: int, now: datetime) -> None:
    """Polls a source again, from now on and as if it had never failed."""
    values = {"paused": None, "failures": 0, "next_due_at": now}
    connection.execute(update(Source).where(Source.id == source_id).values(values))


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
    """After a fetch: in the same transaction as the items it brought. `note` names refused documents.

    `title` is what the source calls itself; a name that the reader gave stays.
    """
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
        values["title"] = func.coalesce(Source.options[NAME].as_string(), title)
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
