"""Statements on what the reader opened, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from triage.store import schema


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that an item was opened."""

    item_id: int
    at: datetime
    seconds: float | None
    """How long it was open; None where nobody saw it closed."""
    digest_id: int | None
    """The digest that it stood in then; None where it was found elsewhere."""


def add(
    connection: Connection, item_id: int, at: datetime, seconds: float | None, digest_id: int | None = None
) -> None:
    """Remembers that an item was opened, and in which digest."""
    connection.execute(
        insert(schema.Opening).values(item_id=item_id, at=at, seconds=seconds, digest_id=digest_id)
    )


def since(connection: Connection, moment: datetime) -> Sequence[Opening]:
    """What was opened since then, oldest first."""
    table = schema.Opening
    rows = connection.execute(
        select(table.item_id, table.at, table.seconds, table.digest_id)
        .where(table.at >= moment)
        .order_by(table.id)
    )
    return [Opening(*row) for row in rows]


def opened(connection: Connection) -> set[int]:
    """Ids of all items that were ever opened."""
    return set(connection.execute(select(schema.Opening.item_id).distinct()).scalars())
