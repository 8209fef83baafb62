"""What the reader says: one event for each key, and what it changed.

Owns the promise that a mark is durable before anything is learned from it: when the worker fails
afterwards, the mark stands and only the order is late.
"""

from __future__ import annotations

import dataclasses
import difflib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from triage.config import Clock
from triage.core import feedback, journal, rules, words
from triage.core.crash import crash_point
from triage.core.errors import TriageError, UsageError
from triage.core.feedback import Event
from triage.core.interest_sheet import profile_name
from triage.core.items import Digest, Recorded
from triage.core.text import sanitize_line
from triage.core.verbs import HARD, MARKS, PAST_TENSE, Verb
from triage.services.reader import folding
from triage.store import effects, items, scores
from triage.store import feedback as event_log
from triage.store.engine import Database
from triage.store.scores import DigestRow

MAX_PHRASE = 200
MAX_SAID = 60
"""Characters of a title in a message."""


@contextmanager
def recording(database: Database) -> Iterator[Connection]:
    """One transaction in which the reader's word is stored; after the block it is."""
    with database.write() as connection:
        yield connection
    crash_point("event:committed")


def mark(database: Database, clock: Clock, item_id: int, verb: Verb) -> Recorded:
    """Records a mark of an item, with what was on the screen when it was made.

    Raises:
        UsageError: There is no such item, or `verb` is no mark.
    """
    if verb not in MARKS:
        raise UsageError(f"{verb} is no mark", fix=f"one of: {', '.join(MARKS)}")
    with recording(database) as connection:
        row = items.get(connection, item_id)
        if row is None:
            raise UsageError(f"there is no item {item_id}", fix="triage list")
        event = event_log.append(
            connection,
            verb=verb,
            at=clock(),
            item_id=item_id,
            **_on_screen(connection, scores.latest_digest(connection), item_id),
        )
    said = f"{PAST_TENSE[verb]}: {sanitize_line(row.title, MAX_SAID)}"
    return Recorded(event.id, said, {item_id: verb.value})


def mark_all(database: Database, clock: Clock, item_ids: Sequence[int], verb: Verb) -> Recorded:
    """Records the same mark of several items in one step, which one undo takes back as a whole.

    Args:
        database: Where to.
        clock: The time.
        item_ids: Of the items, at least one; an item that has the mark already is not marked again.
        verb: The mark.

    Raises:
        UsageError: There is no item with one of the ids, all have the mark, or `verb` is no mark.
    """
    if verb not in MARKS:
        raise UsageError(f"{verb} is no mark", fix=f"one of: {', '.join(MARKS)}")
    at = clock()
    with recording(database) as connection:
        known = items.by_ids(connection, item_ids)
        if missing := [item_id for item_id in item_ids if item_id not in known]:
            raise UsageError(f"there is no item {missing[0]}", fix="triage list")
        states = feedback.states(event_log.events(connection))
        wanted = [item_id for item_id in dict.fromkeys(item_ids) if states.get(item_id) != verb.value]
        if not wanted:
            raise UsageError(f"all of them are {PAST_TENSE[verb]} already")
        digest, first = scores.latest_digest(connection), event_log.last_id(connection) + 1
        for item_id in wanted:
            shown = _on_screen(connection, digest, item_id)
            event = event_log.append(connection, verb=verb, at=at, item_id=item_id, step=first, **shown)
    said = f"{PAST_TENSE[verb]}: {words.plural(len(wanted), 'item')}"
    return Recorded(event.id, said, dict.fromkeys(wanted, verb.value))


def split(database: Database, clock: Clock, item_id: int) -> Recorded:
    """Records that an item tells another story than those it was folded with.

    Raises:
        UsageError: There is no such item, or nobody else tells its story.
    """
    with recording(database) as connection:
        row = items.get(connection, item_id)
        if row is None:
            raise UsageError(f"there is no item {item_id}", fix="triage stories")
        others = folding.around(connection, event_log.events(connection), [item_id]).others(item_id)
        if not others:
            raise UsageError(f"no other item tells what item {item_id} tells", fix="triage stories")
        shown = {"others": list(others)}
        event = event_log.append(connection, verb=Verb.SPLIT, at=clock(), item_id=item_id, shown=shown)
    said = PAST_TENSE[Verb.SPLIT]
    return Recorded(event.id, f"{said}: {sanitize_line(row.title, MAX_SAID)}")


