"""Statements on which hosts were asked, how often and what for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from triage.store.engine import upsert
from triage.store.schema import Contact

MOST_CLOCKS = 200


@dataclass(frozen=True, slots=True)
class ContactRow:
    """The requests to one host on one day, for one purpose."""

    host: str
    day: str
    purpose: str
    requests: int


def count(
    connection: Connection,
    purpose: str,
    requests: Mapping[str, int],
    now: datetime,
    ahead: Mapping[str, float] = MappingProxyType({}),
) -> None:
    """Adds requests, by host, to those of the day; and by how many seconds clocks are ahead of ours."""
    for host, number in requests.items():
        told: dict[str, Any] = {"answered_at": now, "ahead_s": ahead[host]} if host in ahead else {}
        row = upsert(Contact).values(
            host=host, day=now.date().isoformat(), purpose=purpose, requests=number, **told
        )
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["host", "day", "purpose"],
                set_={"requests": Contact.requests + row.excluded.requests, **told},
            )
        )


def clocks(connection: Connection, now: datetime, within: timedelta) -> tuple[datetime, list[float]] | None:
    """When hosts were last asked up to now, and by how many seconds each that answered then is ahead of us.

    Args:
        connection: Of the database.
        now: Answers from after it were noted by a clock that has been set back since.
        within: How much earlier than the last answer others may be.
    """
    rows = connection.execute(
        select(Contact.host, Contact.answered_at, Contact.ahead_s)
        .where(Contact.answered_at <= now)
        .order_by(Contact.answered_at.desc())
        .limit(MOST_CLOCKS)
    ).all()
    if not rows:
        return None
    last = rows[0].answered_at
    by_host = {row.host: row.ahead_s for row in reversed(rows) if row.answered_at >= last - within}
    return last, list(by_host.values())


def since(connection: Connection, moment: datetime) -> list[ContactRow]:
    """Everybody who was asked since that day, by host and day."""
    rows = connection.execute(
        select(Contact.host, Contact.day, Contact.purpose, Contact.requests)
        .where(Contact.day >= moment.date().isoformat())
        .order_by(Contact.host, Contact.day, Contact.purpose)
    )
    return [ContactRow(*row) for row in rows]
