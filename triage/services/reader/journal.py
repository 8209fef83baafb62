"""The learning journal: every event with what it did, and taking back or bringing back any one of them.

Owns which events a step of the reader consists of when it is named by one of them. What counts after that is
`triage.core.feedback`'s business: nothing is ever changed in the log, only added.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from triage.config import Clock
from triage.core import feedback, journal
from triage.core.errors import UsageError
from triage.core.feedback import Event
from triage.core.items import Recorded
from triage.core.journal import Entry
from triage.core.text import sanitize_line
from triage.core.verbs import PAST_TENSE, Verb
from triage.services.reader.feedback import MAX_SAID, in_words, recording, step_words, take_back
from triage.store import effects, items
from triage.store import feedback as event_log
from triage.store.engine import Database


def entries(
    database: Database, now: datetime, *, since: datetime | None = None, limit: int | None = None
) -> list[Entry]:
    """The journal, newest first.

    Args:
        database: Where the log is.
        now: What has run out by now is called over.
        since: Without what was said before.
        limit: The newest so many only.
    """
    with database.read() as connection:
        log = event_log.events(connection)
        by_id = {event.id: event for event in log}
        undone_by = feedback.undoers(log)
        shown = [event for event in log if since is None or event.at >= since]
        shown.sort(key=lambda event: (event.stamp, event.id), reverse=True)
        shown = shown[:limit]
        known = effects.of_events(connection)
        about = {event.id: journal.root(by_id, event) for event in shown}
        titles = _titles(connection, [event for event, _ in about.values()])
    return [
        Entry(
            id=event.id,
            at=event.at,
            verb=event.verb,
            says=_says(event, *about[event.id], titles),
            item_id=about[event.id][0].item_id,
            undoes=event.undoes,
            undone_by=undone_by.get(event.id),
            over=event.until is not None and event.until <= now,
            effect=known.get(event.id),
        )
        for event in shown
    ]


def undo(database: Database, clock: Clock, event_id: int) -> Recorded:
    """Takes back one event, whatever was said since, with all that was said in the same step.

    Raises:
        UsageError: There is no such event, or it is taken back already.
    """
    with recording(database) as connection:
        log = event_log.events(connection)
        event, about, brings_back = _named(log, event_id)
        if (by := feedback.undoers(log).get(event_id)) is not None:
            said = "undone already" if event is about else "itself undone already"
            raise UsageError(f"event {event_id} is {said}, by event {by}", fix=f"triage redo {about.id}")
        counted = feedback.effective(log)
        taken = [event] if event.verb is Verb.UNDO else feedback.same_step(counted, event)
        said = step_words(connection, [about] if event.verb is Verb.UNDO else taken)
        message = f"{'undone' if brings_back else 'redone'}: {said}"
        return take_back(connection, log, taken, clock(), message)


def redo(database: Database, clock: Clock, event_id: int) -> Recorded:
    """Brings back one event that was taken back, with all that was taken back of the same step.

    Raises:
        UsageError: There is no such event, or it counts.
    """
    with recording(database) as connection:
        log = event_log.events(connection)
        _, about, _ = _named(log, event_id)
        by = feedback.undoers(log)
        if about.id not in by:
            raise UsageError(f"event {about.id} was not undone", fix=f"triage undo {about.id}")
        step = feedback.same_step([each for each in log if each.verb is not Verb.UNDO], about)
        gone = [said for said in step if said.id in by]
        undos = {by[said.id] for said in gone}
        taken = [each for each in log if each.id in undos]
        return take_back(connection, log, taken, clock(), f"redone: {step_words(connection, gone)}")


def toggle(database: Database, clock: Clock, event_id: int) -> Recorded:
    """Takes back what an event is about, or brings it back: whichever changes something.

    Raises:
        UsageError: There is no such event.
    """
    with database.read() as connection:
        log = event_log.events(connection)
    _, about, _ = _named(log, event_id)
    return (redo if about.id in feedback.undoers(log) else undo)(database, clock, about.id)


def _named(log: list[Event], event_id: int) -> tuple[Event, Event, bool]:
    """The event with an id, what it is about in the end, and whether it brings that back."""
    by_id = {event.id: event for event in log}
    if event_id not in by_id:
        raise UsageError(f"there is no event {event_id}", fix="triage journal")
    return by_id[event_id], *journal.root(by_id, by_id[event_id])


def _titles(connection: Connection, about: list[Event]) -> dict[int, str]:
    ids = list(dict.fromkeys(event.item_id for event in about if event.item_id is not None))
    return {item_id: row.title for item_id, row in items.by_ids(connection, ids).items()}


def _says(event: Event, about: Event, brings_back: bool, titles: dict[int, str]) -> str:
    said = _plain(about, titles)
    return said if event is about else f"{'redone' if brings_back else 'undone'}: {said}"


def _plain(event: Event, titles: dict[int, str]) -> str:
    if event.item_id is None:
        return in_words(event)
    title = sanitize_line(titles.get(event.item_id, ""), MAX_SAID)
    return f"{PAST_TENSE[event.verb]}: {title}"