def _on_screen(connection: Connection, digest: DigestRow | None, item_id: int) -> dict[str, Any]:
    """What the reader saw of an item, in the columns of an event: as it stands in the digest, or in a list.

    The digest is newer than the list, whose scores are stored when there is time. Of an item in a digest that
    says no probabilities yet, the one of the list is what was foreseen.
    """
    listed = scores.score(connection, item_id)
    items_shown = digest.document["items"] if digest is not None else []
    for rank, item in enumerate(items_shown, 1):
        if digest is not None and item["id"] == item_id:
            shown = {"digest": digest.id, "rank": rank, "score": item["score"]}
            foreseen = listed.probability if item["p"] is None and listed is not None else item["p"]
            shown |= {"p": foreseen, "lane": item["lane"]}
            drawn = {each["id"]: each["propensity"] for each in digest.document["drawn"]}
            if item_id in drawn:
                shown["propensity"] = drawn[item_id]
            standing = digest.document["standings"][rank - 1]
            return {"standing": standing, "model": digest.model, "shown": shown}
    if listed is None:
        return {}
    shown = {"score": listed.logit, "p": listed.probability}
    return {"standing": listed.standing, "model": listed.model, "shown": shown}


def undo(database: Database, clock: Clock) -> Recorded:
    """Takes back the newest step that still counts: a mark, several made at once, an interest or a rule.

    Raises:
        TriageError: There is nothing left to undo.
    """
    with recording(database) as connection:
        log = event_log.events(connection)
        counted = feedback.effective(log)
        if not counted:
            raise TriageError("there is nothing to undo")
        step = feedback.same_step(counted, counted[-1])
        return take_back(connection, log, step, clock(), f"undone: {step_words(connection, step)}")


def redo(database: Database, clock: Clock) -> Recorded:
    """Brings back the step that was undone last, unless something has been said since.

    Raises:
        TriageError: There is nothing to bring back.
    """
    with recording(database) as connection:
        log = event_log.events(connection)
        undos = feedback.redoable(log)
        if not undos:
            raise TriageError("there is nothing to redo")
        undone = {undo.undoes for undo in undos}
        step = [event for event in log if event.id in undone]
        return take_back(connection, log, undos, clock(), f"redone: {step_words(connection, step)}")


def unmark(database: Database, clock: Clock, item_id: int) -> Recorded:
    """Takes back what was last said of one item with a mark, whatever was said of others since.

    Raises:
        UsageError: It has no mark that counts.
    """
    with recording(database) as connection:
        log = event_log.events(connection)
        counted = feedback.effective(log)
        said = [event for event in counted if event.item_id == item_id and event.verb in PAST_TENSE]
        if not said:
            raise UsageError(f"item {item_id} is not marked", fix=f"triage show {item_id}")
        last = said[-1:]
        return take_back(connection, log, last, clock(), f"undone: {step_words(connection, last)}")


def take_back(
    connection: Connection, log: Sequence[Event], step: Sequence[Event], at: datetime, message: str
) -> Recorded:
    """Undoes events of the log in one step, which `message` tells the reader; undos among them, too."""
    undos = [event_log.append(connection, verb=Verb.UNDO, at=at, undoes=event.id) for event in step]
    by_id = {event.id: event for event in log}
    about = [journal.root(by_id, event)[0] for event in step]
    states = feedback.states([*log, *undos])
    marked = {said.item_id for said in about if said.item_id is not None and said.verb in MARKS}
    return Recorded(undos[-1].id, message, {item_id: states.get(item_id, "new") for item_id in marked})


def step_words(connection: Connection, step: Sequence[Event]) -> str:
    """What was said in one step."""
    event = step[-1]
    if event.verb is Verb.KNOWN:
        return f"{words.plural(len(step), 'document')} of {event.phrase} liked"
    if event.item_id is None:
        return in_words(event) if len(step) == 1 else words.plural(len(step), "change")
    if len(step) > 1:
        return f"{PAST_TENSE[event.verb]}: {words.plural(len(step), 'item')}"
    row = items.get(connection, event.item_id)
    title = sanitize_line(row.title, MAX_SAID) if row is not None else f"item {event.item_id}"
    return f"{PAST_TENSE[event.verb]}: {title}"


