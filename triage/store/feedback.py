"""Statements on the event log. There is no update and no delete here, and there must never be one.

Every event has a stamp: the time it was said, or a microsecond after the newest stamp there is, whichever is
later (a hybrid logical clock: Kulkarni et al. 2014). So what is said later has a later stamp on one machine,
even when its clock is set back, and the logs of two machines have one order when they are put together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from triage.core.crash import crash_point
from triage.core.feedback import Event
from triage.core.verbs import Verb
from triage.store import schema

_TICK = timedelta(microseconds=1)


def events(connection: Connection, known: Sequence[Event] = ()) -> list[Event]:
    """The whole log, in the order in which it came here.

    A reader who marks 50 items a day has 18,000 events a year, which take .1 s to read.

    Args:
        connection: In a transaction.
        known: What an earlier call has returned: only what came since is read.
    """
    table = schema.Event
    if known and last_id(connection) < known[-1].id:
        known = ()  # an older copy of the database was put in its place
    newest = known[-1].id if known else 0
    rows = connection.execute(
        select(
            table.id,
            table.at,
            table.verb,
            table.item_id,
            table.undoes,
            table.phrase,
            table.weight,
            table.standing,
            table.model,
            table.until,
            table.scope,
            table.step,
            table.stamp,
        )
        .where(table.id > newest)
        .order_by(table.id)
    )
    new = [
        Event(
            id=row[0],
            at=row[1],
            verb=Verb(row[2]),
            item_id=row[3],
            undoes=row[4],
            phrase=row[5],
            weight=row[6],
            standing=row[7],
            model=row[8],
            until=row[9],
            scope=row[10],
            step=row[11],
            stamp=row[12],
        )
        for row in rows
    ]
    return [*known, *new]


def foreseen(connection: Connection) -> dict[int, float]:
    """Event id -> the probability of its item that was on the screen when it was made, where one was."""
    table = schema.Event
    probability = func.json_extract(table.shown, "$.p")
    rows = connection.execute(select(table.id, probability).where(probability.between(0, 1)))
    return {row[0]: row[1] for row in rows}


def made_in(connection: Connection, digest_ids: Collection[int]) -> set[int]:
    """Ids of the events that are about an item where it stood in one of these digests."""
    table = schema.Event
    digest = func.json_extract(table.shown, "$.digest")
    return set(connection.execute(select(table.id).where(digest.in_(digest_ids))).scalars())


def last_id(connection: Connection) -> int:
    """Id of the newest event, 0 if there is none."""
    return int(connection.execute(select(func.coalesce(func.max(schema.Event.id), 0))).scalar_one())


def append(
    connection: Connection,
    *,
    verb: Verb,
    at: datetime,
    item_id: int | None = None,
    undoes: int | None = None,
    phrase: str | None = None,
    weight: float | None = None,
    standing: float | None = None,
    model: str | None = None,
    shown: Mapping[str, Any] | None = None,
    until: datetime | None = None,
    scope: str | None = None,
    step: int | None = None,
) -> Event:
    """Adds one event, after all that are there."""
    newest = connection.execute(select(func.max(schema.Event.stamp))).scalar()
    stamp = at if newest is None else max(at, newest + _TICK)
    result = connection.execute(
        insert(schema.Event)
        .values(
            at=at,
            verb=verb.value,
            item_id=item_id,
            undoes=undoes,
            phrase=phrase,
            weight=weight,
            standing=standing,
            model=model,
            shown=dict(shown or {}),
            until=until,
            scope=scope,
            step=step,
            stamp=stamp,
        )
        .returning(schema.Event.id)
    )
    crash_point("event:written")
    return Event(
        id=int(result.scalar_one()),
        at=at,
        verb=verb,
        item_id=item_id,
        undoes=undoes,
        phrase=phrase,
        weight=weight,
        standing=standing,
        model=model,
        until=until,
        scope=scope,
        step=step,
        stamp=stamp,
    )
