"""Statements on hosts that asked to be left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, exists, select

from triage.core.schedule import MAX_RETRY_AFTER
from triage.store.engine import upsert
from triage.store.schema import Host, Source


def waits(connection: Connection, now: datetime) -> dict[str, datetime]:
    """Host -> until when it is not asked.

    A wait longer than any that is granted was written before the clock was set back, and is none. The others
    are as doubtful as long as a source was last asked ahead of `now`: who means it will say so again.
    """
    clock_was_ahead = exists().where(
        Source.attempted_at > now, Source.paused.is_(None), Source.removed_at.is_(None)
    )
    rows = connection.execute(
        select(Host.name, Host.wait_until).where(
            Host.wait_until > now, Host.wait_until <= now + MAX_RETRY_AFTER, ~clock_was_ahead
        )
    )
    return {row.name: row.wait_until for row in rows}


def wait(connection: Connection, until: Mapping[str, datetime], now: datetime) -> None:
    """Remembers how long hosts want to be left alone, and forgets what has passed."""
    connection.execute(delete(Host).where(Host.wait_until <= now))
    for name, moment in until.items():
        row = upsert(Host).values(name=name, wait_until=moment)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"wait_until": moment}))
