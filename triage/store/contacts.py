"""Statements on which hosts were asked, how often and what for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from triage.store.engine import upsert
from triage.store.schema import Contact


@dataclass(frozen=True, slots=True)
class ContactRow:
    """The requests to one host on one day, for one purpose."""

    host: str
    day: str
    purpose: str
    requests: int


def count(connection: Connection, purpose: str, requests: Mapping[str, int], now: datetime) -> None:
    """Adds requests, by host, to those of the day."""
    for host, number in requests.items():
        row = upsert(Contact).values(host=host, day=now.date().isoformat(), purpose=purpose, requests=number)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["host", "day", "purpose"],
                set_={"requests": Contact.requests + row.excluded.requests},
            )
        )


def since(connection: Connection, moment: datetime) -> list[ContactRow]:
    """Everybody who was asked since that day, by host and day."""
    rows = connection.execute(
        select(Contact.host, Contact.day, Contact.purpose, Contact.requests)
        .where(Contact.day >= moment.date().isoformat())
        .order_by(Contact.host, Contact.day, Contact.purpose)
    )
    return [ContactRow(*row) for row in rows]
