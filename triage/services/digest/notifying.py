"""From a new digest to the few notifications that it is worth, and what the reader said of earlier ones.

Owns the record of what was notified; how a notification reaches the desktop is `triage.daemon.desktop`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.config import Clock, NotifyConfig
from triage.core import notifying, quiet_hours
from triage.core.errors import TriageError, UsageError
from triage.core.feedback import effective
from triage.core.items import Digest, Item, Recorded
from triage.core.text import sanitize_line
from triage.core.verbs import Verb
from triage.services.reader.feedback import MAX_SAID
from triage.store import feedback as event_log
from triage.store import items, notifications
from triage.store.engine import Database

DAY = timedelta(days=1)


def due(database: Database, clock: Clock, digest: Digest, policy: NotifyConfig) -> list[Item]:
    """What the reader is to be told of now; it counts as told from here on, so that nothing is told twice."""
    now = clock()
    if not policy.per_day or quiet_hours.within(policy.quiet, now.astimezone().time()):
        return []
    with database.read() as connection:
        events = event_log.events(connection)
        told = notifications.all_of(connection)
    ids = {each.item_id for each in told}
    chosen = notifying.choose(
        digest.items,
        bar=notifying.bar(events, ids),
        notified=ids,
        room=policy.per_day - sum(now - DAY < each.at <= now for each in told),
        now=now,
    )
    if chosen:
        with database.write() as connection:
            for item in chosen:
                notifications.add(connection, item.id, now, item.p or 0.0)
    return chosen


def too_much(database: Database, clock: Clock, item_id: int | None) -> Recorded:
    """Records that a notification, by default the last one, was not worth it.

    Raises:
        TriageError: Nothing was notified yet.
        UsageError: That item was not.
    """
    with database.write() as connection:
        told = notifications.all_of(connection)
        if not told:
            raise TriageError("there was no notification yet")
        chosen = told[-1].item_id if item_id is None else item_id
        if chosen not in {each.item_id for each in told}:
            raise UsageError(f"item {chosen} was not notified", fix="triage notifications")
        row = items.get(connection, chosen)
        event = event_log.append(connection, verb=Verb.TOO_MUCH, at=clock(), item_id=chosen)
    title = sanitize_line(row.title, MAX_SAID) if row else f"item {chosen}"
    return Recorded(event.id, f"too much: {title}")


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification as it is listed."""

    item: int
    title: str
    at: datetime
    probability: float
    too_much: bool


def listing(database: Database) -> list[Notified]:
    """All notifications, the latest first."""
    with database.read() as connection:
        told = notifications.all_of(connection)
        events = effective(event_log.events(connection))
        rows = items.by_ids(connection, [each.item_id for each in told])
    complaints = {event.item_id for event in events if event.verb is Verb.TOO_MUCH}
    return [
        Notified(
            each.item_id, rows[each.item_id].title, each.at, each.probability, each.item_id in complaints
        )
        for each in reversed(told)
        if each.item_id in rows
    ]
