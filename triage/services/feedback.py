"""What the reader says: one event for each key, and what it changed.

Owns the promise that a mark is durable before anything is learned from it: when the worker fails
afterwards, the mark stands and only the order is late.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from triage.config import Clock
from triage.core import feedback, rules, words
from triage.core.errors import TriageError, UsageError
from triage.core.feedback import Event, Verb
from triage.core.items import Digest
from triage.core.text import sanitize_line
from triage.services import folding
from triage.store import feedback as event_log
from triage.store import items, scores
from triage.store.engine import Database

MAX_PHRASE = 200
MAX_SAID = 60
"""Characters of a title in a message."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that is stored, in words for the reader."""

    event_id: int
    message: str


def mark(database: Database, clock: Clock, item_id: int, verb: Verb) -> Recorded:
    """Records a mark of an item, with what was on the screen when it was made.

    Raises:
        UsageError: There is no such item, or `verb` is no mark.
    """
    if verb not in feedback.MARKS:
        raise UsageError(f"{verb} is no mark", fix=f"one of: {', '.join(feedback.MARKS)}")
    with database.write() as connection:
        row = items.get(connection, item_id)
        if row is None:
            raise UsageError(f"there is no item {item_id}", fix="triage list")
        event_id = event_log.append(
            connection, verb=verb, at=clock(), item_id=item_id, **_on_screen(connection, item_id)
        )
    return Recorded(event_id, f"{feedback.PAST_TENSE[verb]}: {sanitize_line(row.title, MAX_SAID)}")


def split(database: Database, clock: Clock, item_id: int) -> Recorded:
    """Records that an item tells another story than those it was folded with.

    Raises:
        UsageError: There is no such item, or nobody else tells its story.
    """
    with database.write() as connection:
        row = items.get(connection, item_id)
        if row is None:
            raise UsageError(f"there is no item {item_id}", fix="triage stories")
        others = folding.around(connection, event_log.events(connection), [item_id]).others(item_id)
        if not others:
            raise UsageError(f"no other item tells what item {item_id} tells", fix="triage stories")
        shown = {"others": list(others)}
        event_id = event_log.append(connection, verb=Verb.SPLIT, at=clock(), item_id=item_id, shown=shown)
    said = feedback.PAST_TENSE[Verb.SPLIT]
    return Recorded(event_id, f"{said}: {sanitize_line(row.title, MAX_SAID)}")


def _on_screen(connection: Connection, item_id: int) -> dict[str, Any]:
    """What the reader saw of an item, in the columns of an event: as it stands in the digest, or in a list.

    The digest is newer than the list, whose scores are stored when there is time.
    """
    digest = scores.latest_digest(connection)
    items_shown = digest.document["items"] if digest is not None else []
    for rank, item in enumerate(items_shown, 1):
        if digest is not None and item["id"] == item_id:
            shown = {"digest": digest.id, "rank": rank, "score": item["score"]}
            shown |= {"p": item["value"], "lane": item["lane"]}
            drawn = {each["id"]: each["propensity"] for each in digest.document["drawn"]}
            if item_id in drawn:
                shown["propensity"] = drawn[item_id]
            standing = digest.document["standings"][rank - 1]
            return {"standing": standing, "model": digest.model, "shown": shown}
    listed = scores.score(connection, item_id)
    if listed is None:
        return {}
    shown = {"score": listed.logit, "p": listed.probability}
    return {"standing": listed.standing, "model": listed.model, "shown": shown}


def undo(database: Database, clock: Clock, *, marks_only: bool = False) -> Recorded:
    """Takes back the newest event that still counts, or the newest mark.

    Raises:
        TriageError: There is nothing left to undo.
    """
    with database.write() as connection:
        log = event_log.events(connection)
        event = feedback.last_undoable(log, marks_only=marks_only)
        if event is None:
            raise TriageError("there is nothing to undo")
        step = feedback.same_step(log, event)
        for each in step:
            event_id = event_log.append(connection, verb=Verb.UNDO, at=clock(), undoes=each.id)
        row = items.get(connection, event.item_id) if event.item_id is not None else None
    if event.verb is Verb.KNOWN:
        return Recorded(event_id, f"undone: {words.plural(len(step), 'document')} of {event.phrase} liked")
    if row is None:
        return Recorded(event_id, f"undone: {in_words(event)}")
    title = sanitize_line(row.title, MAX_SAID)
    return Recorded(event_id, f"undone: {feedback.PAST_TENSE[event.verb]}: {title}")


def set_interest(database: Database, clock: Clock, phrase: str, weight: float) -> Recorded:
    """Adds an interest phrase, changes its weight, or removes it with weight 0.

    Raises:
        UsageError: The phrase has no words, the weight is beyond +-10, or there is no such phrase to remove.
    """
    phrase = sanitize_line(phrase, MAX_PHRASE)
    if not any(char.isalnum() for char in phrase):
        raise UsageError("an interest needs at least one word")
    if not -10 <= weight <= 10:
        raise UsageError(f"a weight lies between -10 and 10, not {weight:g}")
    with database.write() as connection:
        if weight == 0 and phrase not in feedback.interests(event_log.events(connection)):
            raise UsageError(f"there is no interest {phrase!r}", fix="triage interests")
        event_id = event_log.append(connection, verb=Verb.INTEREST, at=clock(), phrase=phrase, weight=weight)
    return Recorded(event_id, _interest_words(phrase, weight))


def in_words(event: Event) -> str:
    """What an event said that is about no item."""
    phrase, weight = event.phrase or "", event.weight or 0.0
    if event.verb is Verb.INTEREST:
        return _interest_words(phrase, weight)
    if event.verb is Verb.ALIAS:
        return f"{'an alias' if weight else 'no longer an alias'}: {phrase}"
    if event.verb is Verb.RULE:
        if not weight:
            return f"no longer a rule: {phrase}"
        return f"a rule: {rules.in_words(phrase, weight, event.until)}"
    effect: rules.Hard = "always" if event.verb is Verb.ALWAYS else "never"
    return f"a rule: {rules.in_words(phrase, effect, event.until)}"


def _interest_words(phrase: str, weight: float) -> str:
    if weight == 0:
        return f"no longer an interest: {phrase}"
    return f"an interest ({weight:+g}): {phrase}" if weight > 0 else f"less of this ({weight:+g}): {phrase}"


def interests(database: Database) -> dict[str, float]:
    """Interest phrase -> weight."""
    with database.read() as connection:
        return feedback.interests(event_log.events(connection))


def with_states(database: Database, digest: Digest) -> Digest:
    """A digest in its old order, with the marks as they are now."""
    states = feedback.states(events(database))
    marked = (dataclasses.replace(item, state=states.get(item.id, "new")) for item in digest.items)
    return dataclasses.replace(digest, items=tuple(marked))


def events(database: Database) -> list[Event]:
    """The whole log, oldest first."""
    with database.read() as connection:
        return event_log.events(connection)
