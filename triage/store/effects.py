"""Statements on what events did to the digest. Each is written once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from triage.core.journal import Effect
from triage.store import schema
from triage.store.engine import upsert


def waiting(connection: Connection, since: datetime, last: int) -> list[int]:
    """Ids of the events said at or after `since` without a known effect, up to the id `last`."""
    event = schema.Event
    known = select(func.coalesce(func.max(schema.Effect.event_id), 0)).scalar_subquery()
    chosen = select(event.id).where(event.id > known, event.id <= last, event.at >= since)
    return list(connection.execute(chosen.order_by(event.id)).scalars())


def add(connection: Connection, effects: Mapping[int, Effect]) -> None:
    """Event id -> its effect; one that is known already stays."""
    if effects:
        connection.execute(
            upsert(schema.Effect).on_conflict_do_nothing(),
            [
                {"event_id": event_id, "moved": e.moved, "size": e.size, "together": e.together}
                for event_id, e in effects.items()
            ],
        )


def of_events(connection: Connection) -> dict[int, Effect]:
    """Event id -> effect, as far as they are known."""
    table = schema.Effect
    rows = connection.execute(select(table.event_id, table.moved, table.size, table.together))
    return {row[0]: Effect(row[1], row[2], row[3]) for row in rows}
