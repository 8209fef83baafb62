"""Statements on what the reader was notified of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from triage.store.schema import Notification


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """One notification."""

    item_id: int
    at: datetime
    probability: float


def add(connection: Connection, item_id: int, at: datetime, probability: float) -> None:
    """Remembers one."""
    connection.execute(insert(Notification).values(item_id=item_id, at=at, probability=probability))


def all_of(connection: Connection) -> list[NotificationRow]:
    """All of them, oldest first: two a day are 700 in a year."""
    rows = connection.execute(
        select(Notification.item_id, Notification.at, Notification.probability).order_by(Notification.id)
    )
    return [NotificationRow(*row) for row in rows]