def set_interest(
    database: Database, clock: Clock, phrase: str, weight: float, profile: str | None = None
) -> Recorded:
    """Adds an interest phrase, changes its weight, or removes it with weight 0.

    Args:
        database: Where to.
        clock: The present.
        phrase: In the reader's words.
        weight: From -10 to 10; negative means less of this.
        profile: The one that it belongs to; None for wherever it stands, or for none if it is new.

    Raises:
        UsageError: The phrase has no words, the weight is beyond +-10, the profile can have no such name, or
            there is no such phrase to remove.
    """
    phrase = sanitize_line(phrase, MAX_PHRASE)
    profile = None if profile is None else profile_name(profile)
    if not any(char.isalnum() for char in phrase):
        raise UsageError("an interest needs at least one word")
    if not -10 <= weight <= 10:
        raise UsageError(f"a weight lies between -10 and 10, not {weight:g}")
    now = clock()
    with recording(database) as connection:
        known = feedback.active_interests(event_log.events(connection), now)
        among = [said.profile for said in known if said.phrase == phrase]
        found = among if profile is None else [each for each in among if each == profile]
        if weight == 0 and not found:
            near = difflib.get_close_matches(phrase, [said.phrase for said in known], n=1)
            meant = f"triage interests remove {shlex.quote(near[0])}" if near else "triage interests"
            raise UsageError(f"there is no interest {phrase!r}", fix=meant)
        step = event_log.last_id(connection) + 1 if len(found) > 1 else None
        for each in found or [profile]:
            event = event_log.append(
                connection, verb=Verb.INTEREST, at=now, phrase=phrase, weight=weight, scope=each, step=step
            )
    return Recorded(event.id, _interest_words(phrase, weight, profile))


def in_words(event: Event) -> str:
    """What an event said that is about no item."""
    phrase, weight = event.phrase or "", event.weight or 0.0
    if event.verb is Verb.INTEREST:
        return _interest_words(phrase, weight, event.scope, event.until)
    if event.verb is Verb.USE:
        return f"profiles in use: {phrase.replace(',', ', ') or 'all'}"
    if event.verb is Verb.SEARCH:
        name, _, text = phrase.partition(" ")
        return f"no longer a search: @{name}" if event.weight == 0 else f"a search: @{name} = {text}"
    if event.verb is Verb.ALIAS:
        return f"{'an alias' if weight else 'no longer an alias'}: {phrase}"
    if event.verb is Verb.RULE:
        if not weight:
            return f"no longer a rule: {phrase}"
        return f"a rule: {rules.in_words(phrase, weight, event.until)}"
    return f"a rule: {rules.in_words(phrase, HARD[event.verb], event.until)}"


def _interest_words(
    phrase: str, weight: float, profile: str | None = None, until: datetime | None = None
) -> str:
    of = f" of {profile}" if profile else ""
    said = f"{phrase} {rules.write_term(until)}" if until else phrase
    if weight == 0:
        return f"no longer an interest{of}: {said}"
    return (
        f"an interest{of} ({weight:+g}): {said}" if weight > 0 else f"less of this{of} ({weight:+g}): {said}"
    )


def interests(database: Database) -> dict[str, float]:
    """Interest phrase -> weight."""
    with database.read() as connection:
        return feedback.interests(event_log.events(connection))


def labels_since(database: Database, moment: datetime | None) -> int:
    """How many items were liked, loved or disliked since then, or ever."""
    found = feedback.judgements(events(database)).values()
    return sum(moment is None or judgement.at > moment for judgement in found)


def unlearned(database: Database, digest: Digest) -> bool:
    """Whether something was said that a digest does not know, because a process died before it could learn.

    It may also be that another process is just learning from it.
    """
    with database.read() as connection:
        return bool(effects.waiting(connection, digest.built_at, event_log.last_id(connection)))


def with_states(database: Database, digest: Digest) -> Digest:
    """A digest in its old order, with the marks as they are now."""
    states = feedback.states(events(database))
    marked = (dataclasses.replace(item, state=states.get(item.id, "new")) for item in digest.items)
    return dataclasses.replace(digest, items=tuple(marked))


def events(database: Database) -> list[Event]:
    """The whole log, oldest first."""
    with database.read() as connection:
        return event_log.events(connection)
